"""psycopg_pool: the view shows what get_stats() says."""

import os
import socket
import threading

from psycopg import OperationalError
from psycopg_pool import ConnectionPool, NullConnectionPool, PoolTimeout

from common import (Reporter, check, done, equal, label, until)

reporter = Reporter()


def make_pool(kind, name, me, **options):
    return kind("user=app", open=True, name=name,
                kwargs={"options": label(name, me)}, **options)



def step(name, pool, me, status, connections, held, **more):
    """Report what the pool says; the row shows it.  A counter that it does
    not name is 0."""
    stats = pool.get_stats()
    check(name + ": has its row", reporter.report(pool.name, stats, me))
    limited = stats["pool_max"] > 0
    expected = {
        "dialect": "psycopg_pool",
        "min_size": stats["pool_min"],
        "max_size": stats["pool_max"] if limited else None,
        "unlimited": not limited,
        "open": stats["pool_size"],
        "checked_in": stats["pool_available"],
        "checked_out": held,
        "waiting": stats.get("requests_waiting"),
        "checkouts": stats.get("requests_num", 0),
        "waits": stats.get("requests_queued", 0),
        "total_wait_time": float(stats.get("requests_wait_ms", 0)),
        "timeouts": stats.get("requests_errors", 0),
        "errors": stats.get("connections_errors", 0),
        "status": status,
    }
    expected.update(more)
    reporter.compare(name, pool.name, me, expected)
    if connections is not None:
        reporter.connections(name, pool.name, me, connections)


def queue(pool, timeout, outcome):
    """A caller of its own, who waits."""
    def ask():
        try:
            outcome.append(pool.getconn(timeout=timeout))
        except PoolTimeout as error:
            outcome.append(error)
    before = pool.get_stats().get("requests_waiting", 0)
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    until("a waiting caller", lambda:
          pool.get_stats().get("requests_waiting", 0) > before)
    return thread


def available(pool, number):
    return lambda: pool.get_stats()["pool_available"] == number


# ConnectionPool
ME = "web-1:4711"
pool = make_pool(ConnectionPool, "connectionpool", ME, min_size=2, max_size=3)
pool.wait()
step("empty", pool, ME, "ok", 2, 0)

held = [pool.getconn()]
step("partly used", pool, ME, "ok", 2, 1)

held += [pool.getconn(), pool.getconn()]
step("full", pool, ME, "full", 3, 3, waiting=0)

outcome = []
thread = queue(pool, 30, outcome)
step("waiting", pool, ME, "exhausted", 3, 3, waiting=1)
pool.putconn(held.pop())
thread.join()
held.append(outcome.pop())
step("handed over", pool, ME, "full", 3, 3, waiting=0)

thread = queue(pool, 0.1, outcome)
thread.join()
check("timed out: the library says so", isinstance(outcome.pop(), PoolTimeout))
# it leaves the caller in requests_waiting until a connection comes back
step("timed out", pool, ME,
     "exhausted" if pool.get_stats()["requests_waiting"] else "full", 3, 3,
     timeouts=1)

number = len(held)
while held:
    pool.putconn(held.pop())
until("all returned", available(pool, number))
step("returned", pool, ME, "ok", 3, 0, waiting=0)

# the library's counters start again, those of the view go on
before = reporter.instance(pool.name, ME)["checkouts"]
pool.pop_stats()
with pool.connection():
    pass
until("returned", available(pool, 3))
for _ in range(2):
    reporter.report(pool.name, pool.get_stats(), ME)
equal("pop_stats(): checkouts go on",
      reporter.instance(pool.name, ME)["checkouts"], before + 1)

pool.close()
reporter.connections("closed", pool.name, ME, 0)
check("forgotten", reporter.forget(pool.name, ME))
equal("forgotten: no row", reporter.instance(pool.name, ME), None)
equal("forgotten: the pool keeps what it counted",
      reporter.pool(pool.name)["checkouts"], before + 1)

# NullConnectionPool keeps nothing open
ME = "web-2:4712"
pool = make_pool(NullConnectionPool, "nullpool", ME, max_size=2)
pool.wait()
until("the trial connection to be closed",
      lambda: pool.get_stats()["pool_size"] == 0)
