"""SQLAlchemy's other pools: NullPool, StaticPool and SingletonThreadPool have
no figures, and the server counts; AsyncAdaptedQueuePool has those of
QueuePool."""

import asyncio
import os
import socket
import threading

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.exc import TimeoutError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool, SingletonThreadPool, StaticPool

from common import Reporter, check, done, equal, label, until

ME = "%s:%d" % (socket.gethostname(), os.getpid())
NOTHING = {column: None for column in (
    "pool_size", "max_overflow", "open", "checked_in",
    "checked_out", "overflow", "waiting", "checkouts", "used_pct")}

reporter = Reporter()


def make_engine(poolclass, name, **options):
    return sqlalchemy.create_engine(
        "postgresql+psycopg2://app@/", poolclass=poolclass,
        connect_args={"options": label(name, ME)}, **options)


def step(name, engine, pool, connections):
    """status() is text without numbers: only the server knows."""
    check(name + ": has its row",
          reporter.report(pool, engine.pool.status(), ME))
    reporter.compare(name, pool, ME, dict(NOTHING, dialect="sqlalchemy"))
    reporter.connections(name, pool, ME, connections)


# NullPool: a connection for each caller, closed when it comes back
engine = make_engine(NullPool, "nullpool-sa")
step("NullPool, empty", engine, "nullpool-sa", 0)
held = [engine.connect() for _ in range(3)]
step("NullPool, used", engine, "nullpool-sa", 3)
held.pop().close()
step("NullPool, one returned", engine, "nullpool-sa", 2)
while held:
    held.pop().close()
step("NullPool, returned", engine, "nullpool-sa", 0)
check("NullPool has no size()", not hasattr(engine.pool, "size"))

# StaticPool: one connection for all
engine = make_engine(StaticPool, "staticpool")
step("StaticPool, empty", engine, "staticpool", 0)
held = [engine.connect() for _ in range(3)]
step("StaticPool, three callers share one", engine, "staticpool", 1)
while held:
    held.pop().close()
step("StaticPool, returned", engine, "staticpool", 1)
engine.dispose()
step("StaticPool, disposed", engine, "staticpool", 0)

# SingletonThreadPool: a connection for each thread, kept
engine = make_engine(SingletonThreadPool, "singleton", pool_size=2)
step("SingletonThreadPool, empty", engine, "singleton", 0)
first = [engine.connect(), engine.connect()]
step("SingletonThreadPool, one thread", engine, "singleton", 1)
go_on = threading.Event()
other = []


def use():
    other.append(engine.connect())
    go_on.wait(30)
    other.pop().close()


thread = threading.Thread(target=use)
thread.start()
until("the other thread's connection", lambda: other)
step("SingletonThreadPool, two threads", engine, "singleton", 2)
go_on.set()
thread.join()
while first:
    first.pop().close()
engine.dispose()
equal("SingletonThreadPool.size is a number, not a method",
      engine.pool.size, 2)

# a SET in the connect event: lost with the rollback unless it is committed
for commit, expected in ((False, ""), (True, "by-event")):
    engine = sqlalchemy.create_engine("postgresql+psycopg2://app@/",
                                      pool_size=1)

    @event.listens_for(engine, "connect")
    def on_connect(conn, record):
        conn.cursor().execute("SET pgpool_stats.pool = 'by-event'")
        if commit:
            conn.commit()

    with engine.connect() as conn:
        conn.execute(sqlalchemy.text("SELECT 1"))
    with engine.connect() as conn:
        equal("connect event, %scommitted: label at the second checkout"
              % ("" if commit else "not "),
              conn.execute(sqlalchemy.text("SHOW pgpool_stats.pool")).scalar(),
              expected)
    engine.dispose()

# dispose() forgets what is lent; the server does not
POOL = "disposed"
engine = make_engine(sqlalchemy.pool.QueuePool, POOL, pool_size=2)
held = [engine.connect(), engine.connect()]
engine.dispose()
equal("disposed: the new pool knows of none", engine.pool.checkedout(), 0)
reporter.connections("disposed", POOL, ME, 2)
while held:
    held.pop().close()


# AsyncAdaptedQueuePool over asyncpg
POOL = "asyncadapted"

# docs: begin sqlalchemy-async-label
me = "%s:%d" % (socket.gethostname(), os.getpid())
engine = create_async_engine(
    "postgresql+asyncpg://app@/", pool_size=1, max_overflow=1, pool_timeout=0.1,
    connect_args={"server_settings": {"pgpool_stats.pool": "asyncadapted",
                                      "pgpool_stats.instance": me}})
# docs: end


def stats(engine):
    pool = engine.pool
    return {"size": pool.size(), "checkedin": pool.checkedin(),
            "checkedout": pool.checkedout(), "overflow": pool.overflow(),
            "max_overflow": pool._max_overflow}


def async_step(name, status, connections, held):
    pool = engine.pool
    equal(name + ": its class", type(pool).__name__, "AsyncAdaptedQueuePool")
    check(name + ": has its row", reporter.report(POOL, stats(engine), ME))
    equal(name + ": the pool lent what is held", pool.checkedout(), held)
    reporter.compare(name, POOL, ME, {
        "dialect": "sqlalchemy", "pool_size": 1, "max_overflow": 1,
        "max_size": 2, "checked_in": pool.checkedin(),
        "checked_out": held, "overflow": max(pool.overflow(), 0),
        "waiting": None, "status": status})
    reporter.connections(name, POOL, ME, connections)


async def main():
    async_step("async, empty", "ok", 0, 0)
    held = [await engine.connect()]
    async_step("async, pool_size reached", "ok", 1, 1)
    held.append(await engine.connect())
    async_step("async, full with overflow", "exhausted", 2, 2)
    try:
        await engine.connect()
        check("async, timed out: the library says so", False)
    except TimeoutError:
        check("async, timed out: the library says so", True)
    async_step("async, timed out", "exhausted", 2, 2)

    engine.pool._timeout = 300
    waiter = asyncio.ensure_future(engine.connect().start())
    await asyncio.sleep(0.1)
    check("async, waiting: it waits", not waiter.done())
    async_step("async, waiting", "exhausted", 2, 2)
    await held.pop().close()
    held.append(await waiter)
    async_step("async, handed over", "exhausted", 2, 2)
    while held:
        await held.pop().close()
    async_step("async, returned", "ok", 1, 0)
    await engine.dispose()
    async_step("async, disposed", "ok", 0, 0)


asyncio.run(main())
done()
