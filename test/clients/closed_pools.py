"""A pool that is closed has said goodbye by then: what ends its process next may be
a signal, without an exit, as that of uvicorn's when its application has shut down."""

import asyncio
import os
import signal
import socket
import subprocess
import sys

from common import Reporter, done, equal, until

import pgpool_stats                 # common.py says where it is

reporter = Reporter()


def name_of(library):
    return "closed-" + library


def is_reported(library, pid):
    row = reporter.instance(name_of(library), "%s:%d" % (socket.gethostname(), pid))
    return row and row["last_report"] and row["connections"] > 0


def of_psycopg2():
    from psycopg2.pool import ThreadedConnectionPool
    pool = ThreadedConnectionPool(1, 2, user="app")
    pgpool_stats.watch(pool, name_of("psycopg2"))
    pool.putconn(pool.getconn())
    yield
    pool.closeall()


def of_psycopg():
    from psycopg_pool import ConnectionPool
    with ConnectionPool("user=app", min_size=1, max_size=2, open=False) as pool:
        pgpool_stats.watch(pool, name_of("psycopg"))
        with pool.connection():
            pass
        yield


async def of_psycopg_async():
    from psycopg_pool import AsyncConnectionPool
    pool = AsyncConnectionPool("user=app", min_size=1, max_size=2, open=False)
    pgpool_stats.watch(pool, name_of("psycopg_async"))
    await pool.open()
    async with pool.connection():
        pass
    yield
    await pool.close()


async def of_asyncpg():
    import asyncpg
    async with asyncpg.create_pool(user="app", min_size=1, max_size=2) as pool:
        pgpool_stats.watch(pool, name_of("asyncpg"))
        async with pool.acquire():
            pass
        yield


async def of_aiopg():
    import aiopg
    pool = await aiopg.create_pool("user=app", minsize=1, maxsize=2)
    pgpool_stats.watch(pool, name_of("aiopg"))
    async with pool.acquire():
        pass
    yield
    pool.close()
    await pool.wait_closed()


def is_in_use(library):
    until("the report of " + library, lambda: is_reported(library, os.getpid()))


def run(library):
    """In a process of its own, which is killed as soon as the pool is closed"""
    pool = globals()["of_" + library]()
    if hasattr(pool, "__anext__"):
        async def use():
            async for _ in pool:
                await asyncio.get_running_loop().run_in_executor(None, is_in_use, library)
        asyncio.run(use())
    else:
        for _ in pool:
            is_in_use(library)
    os.kill(os.getpid(), signal.SIGKILL)


if len(sys.argv) > 1:
    run(sys.argv[1])
for library in ("psycopg2", "psycopg", "psycopg_async", "asyncpg", "aiopg"):
    process = subprocess.run([sys.executable, __file__, library], check=False)
    equal(library + ": it was killed", process.returncode, -signal.SIGKILL)
    equal(library + ": and had said goodbye", reporter.rows(
        "SELECT instance FROM pgpool_stats.instances WHERE pool = %s", name_of(library)), [])
done()
