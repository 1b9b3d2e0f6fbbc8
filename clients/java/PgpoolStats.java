package pgpoolstats;

import java.lang.management.ManagementFactory;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.net.URLDecoder;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.DriverPropertyInfo;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.logging.Logger;

/**
 * Tells a PostgreSQL server with pgpool_stats of a pool in this process.
 *
 * <pre>
 *   PgpoolStats.watch(pool, "orders");      // before the pool connects
 * </pre>
 *
 * "pool" is a HikariDataSource made without arguments (as Spring does), Tomcat's
 * org.apache.tomcat.jdbc.pool.DataSource, a BasicDataSource of DBCP 2, or a
 * ComboPooledDataSource of c3p0, with a URL jdbc:postgresql: of pgjdbc.  This
 * one class is all; it knows the pools by the names of their methods.
 *
 * <ul>
 * <li>New connections carry the label "orders" and host:pid of the process, added
 *   to what stands in "options".  To that end the pool's URL becomes
 *   jdbc:pgpool_stats:...; that of its connections stays what it was.  The first one
 *   waits, at most 1 s, until a connection of ours has shown that the server takes
 *   the label (a PgBouncer may not): if it does not, they go without, which is said
 *   once.
 * <li>From the first connection on, a report about every 10 s, or 30 s while nothing
 *   changes, by one daemon thread for all pools.  It has a short connection of its
 *   own, with the pool's URL and its login of that moment, labelled "reports",
 *   ApplicationName "watch orders", connectTimeout and socketTimeout of 5 s.  Pools
 *   that connect alike share it.  It never goes through the pool and sends no SET.
 * <li>A URL of several hosts is told as such: then a server does not expect to have all
 *   connections of the pool.
 * <li>When a report fails, the next ones come more rarely, up to once a minute.  The
 *   first failure is logged, and the first report that succeeds again, by
 *   java.util.logging's logger "pgpool_stats".
 * <li>Without the extension on the server it is silent and asks again every five
 *   minutes.
 * <li>When the JVM ends it says goodbye, within 1 s; not if the last report failed.
 *   For a pool that was closed before, at the next turn.
 * <li>Nothing of it is ever thrown into the application.
 * </ul>
 *
 * In the environment, PGPOOL_STATS_INSTANCE is in place of host:pid,
 * PGPOOL_STATS_EVERY in place of 10, PGPOOL_STATS_WAIT in place of 1; with PGPOOL_STATS_OFF=1 nothing is done.
 */
public final class PgpoolStats {
    private static final String PREFIX = "jdbc:pgpool_stats:";
    private static final Logger LOG = Logger.getLogger("pgpool_stats");

    private static final double EVERY = environment("PGPOOL_STATS_EVERY", 10);     // seconds
    private static final int TIMEOUT = 5;
    private static final double FIRST_WAIT = environment("PGPOOL_STATS_WAIT", 1);
    private static final int RETRY = 1;
    private static final double GOODBYE = FIRST_WAIT;
    private static final int QUIET = 3;         // times as long while nothing changes ...
    private static final int REFUSED = 6;       // ... at most while reports fail
    private static final int MISSING = 30;      // ... and without the extension

    private static final List<PgpoolStats> pools = new ArrayList<>();
    private static ScheduledExecutorService timer;
    private static double jitter = 1;       // processes are not to report in step
    private static volatile boolean ending;

    private final Object pool;
    private final Object leaving = new Object();
    private final String name;
    private final String url;
    private final String instance;
    private volatile Properties login = new Properties();
    private volatile String key;            // the same for pools that connect alike
    private volatile Boolean accepted;      // does the server take the label?
    private CountDownLatch asked;           // while a first answer is waited for
    private long askedAt = Long.MIN_VALUE;
    private volatile long due;
    private long sentAt;
    private volatile boolean started;
    private boolean made;
    private volatile boolean stopped;
    private int failures;
    private volatile boolean reported;
    private String last;
    private boolean seen;
    private int unseen;

    /** Watch a pool that has not connected yet. */
    public static void watch(Object pool, String name) {
        if ("1".equals(System.getenv("PGPOOL_STATS_OFF")))
            return;
        try {
            synchronized (pools) {
                PgpoolStats watched = new PgpoolStats(pool, name);
                if (pools.isEmpty()) {
                    DriverManager.registerDriver(new Driver());
                    Runtime.getRuntime().addShutdownHook(new Thread(PgpoolStats::goodbye));
                }
                pools.add(watched);
                String own = PREFIX + (pools.size() - 1) + watched.url.substring("jdbc".length());
                if (call(pool, "setJdbcUrl", own) == MISSING_METHOD)
                    call(pool, "setUrl", own);
                if (get(pool, "getDriverClassName") != null)
                    call(pool, "setDriverClassName", Driver.class.getName());
            }
        } catch (Exception error) {
            LOG.warning("pgpool_stats: cannot watch pool " + name + ": " + text(error));
        }
    }

