"""psycopg2 SimpleConnectionPool: the view shows what its attributes say."""

import json
import os
import socket

from psycopg2.pool import PoolError, SimpleConnectionPool

from common import Reporter, check, done, equal

POOL = "simple"
ME = "%s:%d" % (socket.gethostname(), os.getpid())

reporter = Reporter()

# docs: begin psycopg2-label
me = "%s:%d" % (socket.gethostname(), os.getpid())
pool = SimpleConnectionPool(
    1, 2, user="app",
    options="-c pgpool_stats.pool=simple -c pgpool_stats.instance=" + me)
# docs: end


def stats():
    return {"minconn": pool.minconn, "maxconn": pool.maxconn,
            "idle": len(pool._pool), "used": len(pool._used)}


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

while held:
    pool.putconn(held.pop())
step("returned", "ok", 1)

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
