"""Alerts of what the server sees of a pool's connections: leak, silent,
over_capacity, unclaimed, idle_in_transaction.  The server of the client tests
has leak_after = 1 s."""

import asyncio
import time

import asyncpg
import psycopg2.pool
import sqlalchemy
from psycopg_pool import ConnectionPool
from sqlalchemy import text

from common import (Reporter, Rules, check, connect, done, equal, label,
                    until)

ME = "web-1:4711"
LEAK_AFTER = 1.0
PASS = 0.1
WITHIN = LEAK_AFTER + PASS + 0.5    # with a report

rules = Rules(stale_after="1s")
reporter = Reporter()


def make_pool(name, size):
    """psycopg2's, and what reports it"""
    pool = psycopg2.pool.ThreadedConnectionPool(
        0, size, user="app", options=label(name, ME))

    def report():
        reporter.report(name, {"minconn": pool.minconn,
                               "maxconn": pool.maxconn,
                               "idle": len(pool._pool),
                               "used": len(pool._used)}, ME)
    return pool, report


def use(conn):
    with conn.cursor() as cur:
        cur.execute("SELECT 1")
    conn.commit()


def end(name, pool):
    pool.closeall()
    reporter.forget(name, ME)


def leaks_found(name):
    rows = reporter.rows("SELECT at_least FROM pgpool_stats.leaks"
                         " WHERE pool = %s", name)
    return sum(row["at_least"] for row in rows)


def leak_psycopg2():
    """Borrowed and never given back: one, then another"""
    pool, report = make_pool("rules-leak", 5)
    alert = rules.watch("leak", pool="rules-leak")
    rules.set("leak: warning 2")
    lost = [pool.getconn()]
    use(lost[0])

    def one_leaked():
        report()
        return leaks_found("rules-leak") == 1
    until("one leaked", one_leaked)
    alert.silent("1 of 2")

    lost.append(pool.getconn())
    use(lost[1])
    start = time.monotonic()
    row = alert.fires("2", report, WITHIN, severity="warning", value=2, threshold=2,
                      instance=ME, message="rules-leak on clients: at least 2"
                      " connections lent out and idle on the server")
    took = time.monotonic() - start
    check("leak: after leak_after, within a pass more",
          LEAK_AFTER < took and not alert.late, took)
    check("leak: since it was last used", row["since"] <= reporter.one(
        "SELECT now() - interval '1 s'"), row["since"])
    pool.putconn(lost.pop())
    alert.clears("given back", report)
    pool.putconn(lost.pop())
    end("rules-leak", pool)
    rules.set()


def leak_sqlalchemy():
    """connect() without close(), at the level of every day"""
    name = "rules-leak-orm"
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg2://app@/", pool_size=3, max_overflow=1,
        connect_args={"options": label(name, ME)})

    def report():
        pool = engine.pool
        reporter.report(name, {
            "size": pool.size(), "checkedin": pool.checkedin(),
            "checkedout": pool.checkedout(), "overflow": pool.overflow(),
            "max_overflow": pool._max_overflow}, ME)
    alert = rules.watch("leak", pool=name)
    with engine.connect() as conn:
        conn.execute(text("SELECT 1"))
    lost = engine.connect()
    lost.execute(text("SELECT 1"))
    lost.connection.commit()
    start = time.monotonic()
    alert.fires("1 of SQLAlchemy", report, WITHIN, severity="warning", value=1,
                threshold=1, instance=ME)
    took = time.monotonic() - start
    check("leak: of SQLAlchemy after leak_after, within a pass more",
          LEAK_AFTER < took and not alert.late, took)
    lost.close()
    alert.clears("closed", report)
    # idle connections in the pool are no leak, however long
    idle_since = time.monotonic()

    def idle_for_long():
        report()
        return time.monotonic() - idle_since > LEAK_AFTER + PASS
    until("a while", idle_for_long)
    alert.silent("nothing lent out")
    engine.dispose()
    reporter.forget(name, ME)


