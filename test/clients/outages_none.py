"""Healthy applications, each with a real pool, that look like the outages of
outages.py: with rules as impatient as there, none of them is told of.  What
takes hours elsewhere takes many times stale_after here."""

import os
import subprocess
import sys
import threading

import psycopg2
import psycopg2.pool
import sqlalchemy
from psycopg_pool import ConnectionPool
from sqlalchemy import text

from common import (Bouncer, Reporter, Server, check, connect, done, label,
                    pgpool_stats, until)

EVERY = 0.2
PASSES = 60         # of the collector, that all of it goes on for at least



def deployed_program():
    """A process of an application that is replaced by newer ones"""
    engine = sqlalchemy.create_engine("postgresql+psycopg2://app@/",
                                      pool_size=2, max_overflow=0)
    pgpool_stats.watch(engine, "rolling", every=EVERY)

    def use():
        while not over.is_set():
            with engine.begin() as conn:
                conn.execute(text("SELECT pg_sleep(0.005)"))
            used.set()
    over, used = threading.Event(), threading.Event()
    thread = threading.Thread(target=use)
    thread.start()
    used.wait()
    print("ready", flush=True)
    sys.stdin.read()
    over.set()
    thread.join()
    engine.dispose()


if len(sys.argv) > 1:
    deployed_program()
    sys.exit(0)

sockets = os.path.join(os.environ["TESTDIR"], "healthy")
server = Server(
    "healthy", max_connections=80, autovacuum="off",
    pgpool_stats__poolers=Bouncer.setting(sockets) if Bouncer.program else "",
    pgpool_stats__poll_interval="200ms",
    pgpool_stats__stale_after="1s",
    # a machine that stands still for a moment holds connections for as long
    pgpool_stats__alert_rules="*: for 2s; refused: for 1min;"
    " logins_rejected: for 1min; sessions_lost: for 1min;"
    " no_pooling: for 1min; mean_wait: for 1min; errors_increasing: for 1min; timeouts: for 1min; unclaimed: for 5s")
bouncer = Bouncer(server, 3) if Bouncer.program else None
admin = Reporter("postgres")
admin.conn.cursor().execute(
    "CREATE TABLE stock AS SELECT i FROM generate_series(1, 1000) i;"
    "GRANT ALL ON stock TO app")
stop = threading.Event()
errors = []
rounds = {}


def watched_engine(name, size, overflow=0, **more):
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg2://app@/", pool_size=size, max_overflow=overflow,
        **more)
    pgpool_stats.watch(engine, name, every=EVERY)
    return engine


def watched_psycopg(name, min_size, max_size, **more):
    pool = ConnectionPool("user=app", min_size=min_size, max_size=max_size,
                          open=False, **more)
    pgpool_stats.watch(pool, name, every=EVERY)
    pool.open()
    pool.wait(timeout=60)
    return pool


def busy():
    """Most of it is used, never all"""
    pool = psycopg2.pool.ThreadedConnectionPool(4, 4, user="app")
    pgpool_stats.watch(pool, "busy", every=EVERY)

    def use():
        conn = pool.getconn()
        conn.cursor().execute("SELECT pg_sleep(0.01)")
        conn.commit()
        pool.putconn(conn)
    return [use] * 3


def night():
    """Idle; it was used in the evening"""
    engine = watched_engine("night", 5)
    held = [engine.connect() for _ in range(5)]
    for conn in held:
        conn.execute(text("SELECT 1"))
        conn.close()
    return [lambda: stop.wait(0.1)]


def batch():
    """One long transaction, which is what it is for"""
    engine = watched_engine("batch", 3)

    def use():
        with engine.begin() as conn:
            for _ in range(50):
                conn.execute(text("SELECT pg_sleep(0.02)"))
                if stop.is_set():
                    break
    return [use]


def short_lived():
    """A process for each task: it connects, works, says goodbye."""
    def use():
        conn = connect("app", label("task", "task:%d" % rounds["short_lived"]))
        cur = conn.cursor()
        for _ in range(3):
            cur.execute("SELECT 1")
        conn.close()
        stop.wait(0.2)
    return [use]


