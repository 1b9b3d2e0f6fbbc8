"""Outages, each staged with a real pool: the first alert names the pool, the
cause and the culprit, and the sentence is in incidents after a restart."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import psycopg2
import psycopg2.pool
import sqlalchemy
from psycopg_pool import ConnectionPool
from sqlalchemy import text

from common import (Bouncer, Reporter, Server, check, connect, done, equal, label,
                    pgpool_stats, until)

EVERY = 0.2
ME = "%s:%d" % (socket.gethostname(), os.getpid())


def watched_engine(name, size, role="app", **more):
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg2://%s@/shop" % role, pool_size=size,
        max_overflow=0, **more)
    pgpool_stats.watch(engine, name, every=EVERY)
    return engine


def watched_psycopg(name, size, conninfo="user=app", min_size=None):
    pool = ConnectionPool(conninfo, min_size=min_size or size, max_size=size,
                          open=False, kwargs={"prepare_threshold": None})
    pgpool_stats.watch(pool, name, every=EVERY)
    pool.open()
    pool.wait(timeout=60)
    return pool


def watched_psycopg2(name, size):
    pool = psycopg2.pool.ThreadedConnectionPool(1, size, user="app")
    pgpool_stats.watch(pool, name, every=EVERY)
    return pool


# ---------------------------------------------------------------------------
# Programs of their own: a process that forks, and one that dies


def fork_program():
    """The pool is older than the fork: the children use its connection."""
    engine = watched_engine("forked", 3, isolation_level="AUTOCOMMIT")

    def use():
        with engine.connect() as conn:
            conn.execute(text("SELECT 1"))
    use()
    for _ in range(2):
        if os.fork() == 0:
            use()
            sys.stdin.read()
            os._exit(0)
    sys.stdin.read()
    os._exit(0)


def client_program():
    pool = watched_psycopg2("frozen", 4)
    held = [pool.getconn() for _ in range(3)]
    for conn in held:
        conn.cursor().execute("SELECT 1")
        conn.commit()
    print("ready", flush=True)
    sys.stdin.read()


class Program:
    def __init__(self, *args):
        self.process = subprocess.Popen(
            [sys.executable, __file__, *args], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        self.me = "%s:%d" % (socket.gethostname(), self.pid)

    def end(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        self.process.wait()


if len(sys.argv) > 1:
    {"fork": fork_program, "client": client_program}[sys.argv[1]]()
    sys.exit(0)

sockets = os.path.join(os.environ["TESTDIR"], "outages")

RULES = "*: for 1s; %s; no_pooling: off; over_committed: off" % "; ".join(
    rule + ": for 1min" for rule in (
        "refused", "logins_rejected", "sessions_lost"))

SLOW = os.path.join(os.environ["TESTDIR"], "slow")
library = os.path.join(os.environ["TESTDIR"], "slow_disk.so")
subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "../preload/slow_disk.c"), "-ldl"], check=True)
os.environ.update(SLOW=SLOW, LD_PRELOAD=library)
server = Server(
    "outages", shared_buffers="1MB", hba="local all secret scram-sha-256\nlocal all all trust\n",
    max_connections=30, autovacuum="off",
    max_parallel_workers_per_gather=0, restart_after_crash="on",
    pgpool_stats__save_interval="1s", pgpool_stats__alert_rules=RULES,
    pgpool_stats__poll_interval="200ms",
    pgpool_stats__poolers=Bouncer.setting(sockets))
del os.environ["LD_PRELOAD"]

connect("postgres").cursor().execute("""
    CREATE ROLE small LOGIN;
    CREATE ROLE secret LOGIN PASSWORD 'old';
    CREATE TABLE stock AS SELECT i, 0 AS n FROM generate_series(1, 1000) i;
    GRANT ALL ON stock TO app;
    ALTER TABLE stock OWNER TO app;
    CHECKPOINT""")
admin = Reporter("postgres")
told = []


def execute(statement):
    admin.conn.cursor().execute(statement)


def set_to(**settings):
    for name, value in settings.items():
        execute("ALTER SYSTEM SET pgpool_stats.%s = '%s'" % (name, value))
    before = admin.one("SELECT clock_timestamp()")
    execute("SELECT pg_reload_conf()")
    until("reloaded settings", lambda: admin.one(
        "SELECT pg_conf_load_time() > %s AND last_pass > pg_conf_load_time()"
        " FROM pgpool_stats.info", before))


def in_thread(run, *args):
    """Whatever becomes of it, it does not end the program."""
    def runs():
        try:
            run(*args)
        except Exception as error:      # it was cancelled, or cut off
            ended.append(error)
    ended = []
    thread = threading.Thread(target=runs, daemon=True)
    thread.start()
    return thread


def activity(condition):
    return admin.one("SELECT count(*) FROM pg_stat_activity WHERE " + condition)


def is_culprit(told, expected):
    """By its name, or by what that looks like"""
    if hasattr(expected, "match"):
        return told is not None and expected.match(told)
    return told == expected


def first_alert(step, rules, message, cause, culprit, culprit_pid=None,
                do=lambda: None, where="pool = %s", subject=None):
    """Wait for an alert about the subject; it is right the first time."""
    began = time.monotonic()
    subject = [subject or step] if "%s" in where else []

    def rows():
        do()
        return admin.rows("SELECT * FROM pgpool_stats.alerts WHERE"
                          " state = 'firing' AND %s ORDER BY since" % where,
                          *subject)
    found = until(step + ": an alert", rows)
    if not found:
        return
    print("# %s: after %.1f s %s" % (step, time.monotonic() - began,
                                     [(r["rule"], r["message"]) for r in found]))
    row = found[0]
    check(step + ": the rule", row["rule"] in rules, row)
    check(step + ": the sentence", re.search(message, row["message"]), row)
    equal(step + ": the cause", row["cause"], cause)
    check(step + ": the culprit", is_culprit(row["culprit"], culprit), row)
    if culprit_pid:
        equal(step + ": its process", row["culprit_pid"], culprit_pid)
    told.append((step, row["rule"], where, subject, message, cause, culprit))


def is_over(step, where="pool = %s", subject=None):
    subject = [subject or step] if "%s" in where else []
    until(step + ": it is over", lambda: not admin.rows(
        "SELECT 1 FROM pgpool_stats.alerts WHERE state = 'firing' AND rule IN"
        " ('pool_full', 'pool_exhausted', 'callers_waiting') AND " + where,
        *subject))


# ---------------------------------------------------------------------------
# The outages


def lock_pile_up():
    """A report that was forgotten, a migration behind it, all others behind
    the migration"""
    pool = watched_psycopg("orders", 4)
    report = connect("app", label("analytics", "an-1"))
    report.autocommit = False
    report.cursor().execute("SELECT count(*) FROM stock")
    migration = connect("app", label("migrate", "mig-1"))
    threads = [in_thread(migration.cursor().execute,
                         "ALTER TABLE stock ADD price int")]
    until("the migration waits", lambda: activity("wait_event_type = 'Lock'") == 1)

    def order():
        with pool.connection(timeout=600) as conn:
            conn.execute("SELECT count(*) FROM stock")
    for n in range(5):
        threads.append(in_thread(order))
        until("orders wait", lambda: activity(
            "wait_event_type = 'Lock'") == min(n + 2, 5))
    first_alert("orders", ("pool_full", "pool_exhausted"),
                r"^orders on shop: .*: 4 wait for a lock of analytics an-1"
                r" \(pid %d\), idle in transaction for \d+ s; in between migrate"
                r" mig-1 \(pid %d\) asks for AccessExclusiveLock$" % (
                    report.info.backend_pid, migration.info.backend_pid),
                "lock", "analytics an-1", report.info.backend_pid)
    report.rollback()
    for thread in threads:
        thread.join()
    is_over("orders")
    pool.close()
    report.close()
    migration.close()


def application_holds():
    engine = watched_engine("billing", 3)
    held = [engine.connect() for _ in range(3)]
    for conn in held:
        conn.execute(text("SELECT count(*) FROM stock"))
    first_alert("billing", ("pool_full", "pool_exhausted"),
                r"^billing on shop: .*: all idle in transaction after query"
                r" -?\d+, the oldest for \d+ s, the application holds them$",
                "idle in transaction", "billing " + ME)
    while held:
        held.pop().close()
    is_over("billing")
    engine.dispose()


def slow_statement():
    pool = watched_psycopg2("search", 2)

    def search():
        conn = pool.getconn()
        try:
            conn.cursor().execute(
                "SELECT count(*) FROM stock a, stock b, stock c, stock d")
        finally:
            pool.putconn(conn, close=True)
    threads = [in_thread(search) for _ in range(2)]
    first_alert("search", ("pool_full", "pool_exhausted"),
                r"^search on shop: .*: 2 on a CPU or waiting for one \(of all"
                r" pools [\d.]+, on \d+ cores?\) in query -?\d+, the oldest"
                r" statement for \d+ s$", "cpu", "search " + ME)
    execute("SELECT pg_cancel_backend(pid) FROM pgpool_stats.connections"
            " WHERE pool = 'search'")
    for thread in threads:
        thread.join()
    is_over("search")
    pool.closeall()


def cold_reads():
    """A table that is larger than shared_buffers, on a slow disk"""
    execute("CREATE TABLE archive AS SELECT i, repeat('x', 1900) AS pad"
            " FROM generate_series(1, 30000) i; CREATE INDEX ON archive (i);"
            " GRANT ALL ON archive TO app; ANALYZE archive; CHECKPOINT")
    pool = watched_psycopg2("archive", 3)

    def read():
        conn = pool.getconn()
        try:
            conn.cursor().execute("""DO $$ DECLARE n int; BEGIN LOOP
                n := 1 + random() * 29999;
                PERFORM pad FROM archive WHERE i = n;
                END LOOP; END $$""")
        finally:
            pool.putconn(conn, close=True)
    open(SLOW, "w").close()
    threads = [in_thread(read) for _ in range(3)]
    first_alert("archive", ("pool_full", "pool_exhausted"),
                r"^archive on shop: .*: [123] reads? or writes?\b.*statement for"
                r" \d+ s", "io", "archive " + ME)
    execute("SELECT pg_terminate_backend(pid) FROM pgpool_stats.connections"
            " WHERE pool = 'archive'")
    os.remove(SLOW)
    for thread in threads:
        thread.join()
    is_over("archive")
    pool.closeall()


def leak():
    pool = watched_psycopg2("mailer", 3)
    forgotten = [pool.getconn() for _ in range(3)]
    for conn in forgotten:
        conn.cursor().execute("SELECT 1")
        conn.commit()
    until("all have been idle for long", lambda: admin.one(
        "SELECT count(*) = 3 FROM pgpool_stats.connections WHERE pool = 'mailer'"
        " AND state = 'idle' AND state_change < now() - interval '1 s'"))
    set_to(leak_after="1s")
    first_alert("mailer", ("pool_full", "pool_exhausted", "leak"),
                r"^mailer on shop: (.*: all lent but idle on the server, the"
                r" longest for \d+ s|at least 3 connections lent out and idle"
                r" on the server)$", "lent but idle", "mailer " + ME)
    while forgotten:
        pool.putconn(forgotten.pop())
    is_over("mailer")
    pool.closeall()
    set_to(leak_after="10min")


def role_limit():
    pool = watched_psycopg("small", 5, "user=small", min_size=1)

    def use():
        with pool.connection(timeout=600) as conn:
            conn.execute("SELECT 1")
            go_on.wait()
    go_on = threading.Event()
    threads = [in_thread(use) for _ in range(3)]
    until("three are used", lambda: admin.one(
        "SELECT sum(idle_in_xact) = 3 FROM pgpool_stats.pools WHERE pool = 'small'"))
    execute("ALTER ROLE small CONNECTION LIMIT 3")
    threads += [in_thread(use) for _ in range(2)]
    first_alert("small", ("connections", "refused", "callers_waiting"),
                r"^role small: (3 of 3 usable connections in use|\d+ connections?"
                r" rejected in the last \d+ \w+): small 3", "role full", "small",
                where="usename = %s AND pool IS NULL")
    go_on.set()
    for thread in threads:
        thread.join()
    pool.close()


def deploy_surge():
    """The new processes come before the old ones have gone."""
    def start():
        engine = watched_engine("checkout", 5)
        engines.append(engine)
        for _ in range(5):
            try:
                held.append(engine.connect())
            except sqlalchemy.exc.OperationalError:
                refused.append(engine)
    engines, held, refused = [], [], []
    for _ in range(6):
        start()
    check("checkout: the server is full", refused)
    first_alert("checkout", ("connections", "refused"),
                r"^server: (\d+ of 27 usable connections in use|\d+ connections?"
                r" rejected in the last \d+ \w+).*: checkout 2\d \(\d+ idle",
                "server full", "checkout",
                where="pool IS NULL AND datname IS NULL AND usename IS NULL")
    while held:
        held.pop().close()
    for engine in engines:
        engine.dispose()


def storm():
    """The server crashes; all that were connected come back at once."""
    engines = [watched_engine("storm", 4) for _ in range(3)]

    def use(engine):
        while not stop.is_set():
            try:
                with engine.begin() as conn:
                    conn.execute(text("SELECT pg_sleep(0.01)"))
            except sqlalchemy.exc.DBAPIError:
                pass
    stop = threading.Event()
    threads = [in_thread(use, engine) for engine in engines for _ in range(4)]
    until("a storm", lambda: activity("query ~ 'pg_sleep' AND usename = 'app'") == 12)
    saved = admin.one("SELECT clock_timestamp()")
    until("what was connected is saved", lambda: admin.one(
        "SELECT modification > %s + interval '1 s' FROM pg_stat_file("
        "'pg_stat_tmp/pgpool_stats.stat', true)", saved))
    victim = admin.one("SELECT pid FROM pgpool_stats.connections"
                       " WHERE pool = 'storm' LIMIT 1")
    os.kill(victim, signal.SIGKILL)

    def cut_off():
        try:
            return not admin.one("SELECT true")
        except psycopg2.Error:
            return True

    def back():
        global admin
        try:
            admin = Reporter("postgres")
            return admin.one("SELECT collector_pid IS NOT NULL"
                             " FROM pgpool_stats.info")
        except psycopg2.Error:
            return False
    until("the server ends everybody's connection", cut_off)
    until("the server is back", back)
    first_alert("storm", ("sessions_lost",),
                r"^storm on shop: \d+ of \d+ connections that ended in the last"
                r" \d+ \w+ were lost: crash, of which process is not known$",
                "crash", None)
    stop.set()
    for thread in threads:
        thread.join()
    for engine in engines:
        engine.dispose()


def fork():
    program = Program("fork")
    first_alert("forked", ("fork_sharing",),
                r"^forked on shop: [12] of [23] instances uses? the connection of"
                r" another process: %s:(\d+) that of %s$" % (
                    socket.gethostname(), program.me),
                "fork", re.compile(r"^forked %s:\d+ and %s$" % (
                    socket.gethostname(), program.me)))
    program.end()


def pooler_too_small():
    if Bouncer.program is None:
        print("# pgbouncer is not installed")
        return
    bouncer = Bouncer(server, 2)
    try:
        until("PgBouncer is polled", lambda: admin.one(
            "SELECT bool_or(reachable) FROM pgpool_stats.poolers"))
        pool = watched_psycopg("web", 6, "user=app port=%d" % Bouncer.port)

        def use():
            while not stop.is_set():
                with pool.connection(timeout=600) as conn:
                    conn.execute("SELECT pg_sleep(0.05)")
        stop = threading.Event()
        threads = [in_thread(use) for _ in range(8)]
        first_alert("web", ("pool_full", "pool_exhausted", "callers_waiting"),
                    r"^web on shop: .*: \d+ clients? (of .* )?waits? in pooler bouncer",
                    "pooler", "pooler bouncer")
        stop.set()
        for thread in threads:
            thread.join()
        pool.close()
    finally:
        bouncer.end()


def password_changed():
    engine = watched_engine("rotated", 3, "secret",
                            connect_args={"password": "old"})
    with engine.connect() as conn:
        conn.execute(text("SELECT 1"))
    execute("ALTER ROLE secret PASSWORD 'new'; SELECT pg_terminate_backend(pid)"
            " FROM pg_stat_activity WHERE usename = 'secret'")

    def use():
        try:
            with engine.connect() as conn:
                conn.execute(text("SELECT 1"))
        except sqlalchemy.exc.OperationalError:
            pass
    first_alert("rotated", ("logins_rejected",),
                r"^rotated on shop: \d+ logins rejected in the last \d+ \w+, most"
                r" by authentication; it has no connection$",
                "not connected", None, do=use)
    engine.dispose()


def half_open():
    """A process that is frozen is to the server as one that is cut off."""
    steady = [watched_engine("steady", 1) for _ in range(3)]
    for engine in steady:
        with engine.connect() as conn:
            conn.execute(text("SELECT 1"))
    program = Program("client")
    program.process.stdout.readline()
    until("it reports", lambda: admin.one(
        "SELECT sum(checked_out) = 3 FROM pgpool_stats.pools WHERE pool = 'frozen'"
        " AND reporting = 1"))
    os.kill(program.pid, signal.SIGSTOP)
    set_to(stale_after="3s")
    first_alert("frozen", ("lost",),
                r"^frozen on shop: 1 of 1 instance: no report and no statement for"
                r" \d+ s, holds 3 connections$", "lost",
                "frozen " + program.me)
    set_to(stale_after="3min")
    program.end()
    for engine in steady:
        engine.dispose()


def kept():
    """What is kept of all of it, by what was told"""
    for step, rule, where, subject, message, cause, culprit in told:
        found = admin.rows(
            "SELECT rule, pool, message, cause, culprit, culprit_pid"
            " FROM pgpool_stats.incidents WHERE rule = '%s' AND %s"
            " ORDER BY began DESC LIMIT 1" % (rule, where), *subject)
        row = dict(found[0]) if found else None
        check(step + ": it is kept as it was told", row and
              re.search(message, row["message"]) and row["cause"] == cause and
              is_culprit(row["culprit"], culprit), row)


stages = [storm, lock_pile_up, application_holds, slow_statement,
          cold_reads, leak, role_limit, deploy_surge, fork, pooler_too_small,
          password_changed, half_open]
for stage in stages:
    began = time.monotonic()
    stage()
    print("# %s took %.1f s" % (stage.__name__, time.monotonic() - began))
kept()
server.ctl("-m", "fast", "restart")
admin = Reporter("postgres")
kept()
done()