    private PgpoolStats(Object pool, String name) throws Exception {
        Object url = first(pool, "getJdbcUrl", "getUrl");
        if (url == null || !url.toString().startsWith("jdbc:postgresql:"))
            throw new IllegalArgumentException("it has no URL jdbc:postgresql:");
        String base = System.getenv("PGPOOL_STATS_INSTANCE");
        if (base == null || base.isEmpty())
            base = host() + ":" + pid();
        String free = base;
        for (int i = 2; taken(name, free); i++)
            free = base + "/" + i;
        this.pool = pool;
        this.name = name;
        this.url = url.toString();
        this.instance = free;
    }

    private static boolean taken(String name, String instance) {
        for (PgpoolStats other : pools)
            if (other != null && other.name.equals(name) && other.instance.equals(instance))
                return true;
        return false;
    }

    /** Opens the connections of watched pools.  For DriverManager and the pools. */
    public static final class Driver implements java.sql.Driver {
        @Override
        public boolean acceptsURL(String url) {
            return url != null && url.startsWith(PREFIX);
        }

        @Override
        public Connection connect(String url, Properties properties) throws SQLException {
            if (!acceptsURL(url))
                return null;
            String rest = url.substring(PREFIX.length());
            PgpoolStats watched;
            synchronized (pools) {
                watched = pools.get(Integer.parseInt(rest.substring(0, rest.indexOf(':'))));
            }
            return watched.connect(properties);
        }

        @Override
        public DriverPropertyInfo[] getPropertyInfo(String url, Properties properties) {
            return new DriverPropertyInfo[0];
        }

        @Override
        public int getMajorVersion() {
            return 1;
        }

        @Override
        public int getMinorVersion() {
            return 0;
        }

        @Override
        public boolean jdbcCompliant() {
            return false;
        }

        @Override
        public Logger getParentLogger() {
            return LOG;
        }
    }

    /** One of the pool's connections */
    private Connection connect(Properties properties) throws SQLException {
        login = properties;
        connecting();
        if (accepted != Boolean.TRUE)
            return open(properties, null);
        try {
            return open(properties, "-c pgpool_stats.pool=" + escape(name)
                + " -c pgpool_stats.instance=" + escape(instance));
        } catch (SQLException error) {
            isRefused(error);
            throw error;
        }
    }

    /** With the URL and login of the pool; "more" is added to its options. */
    private Connection open(Properties properties, String more, String... others) throws SQLException {
        Properties all = new Properties();
        for (String key : properties.stringPropertyNames())
            all.setProperty(key, properties.getProperty(key));
        String bare = url;
        // what stands in the URL would win
        if (more != null) {
            String there = inUrl(url, "options");
            if (there == null)
                there = all.getProperty("options");
            bare = without(bare, "options");
            all.setProperty("options", there == null || there.isEmpty() ? more : there + " " + more);
        }
        for (int i = 0; i < others.length; i += 2) {
            bare = without(bare, others[i]);
            all.setProperty(others[i], others[i + 1]);
        }
        return DriverManager.getDriver(bare).connect(bare, all);
    }

    private static String inUrl(String url, String key) {
        int begin = url.indexOf('?');
        if (begin >= 0)
            for (String pair : url.substring(begin + 1).split("&"))
                if (pair.startsWith(key + "="))
                    try {
                        return URLDecoder.decode(pair.substring(key.length() + 1), "UTF-8");
                    } catch (Exception error) {
                        return null;
                    }
        return null;
    }

    private static String without(String url, String key) {
        int begin = url.indexOf('?');
        if (begin < 0)
            return url;
        StringBuilder rest = new StringBuilder();
        for (String pair : url.substring(begin + 1).split("&"))
            if (!pair.startsWith(key + "="))
                rest.append(rest.length() == 0 ? "?" : "&").append(pair);
        return url.substring(0, begin) + rest;
    }

