// HikariCP and pgjdbc: the view shows what the pool's MXBeans say.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariConfigMXBean;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.HikariPoolMXBean;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

class HikariTest {
    // pgjdbc has no Unix sockets
    static final String URL = "jdbc:postgresql://127.0.0.1:" + System.getenv("PGPORT") + "/"
        + System.getenv("PGDATABASE");
    static final String NAME = "hikari";
    static final ObjectMapper mapper = new ObjectMapper();
    static int failures = 0;
    static Connection reporter;

    static void check(String name, boolean good, Object detail) {
        if (!good)
            failures++;
        System.out.println(good ? "ok - " + name : "not ok - " + name + ": " + detail);
    }

    static void equal(String name, Object got, Object expected) {
        check(name, Objects.equals(got, expected), "got " + got + ", expected " + expected);
    }

    static void until(String what, BooleanSupplier condition) throws Exception {
        for (int i = 0; i < 15000; i++) {
            if (condition.getAsBoolean())
                return;
            Thread.sleep(20);
        }
        check("waited for " + what, false, "not within 300 s");
    }

    static HikariDataSource open(String url, String user, String password) throws Exception {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setUsername(user);
        config.setPassword(password);
        config.setPoolName("hikari");
        config.setMinimumIdle(1);
        config.setMaximumPoolSize(2);
        config.addDataSourceProperty("options",
            "-c pgpool_stats.pool=hikari -c pgpool_stats.instance=" + me());
        return new HikariDataSource(config);
    }

    static String me() {
        return "web-1:" + ProcessHandle.current().pid();
    }

    static String stats(HikariDataSource pool) throws Exception {
        // what is now and what is configured: the keys of both beans together
        ObjectNode all = (ObjectNode) mapper.readTree(
            mapper.writerFor(HikariPoolMXBean.class).writeValueAsString(pool.getHikariPoolMXBean()));
        all.setAll((ObjectNode) mapper.readTree(
            mapper.writerFor(HikariConfigMXBean.class).writeValueAsString(pool.getHikariConfigMXBean())));
        return all.toString();
    }

    static JsonNode row() {
        try (PreparedStatement query = reporter.prepareStatement("SELECT to_jsonb(i)"
                + " FROM pgpool_stats.instances i WHERE pool = ? AND instance = ?")) {
            query.setString(1, NAME);
            query.setString(2, me());
            ResultSet rows = query.executeQuery();
            return rows.next() ? mapper.readTree(rows.getString(1)) : null;
        } catch (Exception error) {
            throw new RuntimeException(error);
        }
    }

    static int count(String column) {
        JsonNode row = row();
        return row == null ? 0 : row.get(column).asInt();
    }

    static void step(String name, HikariDataSource pool, String status, int held, int waiting)
            throws Exception {
        HikariPoolMXBean bean = pool.getHikariPoolMXBean();
        until(name + ": the pool's figures", () -> bean.getActiveConnections() == held
            && bean.getThreadsAwaitingConnection() == waiting
            && bean.getTotalConnections() == bean.getActiveConnections() + bean.getIdleConnections());
        try (PreparedStatement report =
                reporter.prepareStatement("SELECT pgpool_stats.report(?, ?::jsonb, ?)")) {
            report.setString(1, NAME);
            report.setString(2, stats(pool));
            report.setString(3, me());
            report.execute();
        }
        Map<String, Object> expected = new LinkedHashMap<>();
        expected.put("dialect", "hikaricp");
        expected.put("min_size", 1);
        expected.put("max_size", 2);
        expected.put("open", bean.getTotalConnections());
        expected.put("checked_in", bean.getIdleConnections());
        expected.put("checked_out", held);
        expected.put("waiting", waiting);
        expected.put("checkouts", null);
        expected.put("timeouts", null);
        expected.put("status", status);
        JsonNode row = row();
        for (Map.Entry<String, Object> column : expected.entrySet()) {
            JsonNode value = row.get(column.getKey());
            equal(name + ": " + column.getKey(), value.isNull() ? null : value.asText(),
                column.getValue() == null ? null : column.getValue().toString());
        }
        check(name + ": nothing unmapped", row.get("unmapped").size() == 0, row.get("unmapped"));
        int open = bean.getTotalConnections();
        until(name + ": connections", () -> count("connections") == open);
        equal(name + ": the server counts the pool's connections", count("connections"), open);
    }

    public static void main(String[] args) throws Exception {
        Properties login = new Properties();
        login.setProperty("user", "app");
        login.setProperty("password", System.getenv("PGPASSWORD"));
        login.setProperty("options", "-c pgpool_stats.pool=reporter -c pgpool_stats.instance=reporter"
            + " -c pgpool_stats.strict_reports=on");
        reporter = DriverManager.getConnection(URL, login);

        HikariDataSource pool = open(URL, "app", System.getenv("PGPASSWORD"));
        step("empty", pool, "ok", 0, 0);
        List<Connection> held = new ArrayList<>();
        held.add(pool.getConnection());
        step("partly used", pool, "ok", 1, 0);
        held.add(pool.getConnection());
        step("full", pool, "full", 2, 0);

        CompletableFuture<Connection> waiter = CompletableFuture.supplyAsync(() -> {
            try {
                return pool.getConnection();
            } catch (SQLException error) {
                throw new RuntimeException(error);
            }
        });
        step("waiting", pool, "exhausted", 2, 1);

        held.remove(0).close();
        held.add(waiter.get());
        step("handed over", pool, "full", 2, 0);

        boolean naive;
        try {
            mapper.writeValueAsString(pool.getHikariPoolMXBean());
            naive = true;
        } catch (Exception error) {
            naive = false;
        }
        check("Jackson on the bean's own class fails", !naive, "");

        while (!held.isEmpty())
            held.remove(0).close();
        step("returned", pool, "ok", 0, 0);
        pool.close();
        until("closed", () -> count("connections") == 0);
        equal("closed: the server counts the pool's connections", count("connections"), 0);

        // a pool's timeout cannot change while it lives
        HikariConfig again = new HikariConfig();
        pool.copyStateTo(again);
        again.setConnectionTimeout(250);
        again.setMinimumIdle(2);
        HikariDataSource hasty = new HikariDataSource(again);
        until("hasty: both are open", () -> hasty.getHikariPoolMXBean().getIdleConnections() == 2);
        hasty.setMinimumIdle(1);
        held.add(hasty.getConnection());
        held.add(hasty.getConnection());
        try {
            hasty.getConnection();
            check("timed out: the library says so", false, "");
        } catch (SQLTransientConnectionException error) {
            check("timed out: the library says so", true, "");
        }
        step("timed out", hasty, "full", 2, 0);
        hasty.close();
        System.exit(failures > 0 ? 1 : 0);
    }
}
