"""psycopg2 ThreadedConnectionPool: the view shows its books."""

from psycopg2.pool import PoolError, ThreadedConnectionPool

from common import Reporter, check, done, equal, label, until

POOL = "threaded"
ME = "web-1:4711"

reporter = Reporter()


def stats(pool):
    return {"minconn": pool.minconn, "maxconn": pool.maxconn,
            "idle": len(pool._pool), "used": len(pool._used),
            "keys": pool._keys}


def step(name, pool, status, connections):
    check(name + ": has its row", reporter.report(POOL, stats(pool), ME))
    reporter.compare(name, POOL, ME, {
        "dialect": "psycopg2",
        "min_size": pool.minconn,
        "pool_size": pool.maxconn,
        "max_size": pool.maxconn,
        "checked_in": len(pool._pool),
        "checked_out": len(pool._used),
        "open": len(pool._pool) + len(pool._used),
        "overflow": 0,
        "checkouts": pool._keys,
        "waiting": None,
        "timeouts": None,
        "status": status,
    })
    reporter.connections(name, POOL, ME, connections)


pool = ThreadedConnectionPool(1, 3, user="app", options=label(POOL, ME))
start = pool._keys
step("empty", pool, "ok", 1)

held = [pool.getconn()]
step("partly used", pool, "ok", 1)

held += [pool.getconn(), pool.getconn()]
step("full", pool, "exhausted", 3)

try:
    pool.getconn()
    check("one too many: the library rejects it", False)
except PoolError:
    check("one too many: the library rejects it", True)
step("rejected", pool, "exhausted", 3)

pool.putconn(held.pop())
step("one returned", pool, "ok", 3)
while held:
    pool.putconn(held.pop())
step("returned: all but minconn are closed", pool, "ok", 1)

with pool.getconn() as conn:
    conn.cursor().execute("SELECT 1")
    pool.putconn(conn)
check("checkouts count", pool._keys > start)
step("used again", pool, "ok", 1)

# a leak: in a transaction, never returned
leaked = [pool.getconn() for _ in range(3)]
for conn in leaked:
    conn.cursor().execute("SELECT 1")
step("leaked", pool, "exhausted", 3)
reporter.compare("leaked, the server's view", POOL, ME,
                 {"in_xact": 3, "idle_in_xact": 3})

pool.closeall()
reporter.connections("closed", POOL, ME, 0)
check("forgotten", reporter.forget(POOL, ME))
equal("forgotten: no row", reporter.instance(POOL, ME), None)

# a goodbye that overtakes the last connection: the row goes with it
pool = ThreadedConnectionPool(3, 3, user="app", options=label(POOL, ME))
reporter.report(POOL, stats(pool), ME)
pool.closeall()
check("goodbye at once", reporter.forget(POOL, ME))
until("the row goes with the last connection",
      lambda: reporter.instance(POOL, ME) is None)

done()