    /** The pool opens a connection: it waits a moment for the first answer. */
    private void connecting() {
        CountDownLatch answer;
        synchronized (this) {
            synchronized (pools) {
                if (timer == null) {
                    timer = Executors.newSingleThreadScheduledExecutor(task -> {
                        Thread thread = new Thread(task, "pgpool_stats");
                        thread.setDaemon(true);
                        return thread;
                    });
                    timer.schedule(PgpoolStats::pass, seconds(EVERY), TimeUnit.NANOSECONDS);
                }
            }
            if (!started) {
                started = true;
                next(EVERY);
            }
            long now = System.nanoTime();
            if (accepted == null && asked == null
                && (askedAt == Long.MIN_VALUE || now - askedAt > seconds(RETRY))) {
                askedAt = now;
                asked = new CountDownLatch(1);
                timer.execute(this::turn);
            }
            answer = asked;
        }
        if (answer != null)
            try {
                answer.await(seconds(FIRST_WAIT), TimeUnit.NANOSECONDS);
            } catch (InterruptedException error) {
                Thread.currentThread().interrupt();
            }
    }

    private synchronized void answered(Boolean yes) {
        if (accepted == null)
            accepted = yes;
        if (asked != null)
            asked.countDown();
        asked = null;
    }

    private boolean isRefused(Exception error) {
        if (accepted == Boolean.FALSE || !text(error).contains("unsupported startup parameter"))
            return false;
        accepted = false;
        LOG.warning("pgpool_stats: connections of pool " + name + " get no label: " + text(error));
        return true;
    }

    /** Every pool that is due, and when the next one is */
    private static void pass() {
        jitter = 0.7 + 0.6 * ThreadLocalRandom.current().nextDouble();
        long now = System.nanoTime();
        long next = seconds(EVERY);
        for (PgpoolStats each : living()) {
            // those that are due soon go along
            if (each.started && each.due - now < seconds(EVERY * 0.15))
                each.turn();
            if (each.started)
                next = Math.min(next, each.due - System.nanoTime());
        }
        timer.schedule(PgpoolStats::pass, Math.max(next, 0), TimeUnit.NANOSECONDS);
    }

    private static List<PgpoolStats> living() {
        List<PgpoolStats> living = new ArrayList<>();
        synchronized (pools) {
            for (PgpoolStats each : pools)
                if (!each.stopped)
                    living.add(each);
        }
        return living;
    }

    private void next(double after) {
        due = System.nanoTime() + seconds(after * jitter);
    }

    private boolean isQuiet() {
        return last != null && System.nanoTime() - sentAt < seconds(EVERY * QUIET * 0.95)
            && last.equals(figures().toString());
    }

    /** A pool that is being made holds a lock and waits for us: it is not asked. */
    private boolean isClosed() {
        if (accepted == null)
            return false;
        // that of Tomcat is null then; to ask it for anything would open it again
        if (field(pool, "pool") != null)
            made = true;
        else if (made)
            return true;
        return Boolean.TRUE.equals(first(pool, "isClosed")) || Boolean.TRUE.equals(field(pool, "is_closed"));
    }

    /** Report, if there is anything new, for all pools that connect alike. */
    private void turn() {
        List<PgpoolStats> group = new ArrayList<>();
        group.add(this);
        try {
            if (ending)
                return;
            // a pool that is gone says no more
            if (isClosed()) {
                stopped = true;
                forget();
                return;
            }
            if (isQuiet()) {
                next(EVERY);
                return;
            }
            for (PgpoolStats each : living())
                if (each != this && key != null && key.equals(each.key) && accepted == each.accepted
                    && !each.isClosed())
                    group.add(each);
            boolean there;
            try {
                there = report(group);
            } catch (SQLException error) {
                if (!isRefused(error))
                    throw error;
                there = report(group);
            }
            for (PgpoolStats each : group)
                each.succeeded(there);
        } catch (Throwable error) {
            for (PgpoolStats each : group)
                each.failed(error);
        } finally {
            answered(null);
        }
    }

    private void succeeded(boolean there) {
        if (failures > 0)
            LOG.warning("pgpool_stats: pool " + name + " is reported again");
        failures = 0;
        reported = there;
        next(there ? EVERY : EVERY * MISSING);
    }

    private void failed(Throwable error) {
        if (failures++ == 0)
            LOG.warning("pgpool_stats: cannot report pool " + name + ": " + text(error));
        reported = false;
        last = null;
        next(EVERY * Math.min(1 << Math.min(failures - 1, 10), REFUSED));
    }

    /** How many servers its connections may be on */
    private int hosts() {
        int begin = url.indexOf("//");
        return begin < 0 ? 1 : url.substring(begin + 2).split("[/?]", 2)[0].split(",").length;
    }

