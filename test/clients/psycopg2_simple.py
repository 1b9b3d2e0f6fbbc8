"""psycopg2 SimpleConnectionPool, and the documented thread that reports."""

import json
import os
import socket

from psycopg2.pool import PoolError, SimpleConnectionPool

from common import Reporter, check, done, equal, report_forever, until

POOL = "simple"
ME = "%s:%d" % (socket.gethostname(), os.getpid())
DSN = ("user=app options='-c pgpool_stats.pool=reports"
       " -c pgpool_stats.strict_reports=on'")

reporter = Reporter()

# docs: begin psycopg2-label
me = "%s:%d" % (socket.gethostname(), os.getpid())
pool = SimpleConnectionPool(
    1, 2, user="app",
    options="-c pgpool_stats.pool=simple -c pgpool_stats.instance=" + me)
# docs: end


# docs: begin psycopg2-stats
def stats():
    return {"minconn": pool.minconn, "maxconn": pool.maxconn,
            "idle": len(pool._pool), "used": len(pool._used)}
# docs: end


def step(name, status, connections):
    check(name + ": has its row", reporter.report(POOL, stats(), ME))
    reporter.compare(name, POOL, ME, {
        "dialect": "psycopg2",
        "min_size": pool.minconn,
        "max_size": pool.maxconn,
        "checked_in": len(pool._pool),
        "checked_out": len(pool._used),
        "open": len(pool._pool) + len(pool._used),
        "waiting": None,
        "timeouts": None,
        "status": status,
    })
    reporter.connections(name, POOL, ME, connections)


step("empty", "ok", 1)
held = [pool.getconn()]
step("partly used", "ok", 1)
held.append(pool.getconn())
step("full", "exhausted", 2)
try:
    pool.getconn()
    check("one too many: the library rejects it", False)
except PoolError:
    check("one too many: the library rejects it", True)
step("rejected", "exhausted", 2)

# the documented thread reports what the exhausted pool could not
check("forgotten before the thread", reporter.forget(POOL, ME))
thread = report_forever(DSN, POOL, stats, 0.05)
until("the thread's report", lambda:
      (reporter.instance(POOL, ME) or {}).get("checked_out") == 2)
reporter.compare("the thread", POOL, ME, {
    "dialect": "psycopg2", "status": "exhausted", "connections": 2,
    # its connections are not the pool's
    "disconnects": 0, "xacts": 0})
while held:
    pool.putconn(held.pop())
until("the next report", lambda:
      reporter.instance(POOL, ME)["checked_out"] == 0)
check("the thread goes on", thread.is_alive())

# a server, here a database, without the extension: it ends without a word
thread = report_forever(DSN + " dbname=postgres", POOL, stats, 0.05)
thread.join(10)
check("without the extension: the thread ends", not thread.is_alive())
# a server that does not answer: it tries again
thread = report_forever("host=/nonexistent", POOL, stats, 0.05)
thread.join(0.3)
check("without a server: the thread goes on", thread.is_alive())

# a report over the pool's own connection counts itself
conn = pool.getconn()
conn.autocommit = True
conn.cursor().execute("SELECT pgpool_stats.report('observer', %s, 'a:1')",
                      (json.dumps(stats()),))
pool.putconn(conn)
equal("observer effect: the report lends itself a connection",
      reporter.instance("observer", "a:1")["checked_out"], 1)
reporter.forget("observer", "a:1")

pool.closeall()
reporter.connections("closed", POOL, ME, 0)

done()
