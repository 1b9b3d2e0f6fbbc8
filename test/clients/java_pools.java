// Pools of Java, watched: their label, their own figures, and goodbye.

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import javax.sql.DataSource;

public class java_pools {
    static final String url = "jdbc:postgresql://127.0.0.1:" + System.getenv("PGPORT") + "/"
        + System.getenv("PGDATABASE") + "?options=-c%20work_mem=5MB";
    static final String USER = "app";
    static final String PASSWORD = System.getenv("PGPASSWORD");
    static Connection admin;
    static int failures = 0;

    static void equal(String name, Object got, Object expected) {
        if (!expected.equals(got))
            failures++;
        System.out.println(expected.equals(got) ? "ok - " + name
            : "not ok - " + name + ": got " + got + ", expected " + expected);
    }

    static DataSource tomcat() {
        org.apache.tomcat.jdbc.pool.DataSource pool = new org.apache.tomcat.jdbc.pool.DataSource();
        pool.setUrl(url);
        pool.setUsername(USER);
        pool.setPassword(PASSWORD);
        pool.setDriverClassName("org.postgresql.Driver");
        pool.setInitialSize(0);
        pool.setMinIdle(0);
        pool.setMaxActive(2);
        pool.setMaxWait(3000);
        pool.setTestOnBorrow(true);
        pool.setValidationQuery("SELECT 1");
        pool.setValidationInterval(0);
        return pool;
    }

    static DataSource dbcp2() {
        org.apache.commons.dbcp2.BasicDataSource pool = new org.apache.commons.dbcp2.BasicDataSource();
        pool.setUrl(url);
        pool.setUsername(USER);
        pool.setPassword(PASSWORD);
        pool.setMaxTotal(2);
        pool.setMaxWaitMillis(3000);
        return pool;
    }

    static DataSource c3p0() throws Exception {
        com.mchange.v2.c3p0.ComboPooledDataSource pool = new com.mchange.v2.c3p0.ComboPooledDataSource();
        pool.setJdbcUrl(url);
        pool.setUser(USER);
        pool.setPassword(PASSWORD);
        pool.setDriverClass("org.postgresql.Driver");
        pool.setInitialPoolSize(1);
        pool.setMinPoolSize(1);
        pool.setMaxPoolSize(2);
        pool.setAcquireIncrement(1);
        pool.setAcquireRetryAttempts(2);
        pool.setAcquireRetryDelay(100);
        pool.setCheckoutTimeout(3000);
        pool.setTestConnectionOnCheckout(true);
        return pool;
    }

    static String one(String query, String... values) throws Exception {
        try (PreparedStatement statement = admin.prepareStatement(query)) {
            for (int i = 0; i < values.length; i++)
                statement.setString(i + 1, values[i]);
            ResultSet rows = statement.executeQuery();
            return rows.next() ? rows.getString(1) : "no row";
        }
    }

    static String row(String name) throws Exception {
        return one("SELECT concat_ws(' ', dialect, connections, open, checked_out, max_size) FROM"
            + " pgpool_stats.instances WHERE pool = ? AND instance ~ (':' || ? || '$')", name,
            String.valueOf(ProcessHandle.current().pid()));
    }

    static void shows(String step, String name, String expected) throws Exception {
        for (int i = 0; i < 6000 && !row(name).equals(expected); i++)
            Thread.sleep(50);
        equal(name + ": " + step, row(name), expected);
    }

    static void watched(String name, String dialect, DataSource pool) throws Exception {
        pgpoolstats.PgpoolStats.watch(pool, name);
        List<Connection> held = new ArrayList<>();
        held.add(pool.getConnection());
        held.add(pool.getConnection());
        ResultSet settings = held.get(0).createStatement().executeQuery("SELECT current_setting('work_mem')");
        settings.next();
        equal(name + ": its own options stay", settings.getString(1), "5MB");
        equal(name + ": the URL of its connections", held.get(0).getMetaData().getURL().startsWith("jdbc:postgresql:"),
            true);
        shows("full", name, dialect + " 2 2 2 2");
        for (Connection conn : held)
            conn.close();
        shows("given back", name, dialect + " 2 2 0 2");
        pool.getClass().getMethod("close").invoke(pool);
        shows("closed: forgotten", name, "no row");
    }

    /** Pools that connect alike share a connection for their reports. */
    static void inOne(int number) throws Exception {
        String many = "FROM pgpool_stats.instances WHERE pool ~ '^javamany' AND last_report IS NOT NULL";
        String connects = "SELECT sum(connects) FROM pgpool_stats.pools WHERE pool = 'reports'";
        List<DataSource> pools = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            DataSource pool = dbcp2();
            pgpoolstats.PgpoolStats.watch(pool, "javamany" + i);
            pool.getConnection().close();
            pools.add(pool);
        }
        admin.createStatement().execute("CREATE TEMP TABLE seen (pool text, at timestamptz, UNIQUE (pool, at))");
        long before = 0;
        for (int times : new int[] {1, 5}) {
            for (int i = 0; i < 6000; i++) {
                admin.createStatement().execute("INSERT INTO seen SELECT pool, last_report " + many
                    + " ON CONFLICT DO NOTHING");
                if (one("SELECT count(*) = " + number + " AND min(n) > " + times
                        + " FROM (SELECT count(*) AS n FROM seen GROUP BY pool) AS s").equals("t"))
                    break;
                Thread.sleep(50);
            }
            if (times == 1) {
                before = Long.parseLong(one(connects));
                admin.createStatement().execute("TRUNCATE seen");
            }
        }
        equal(number + " pools report 5 times, and do not connect " + number * 5 + " times",
            Long.parseLong(one(connects)) - before < number * 2.5, true);
    }

    public static void main(String[] args) throws Exception {
        Properties login = new Properties();
        login.setProperty("user", USER);
        login.setProperty("password", PASSWORD);
        login.setProperty("options", "-c pgpool_stats.pool=reporter");
        admin = DriverManager.getConnection(url.replaceAll("[?].*", ""), login);
        watched("tomcat", "tomcat_jdbc", tomcat());
        watched("dbcp2", "dbcp2", dbcp2());
        inOne(6);
        watched("c3p0", "c3p0", c3p0());
        System.exit(failures > 0 ? 1 : 0);
    }
}