    /** The login that the pool has now */
    private Properties login() {
        Properties now = new Properties();
        for (String key : login.stringPropertyNames())
            now.setProperty(key, login.getProperty(key));
        Object tomcat = first(pool, "getPoolProperties");   // its pool hides the password
        Object bean = tomcat == null ? pool : tomcat;
        Object user = first(bean, "getUsername", "getUser");
        Object password = first(bean, "getPassword");
        if (user != null)
            now.setProperty("user", user.toString());
        if (password != null)
            now.setProperty("password", password.toString());
        return now;
    }

    /** A connection of our own */
    private Connection own(int limit) throws SQLException {
        String seconds = String.valueOf(limit);
        Properties login = login();
        key = url + "\n" + login.getProperty("user") + "\n" + login.getProperty("options");
        return open(login, accepted == Boolean.FALSE ? null : "-c pgpool_stats.pool=reports",
            "ApplicationName", "watch " + name,
            // sends it at the start, and not by SET
            "assumeMinServerVersion", "9.0", "connectTimeout", seconds, "socketTimeout", seconds,
            "loginTimeout", seconds);
    }

    private boolean report(List<PgpoolStats> group) throws Exception {
        try (Connection own = own(TIMEOUT)) {
            boolean there = ask(own, "SELECT to_regprocedure('pgpool_stats.report(text,jsonb,text)') IS NOT NULL");
            // the pool may wait for this while it is being made, and tell nothing before
            answered(true);
            if (there)
                for (PgpoolStats each : group)
                    if (!ending && !each.isClosed())
                        each.report(own);
            return there;
        }
    }

    private void report(Connection own) throws Exception {
        Map<String, Object> figures = figures();
        last = figures.toString();
        StringBuilder document = new StringBuilder("{\"host\": \"" + host() + "\", \"pid\": " + pid()
            + ", \"every\": " + EVERY * QUIET + ", \"hosts\": " + hosts());
        for (Map.Entry<String, Object> figure : figures.entrySet())
            document.append(", \"" + figure.getKey() + "\": " + figure.getValue());
        ask(own, "SELECT pgpool_stats.report(?, CAST(? AS jsonb), ?)", name, document + "}", instance);
        sentAt = System.nanoTime();
        if (accepted == Boolean.TRUE && !seen && hosts() == 1 && open(figures) > 0)
            look(own);
    }

    /** Do the connections carry the label?  Told once, if two reports did not find it. */
    private void look(Connection own) throws SQLException {
        boolean labelled = ask(own, "SELECT coalesce(bool_or(connections > 0 OR via IS NOT NULL), false)"
            + " FROM pgpool_stats.instances WHERE pool = ? AND instance = ?", name, instance);
        seen = labelled || ++unseen == 2;
        if (seen && !labelled)
            LOG.warning("pgpool_stats: pool " + name + " has open connections, and the server sees none with"
                + " the label pgpool_stats.pool=" + name + ": watch it before it connects");
    }

    private static boolean ask(Connection own, String query, String... values) throws SQLException {
        try (PreparedStatement statement = own.prepareStatement(query)) {
            for (int i = 0; i < values.length; i++)
                statement.setString(i + 1, values[i]);
            try (ResultSet answer = statement.executeQuery()) {
                return answer.next() && answer.getBoolean(1);
            }
        }
    }

    /** Goodbye; at the end of the JVM it may have begun just now. */
    private void forget() {
        synchronized (leaving) {
            if (!reported)
                return;
            reported = false;
            try (Connection own = own((int) Math.ceil(GOODBYE))) {
                ask(own, "SELECT pgpool_stats.forget(?, ?)", name, instance);
            } catch (Throwable error) {
                // its row stays until the server forgets it
            }
        }
    }

    private static void goodbye() {
        List<Thread> all = new ArrayList<>();
        long end = System.nanoTime() + seconds(GOODBYE);
        ending = true;
        // a report that is on its way would bring a pool back
        CountDownLatch reported = new CountDownLatch(1);
        synchronized (pools) {
            if (timer == null)
                return;
            timer.execute(reported::countDown);
        }
        try {
            if (!reported.await(end - System.nanoTime(), TimeUnit.NANOSECONDS))
                return;
        } catch (InterruptedException error) {
            return;
        }
        synchronized (pools) {
            for (PgpoolStats each : pools) {
                Thread thread = new Thread(each::forget);
                thread.setDaemon(true);
                thread.start();
                all.add(thread);
            }
        }
        for (Thread thread : all)
            try {
                thread.join(Math.max(1, (end - System.nanoTime()) / 1000000));
            } catch (InterruptedException error) {
                return;
            }
    }

