"""psycopg_pool AsyncConnectionPool: the view shows what get_stats() says."""

import asyncio
import os
import socket

from psycopg_pool import AsyncConnectionPool, PoolTimeout

from common import Reporter, check, done, equal

POOL = "asyncconnectionpool"
ME = "%s:%d" % (socket.gethostname(), os.getpid())

reporter = Reporter()


def make_pool():
    # docs: begin psycopg-async-label
    me = "%s:%d" % (socket.gethostname(), os.getpid())
    return AsyncConnectionPool(
        "user=app", min_size=1, max_size=2, name="asyncconnectionpool",
        kwargs={"options": "-c pgpool_stats.pool=asyncconnectionpool"
                           " -c pgpool_stats.instance=" + me}, open=False)
    # docs: end


def step(name, pool, status, connections, held, **more):
    stats = pool.get_stats()
    check(name + ": has its row", reporter.report(POOL, stats, ME))
    expected = {
        "dialect": "psycopg_pool",
        "min_size": stats["pool_min"],
        "max_size": stats["pool_max"],
        "open": stats["pool_size"],
        "checked_in": stats["pool_available"],
        "checked_out": held,
        "waiting": stats["requests_waiting"],
        "checkouts": stats.get("requests_num", 0),
        "waits": stats.get("requests_queued", 0),
        "total_wait_time": float(stats.get("requests_wait_ms", 0)),
        "timeouts": stats.get("requests_errors", 0),
        "status": status,
    }
    expected.update(more)
    reporter.compare(name, POOL, ME, expected)
    if connections is not None:
        reporter.connections(name, POOL, ME, connections)


async def until(what, condition):
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.02)
    check("waited for " + what, False)


def available(pool, number):
    return lambda: pool.get_stats()["pool_available"] == number


async def main():
    pool = make_pool()
    await pool.open()
    await pool.wait()
    step("empty", pool, "ok", 1, 0)
    held = [await pool.getconn()]
    held.append(await pool.getconn())
    step("full", pool, "full", 2, 2, waiting=0)

    waiter = asyncio.create_task(pool.getconn(timeout=300))
    await until("a waiting caller", lambda:
                pool.get_stats()["requests_waiting"] == 1)
    step("waiting", pool, "exhausted", 2, 2, waiting=1)
    await pool.putconn(held.pop())
    held.append(await waiter)
    step("handed over", pool, "full", 2, 2, waiting=0)

    try:
        await pool.getconn(timeout=0.1)
        check("timed out: the library says so", False)
    except PoolTimeout:
        check("timed out: the library says so", True)
    step("timed out", pool,
         "exhausted" if pool.get_stats()["requests_waiting"] else "full",
         2, 2, timeouts=1)

    await pool.putconn(held.pop())
    await until("one returned", available(pool, 1))
    step("partly used", pool, "ok", 2, 1, waiting=0)
    await pool.putconn(held.pop())
    await until("all returned", available(pool, 2))
    step("returned", pool, "ok", 2, 0, waiting=0)

    # a caller's connection is left idle; so must configure= leave it
    async def configure(conn):
        await conn.execute("SET pgpool_stats.pool = 'by-configure'")
        await conn.commit()
    other = AsyncConnectionPool("user=app", min_size=1, max_size=1, open=False,
                                configure=configure)
    await other.open()
    async with other.connection() as conn:
        cur = await conn.execute("SHOW pgpool_stats.pool")
        equal("configure=: labelled after a commit",
              (await cur.fetchone())[0], "by-configure")
    await other.close()

    async def careless(conn):
        await conn.execute("SET pgpool_stats.pool = 'by-configure'")
    other = AsyncConnectionPool("user=app", min_size=1, max_size=1, open=False,
                                configure=careless)
    await other.open()
    try:
        await other.getconn(timeout=0.5)
        check("configure= without a commit: the library rejects it", False)
    except PoolTimeout:
        check("configure= without a commit: the library rejects it", True)
    await other.close()

    await pool.close()
    reporter.connections("closed", POOL, ME, 0)
    # size 2, available 0: the library counts what it has closed
    reporter.report(POOL, pool.get_stats(), ME)
    check("forgotten", reporter.forget(POOL, ME))
    equal("forgotten: no row", reporter.instance(POOL, ME), None)


asyncio.run(main())
done()