def listens():
    """A connection that waits for notifications, outside of any pool's rules"""
    conn = connect("app", label("listener", "listener:1"))
    conn.cursor().execute("LISTEN news")
    return [lambda: (conn.poll(), stop.wait(0.1))]


def cursor():
    """A client that reads slowly, but reads"""
    engine = watched_engine("export", 2)

    def use():
        with engine.connect().execution_options(
                stream_results=True, max_row_buffer=10) as conn:
            for _ in conn.execute(text("SELECT * FROM stock")):
                if stop.wait(0.005):
                    break
    return [use]


def one():
    """A pool of one that is busy"""
    pool = psycopg2.pool.ThreadedConnectionPool(1, 1, user="app")
    pgpool_stats.watch(pool, "one", every=EVERY)

    def use():
        conn = pool.getconn()
        conn.cursor().execute("SELECT pg_sleep(0.02)")
        conn.commit()
        pool.putconn(conn)
    return [use]


def fixed():
    """psycopg_pool with min = max, all of it open, some of it used"""
    pool = watched_psycopg("fixed", 4, 4)

    def use():
        with pool.connection() as conn:
            conn.execute("SELECT pg_sleep(0.01)")
    return [use] * 2


def scaled():
    """psycopg_pool that grows and shrinks"""
    pool = watched_psycopg("scaled", 1, 8, max_idle=0.5)

    def use():
        for n in (1, 6):
            held = [pool.getconn() for _ in range(n)]
            for conn in held * 10:
                conn.execute("SELECT 1")
                conn.commit()
            for conn in held:
                pool.putconn(conn)
            stop.wait(0.5)
    return [use]


def recycled():
    """Connections are replaced when they are old."""
    pool = watched_psycopg("recycled", 2, 4, max_lifetime=1)

    def use():
        with pool.connection() as conn:
            conn.execute("SELECT pg_sleep(0.005)")
    return [use] * 2


def bounced():
    """Through a PgBouncer in transaction mode that has enough connections"""
    if bouncer is None:
        print("# pgbouncer is not installed")
        return []
    pool = ConnectionPool("user=app port=%d" % Bouncer.port, min_size=4,
                          max_size=4, open=False,
                          kwargs={"prepare_threshold": None})
    pgpool_stats.watch(pool, "bounced", every=EVERY)
    pool.open()
    pool.wait(timeout=60)

    def use():
        with pool.connection() as conn:
            conn.execute("SELECT pg_sleep(0.005)")
    return [use] * 2


def rolling():
    """Two processes; a new one comes, then the oldest one goes."""
    running = []

    def use():
        process = subprocess.Popen([sys.executable, __file__, "deployed"],
                                   stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        running.append(process)
        process.stdout.readline()
        if len(running) > 2:
            oldest = running.pop(0)
            oldest.stdin.close()
            oldest.wait()
        stop.wait(0.5)
        while stop.is_set() and running:
            last = running.pop()
            last.stdin.close()
            last.wait()
    return [use]


def again(name, use):
    while not stop.is_set():
        try:
            use()
        except Exception as error:
            errors.append((name, repr(error)))
            return
        rounds[name] += 1


threads = []
for workload in (busy, night, batch, short_lived, listens, cursor, one, fixed,
                 scaled, recycled, bounced, rolling):
    name = workload.__name__
    for use in workload():
        rounds[name] = 0
        threads.append(threading.Thread(target=again, args=(name, use),
                                        daemon=True))
for thread in threads:
    thread.start()


def passes():
    admin.one("SELECT pg_stat_clear_snapshot()")
    return admin.one("SELECT last_pass FROM pgpool_stats.info")


seen = set()
until("%d passes" % PASSES, lambda: seen.add(passes()) or len(seen) > PASSES)
until("each has done its work", lambda: errors or all(
    n > 2 for n in rounds.values()))
told = admin.rows("SELECT rule, pool, message FROM pgpool_stats.incidents")
check("nothing is told of what is healthy", not told, told)
check("all of them went on", not errors, errors)
stop.set()
for thread in threads:
    thread.join(60)
done()