    // What the pools say, in their own words: beans of each, of which some are there

    private static final String[] BEANS = {
        // HikariCP
        "getActiveConnections", "getIdleConnections", "getTotalConnections", "getThreadsAwaitingConnection",
        "getMaximumPoolSize", "getMinimumIdle",
        // Tomcat JDBC
        "getActive", "getIdle", "getSize", "getWaitCount", "getBorrowedCount", "getReturnedCount", "getMaxActive",
        // DBCP 2
        "getNumActive", "getNumIdle", "getMaxTotal", "getMinIdle",
        // c3p0
        "getNumConnectionsDefaultUser", "getNumBusyConnectionsDefaultUser", "getNumIdleConnectionsDefaultUser",
        "getNumThreadsAwaitingCheckoutDefaultUser", "getMaxPoolSize", "getMinPoolSize"};

    private Map<String, Object> figures() {
        Map<String, Object> figures = new LinkedHashMap<>();
        take(figures, pool, BEANS);
        Object hikari = first(pool, "getHikariPoolMXBean");
        if (hikari != null)
            take(figures, hikari, BEANS);
        if (figures.containsKey("maxTotal")) {
            Object dbcp = first(pool, "getConnectionPool");
            if (dbcp != null)
                take(figures, dbcp, "getNumWaiters", "getBorrowedCount");
        }
        return figures;
    }

    private static void take(Map<String, Object> figures, Object bean, String... getters) {
        for (String getter : getters) {
            Object value = get(bean, getter);
            if (value instanceof Number)
                figures.put(Character.toLowerCase(getter.charAt(3)) + getter.substring(4), value);
        }
    }

    private static long open(Map<String, Object> figures) {
        long open = 0;
        for (String key : new String[] {"totalConnections", "size", "numActive", "numIdle",
                "numConnectionsDefaultUser"})
            if (figures.get(key) != null)
                open += ((Number) figures.get(key)).longValue();
        return open;
    }

    // Methods by their names

    private static final Object MISSING_METHOD = new Object();

    /** The value of the first getter that is there and does not throw */
    private static Object first(Object bean, String... getters) {
        for (String getter : getters) {
            Object value = get(bean, getter);
            if (value != null)
                return value;
        }
        return null;
    }

    private static Object get(Object bean, String getter) {
        try {
            Object value = call(bean, getter);
            return value == MISSING_METHOD ? null : value;
        } catch (Exception error) {
            return null;
        }
    }

    private static Object field(Object bean, String name) {
        for (Class<?> type = bean.getClass(); type != null; type = type.getSuperclass())
            try {
                Field field = type.getDeclaredField(name);
                field.setAccessible(true);
                return field.get(bean);
            } catch (Exception error) {
                continue;
            }
        return null;
    }

    private static Object call(Object bean, String name, Object... values) throws Exception {
        for (Class<?> type = bean.getClass(); type != null; type = type.getSuperclass())
            for (Method method : type.getDeclaredMethods())
                if (method.getName().equals(name) && method.getParameterCount() == values.length) {
                    method.setAccessible(true);
                    try {
                        return method.invoke(bean, values);
                    } catch (java.lang.reflect.InvocationTargetException error) {
                        throw error.getCause() instanceof Exception ? (Exception) error.getCause() : error;
                    }
                }
        return MISSING_METHOD;
    }

    private static String text(Throwable error) {
        return String.valueOf(error.getMessage() == null ? error : error.getMessage()).replaceAll("\\s+", " ");
    }

    private static String escape(String value) {
        return value.replaceAll("([\\\\\\s])", "\\\\$1");
    }

    private static long seconds(double n) {
        return (long) (n * 1e9);
    }

    private static double environment(String name, double otherwise) {
        try {
            double value = Double.parseDouble(System.getenv(name));
            return value > 0 ? value : otherwise;
        } catch (Exception error) {
            return otherwise;
        }
    }

    /** The name of this machine, also where nobody resolves it, which Java asks for. */
    private static String host() throws Exception {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException error) {
            return new String(Files.readAllBytes(Paths.get("/proc/sys/kernel/hostname"))).trim();
        }
    }

    private static String pid() {
        return ManagementFactory.getRuntimeMXBean().getName().split("@")[0];
    }
}
