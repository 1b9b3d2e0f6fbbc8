// An application with a pool, told what to do by watched.py.

import com.zaxxer.hikari.HikariDataSource;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import pgpoolstats.PgpoolStats;

public class hikari {
    static final String URL = "jdbc:postgresql://127.0.0.1:" + System.getenv("PGPORT") + "/"
        + System.getenv("PGDATABASE");
    static final String USER = System.getenv("PGUSER");
    static final String PASSWORD = System.getenv("PGPASSWORD");

    static HikariDataSource open() {
        HikariDataSource pool = new HikariDataSource();
        pool.setJdbcUrl(URL);
        pool.setUsername(USER);
        pool.setPassword(PASSWORD);
        pool.setDriverClassName("org.postgresql.Driver");
        pool.setMinimumIdle(0);
        pool.setMaximumPoolSize(2);
        pool.setConnectionTimeout(3000);
        return pool;
    }

    public static void main(String[] args) throws Exception {
        HikariDataSource pool = open();
        // docs: begin hikaricp
        PgpoolStats.watch(pool, "hikari");
        // docs: end

        List<Connection> held = new ArrayList<>();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            try {
                switch (line) {
                    case "take":
                        held.add(pool.getConnection());
                        break;
                    case "give":
                        held.remove(held.size() - 1).close();
                        break;
                    case "work":
                        try (Connection conn = pool.getConnection(); Statement statement = conn.createStatement()) {
                            statement.execute("SELECT 1");
                        }
                        break;
                    case "end":
                        pool.close();
                        break;
                }
                System.out.println("done");
            } catch (Exception error) {
                System.out.println("failed: " + error);
            }
        }
    }
}