step("null pool, empty", pool, ME, "ok", 0, 0)
held = [pool.getconn()]
step("null pool, partly used", pool, ME, "ok", 1, 1)
held.append(pool.getconn())
step("null pool, full", pool, ME, "full", 2, 2)
thread = queue(pool, 30, outcome)
step("null pool, waiting", pool, ME, "exhausted", 2, 2, waiting=1)
pool.putconn(held.pop())
thread.join()
held.append(outcome.pop())
step("null pool, handed over", pool, ME, "full", 2, 2, waiting=0)
while held:
    pool.putconn(held.pop())
until("all closed", lambda: pool.get_stats()["pool_size"] == 0)
step("null pool, returned", pool, ME, "ok", 0, 0)
pool.close()

# without a limit
pool = make_pool(NullConnectionPool, "nullpool-unlimited", ME)
pool.wait()
held = [pool.getconn() for _ in range(4)]
step("null pool, no limit", pool, ME, "ok", 4, 4,
     max_size=None, unlimited=True, used_pct=None)
while held:
    pool.putconn(held.pop())
pool.close()

# the database cannot be reached: what pool_size plans is not lent
ME = "web-3:4713"
pool = ConnectionPool("user=app host=/nonexistent", min_size=3, open=True,
                      name="unreachable")
until("failed connects",
      lambda: pool.get_stats().get("connections_errors", 0) >= 3)
step("database down", pool, ME, "ok", 0, 0, min_size=3)


# requests_num counts who asks: it grows, and nothing is lent
def keep_asking(enough):
    while not enough.is_set():
        try:
            pool.getconn(timeout=0.3)
        except PoolTimeout:
            pass


def status():
    reporter.report(pool.name, pool.get_stats(), ME)
    return reporter.instance(pool.name, ME)["status"]


def stands_still(name):
    enough = threading.Event()
    threads = [threading.Thread(target=keep_asking, args=(enough,), daemon=True)
               for _ in range(3)]
    for thread in threads:
        thread.start()
    until("a waiting caller",
          lambda: pool.get_stats().get("requests_waiting", 0) > 0)
    asked = pool.get_stats()["requests_num"]
    check(name + ": callers keep coming, nothing is lent",
          until("a standstill", lambda: status() == "stalled"))
    check(name + ": they did", pool.get_stats()["requests_num"] > asked + 10,
          pool.get_stats())
    enough.set()
    for thread in threads:
        thread.join()


stands_still("database down")
pool.close()

# the same when it had connections before: those that broke are not lent
ME = "web-4:4714"
admin = Reporter("postgres").conn.cursor()
admin.execute("CREATE ROLE leaver LOGIN")
pool = ConnectionPool("user=leaver", min_size=2, open=True, name="broken")
pool.wait()
held = [pool.getconn(), pool.getconn()]
step("before it breaks", pool, ME, "full", None, 2, waiting=0)
admin.execute("ALTER ROLE leaver NOLOGIN")
admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
              " WHERE usename = 'leaver'")
for conn in held:
    try:
        conn.execute("SELECT 1")
        check("it broke", False)
    except OperationalError:
        pool.putconn(conn)
until("failed connects",
      lambda: pool.get_stats().get("connections_errors", 0) >= 2)
step("broken", pool, ME, "ok", None, 0, waiting=0)
stands_still("broken")
pool.close()

# a label alone, as docs/clients.md has it
ME = "%s:%d" % (socket.gethostname(), os.getpid())
# docs: begin psycopg-label
me = "%s:%d" % (socket.gethostname(), os.getpid())
pool = ConnectionPool(
    "user=app", min_size=1, max_size=2, name="documented", open=True,
    kwargs={"options": "-c pgpool_stats.pool=documented"
                       " -c pgpool_stats.instance=" + me})
# docs: end
held = [pool.getconn(), pool.getconn()]
reporter.connections("documented", "documented", ME, 2)
while held:
    pool.putconn(held.pop())
pool.close()

done()
