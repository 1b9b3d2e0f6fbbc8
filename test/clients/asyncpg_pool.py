"""asyncpg: the view shows what the pool's getters say."""

import asyncio
import os
import socket

import asyncpg

from common import Reporter, check, done, equal, until

POOL = "asyncpg"
ME = "%s:%d" % (socket.gethostname(), os.getpid())

reporter = Reporter()


async def make_pool():
    # docs: begin asyncpg-label
    me = "%s:%d" % (socket.gethostname(), os.getpid())
    return await asyncpg.create_pool(
        user="app", min_size=1, max_size=3,
        server_settings={"pgpool_stats.pool": "asyncpg",
                         "pgpool_stats.instance": me})
    # docs: end


def stats(pool):
    return {"size": pool.get_size(), "idle_size": pool.get_idle_size(),
            "min_size": pool.get_min_size(), "max_size": pool.get_max_size(),
            "host": socket.gethostname(), "pid": os.getpid()}


def step(name, pool, status, connections, held):
    check(name + ": has its row", reporter.report(POOL, stats(pool), ME))
    equal(name + ": the pool lent what is held",
          pool.get_size() - pool.get_idle_size(), held)
    reporter.compare(name, POOL, ME, {
        "dialect": "asyncpg",
        "min_size": pool.get_min_size(),
        "max_size": pool.get_max_size(),
        "open": pool.get_size(),
        "checked_in": pool.get_idle_size(),
        "checked_out": held,
        "overflow": 0,
        "waiting": None,
        "checkouts": None,
        "waits": None,
        "timeouts": None,
        "status": status,
    })
    reporter.connections(name, POOL, ME, connections)


async def main():
    pool = await make_pool()
    step("empty", pool, "ok", 1, 0)

    held = [await pool.acquire()]
    step("partly used", pool, "ok", 1, 1)
    held += [await pool.acquire(), await pool.acquire()]
    step("full", pool, "exhausted", 3, 3)

    # nobody but the library's queue knows who waits
    waiter = asyncio.ensure_future(pool.acquire())
    while not pool._queue._getters:
        await asyncio.sleep(0)
    check("waiting: it waits", not waiter.done())
    step("waiting", pool, "exhausted", 3, 3)
    await pool.release(held.pop())
    held.append(await waiter)
    step("handed over", pool, "exhausted", 3, 3)

    try:
        await pool.acquire(timeout=0.05)
        check("timed out: the library says so", False)
    except asyncio.TimeoutError:
        check("timed out: the library says so", True)
    step("timed out", pool, "exhausted", 3, 3)

    # RESET ALL at each release leaves a label of the connection alone
    await pool.release(held.pop())
    step("one returned", pool, "ok", 3, 2)
    while held:
        await pool.release(held.pop())
    step("returned", pool, "ok", 3, 0)
    async with pool.acquire() as conn:
        equal("RESET ALL: the label stays",
              await conn.fetchval("SHOW pgpool_stats.pool"), POOL)

    # but not one that init= sets: it is gone with the first release
    async def init(conn):
        await conn.execute("SET pgpool_stats.pool = 'by-init'")
    other = await asyncpg.create_pool(user="app", min_size=1, max_size=1,
                                      init=init)
    for turn, name in (("first", "by-init"), ("second", "")):
        async with other.acquire() as conn:
            equal("init=: the label of the %s checkout" % turn,
                  await conn.fetchval("SHOW pgpool_stats.pool"), name)
    await other.close()

    await pool.close()
    step("closed", pool, "ok", 0, 0)
    check("forgotten", reporter.forget(POOL, ME))
    until("no row", lambda: reporter.instance(POOL, ME) is None)


asyncio.run(main())
done()
