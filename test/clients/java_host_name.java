// A pool is watched on a machine whose own name nobody resolves, as in a container.

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.ResultSet;
import java.util.Scanner;
import org.apache.commons.dbcp2.BasicDataSource;

public class java_host_name {
    static int failures = 0;

    static void equal(String name, Object got, Object expected) {
        if (!expected.equals(got))
            failures++;
        System.out.println(expected.equals(got) ? "ok - " + name
            : "not ok - " + name + ": got " + got + ", expected " + expected);
    }

    static boolean isResolved() {
        try {
            InetAddress.getLocalHost();
            return true;
        } catch (UnknownHostException error) {
            return false;
        }
    }

    public static void main(String[] args) throws Exception {
        System.setProperty("jdk.net.hosts.file", Files.createTempFile("hosts", "").toString());
        equal("nobody resolves the name", isResolved(), false);
        BasicDataSource pool = new BasicDataSource();
        pool.setUrl("jdbc:postgresql://127.0.0.1:" + System.getenv("PGPORT") + "/" + System.getenv("PGDATABASE"));
        pool.setUsername("app");
        pool.setPassword(System.getenv("PGPASSWORD"));
        pgpoolstats.PgpoolStats.watch(pool, "nameless");
        try (Connection conn = pool.getConnection()) {
            ResultSet rows = conn.createStatement().executeQuery("SELECT current_setting('pgpool_stats.instance', true)");
            rows.next();
            String name = new Scanner(new ProcessBuilder("uname", "-n").start().getInputStream()).next();
            equal("its connections have the machine's name and the pid", rows.getString(1),
                name + ":" + ProcessHandle.current().pid());
        }
        System.exit(failures > 0 ? 1 : 0);
    }
}