def silent():
    """A pool that works, and does not report any more"""
    name = "rules-silent"
    pool = ConnectionPool("user=app", min_size=1, max_size=2, open=True,
                          kwargs={"options": label(name, ME)})
    alert = rules.watch("silent", pool=name)

    def report():
        reporter.report(name, pool.get_stats(), ME)

    def work():
        with pool.connection() as conn:
            conn.execute("SELECT 1")
    pool.wait()
    work()
    report()
    # a late report cannot tell who is unclaimed
    until("the report is late", lambda: reporter.instance(
        name, ME)["unclaimed"] is None)
    alert.silent("late, but it does nothing")
    work()
    row = alert.fires("late, and it works", severity="warning", instance=ME)
    check("silent: in words", row["message"].startswith(
        name + " on clients: 1 of 1 instances silent for "), row)
    with pool.connection(), pool.connection():
        pass
    row = alert.fires("it holds all it may", severity="critical")
    check("silent: in words, critical", row["message"].endswith(
        "although it works; it holds all its 2 connections"), row)
    report()
    alert.clears("it reports again")
    pool.close()
    reporter.forget(name, ME)


def over_capacity():
    """A connection made beside the pool, under its label"""
    name = "rules-over"
    pool, report = make_pool(name, 3)
    alert = rules.watch("over_capacity", pool=name)
    held = [pool.getconn() for _ in range(3)]
    report()
    reporter.connections("over_capacity", name, ME, 3)
    alert.silent("3 of 3")
    extra = connect("app", label(name, ME))
    alert.fires("3 and 1", report, severity="warning", value=1, threshold=1,
                instance=ME, message=name + " on clients: an instance holds 1"
                " connections more than its maximum of 3")
    extra.close()
    alert.clears("3 again", report)
    while held:
        pool.putconn(held.pop())
    end(name, pool)


def unclaimed():
    """Another pool under the same label, of which the report says nothing"""
    name = "rules-unclaimed"
    pool, report = make_pool(name, 10)
    other, _ = make_pool(name, 10)
    alert = rules.watch("unclaimed", pool=name)
    held = pool.getconn()
    strangers = [other.getconn()]
    report()
    reporter.connections("unclaimed", name, ME, 2)
    equal("unclaimed: one", reporter.instance(name, ME)["unclaimed"], 1)
    alert.silent("1 of 2")
    strangers.append(other.getconn())
    alert.fires("2", report, severity="warning", value=2, threshold=2,
                instance=ME, message=name + " on clients: 2 connections that"
                " the instance's report does not speak of")
    other.putconn(strangers.pop(), close=True)
    alert.clears("1 again", report)
    other.closeall()
    pool.putconn(held)
    end(name, pool)


async def idle_in_transaction():
    """A transaction that waits for its client, and one that works"""
    name = "rules-idle"
    pool = await asyncpg.create_pool(
        user="app", min_size=2, max_size=2, server_settings={
            "pgpool_stats.pool": name, "pgpool_stats.instance": ME})
    alert = rules.watch("idle_in_transaction", pool=name)
    rules.set("idle_in_transaction: warning 1")
    async with pool.acquire() as works, pool.acquire() as waits:
        async with works.transaction():
            end = time.monotonic() + 1.5
            while time.monotonic() < end:
                await works.execute("SELECT 1")
            until("in transaction", lambda: reporter.instance(
                name, ME)["in_xact"] == 1)
            # work that lasts until we say so
            reporter.one("SELECT pg_advisory_lock(1)")
            lasting = asyncio.ensure_future(
                works.execute("SELECT pg_advisory_xact_lock(1)"))
            while not reporter.one("SELECT count(*) FROM pg_stat_activity"
                                   " WHERE wait_event = 'advisory'"):
                await asyncio.sleep(0.01)
            alert.silent("1.5 s of work")
            reporter.one("SELECT pg_advisory_unlock(1)")
            await lasting
        transaction = waits.transaction()
        await transaction.start()
        await waits.execute("SELECT 1")
        start = time.monotonic()
        pid = waits.get_server_pid()
        row = alert.fires("a second of nothing", within=WITHIN, severity="warning",
                          threshold=1, instance=ME)
        took = time.monotonic() - start
        check("idle_in_transaction: in words", row["message"].startswith(
            name + " on clients: ") and str(pid) in row["message"], row)
        check("idle_in_transaction: not before, nor later",
              1 < took and not alert.late and 1 <= row["value"],
              (took, row["value"]))
        await transaction.commit()
        alert.clears("committed")
    await pool.close()
    reporter.forget(name, ME)
    rules.set()


leak_psycopg2()
leak_sqlalchemy()
silent()
over_capacity()
unclaimed()
asyncio.run(idle_in_transaction())
done()
