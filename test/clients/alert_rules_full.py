"""Alerts of pools that are full: pool_exhausted, pool_full, callers_waiting."""

import threading

import sqlalchemy
from psycopg_pool import ConnectionPool
from sqlalchemy import text

from common import Reporter, Rules, check, done, equal, label, until

ME = "web-1:4711"

rules = Rules(stale_after="1s")
reporter = Reporter()


def exhausted_sqlalchemy():
    """5 + 10, all lent out.  QueuePool does not say who waits.  A pool that
    is exhausted cannot report: that the report is late changes nothing."""
    name = "rules-engine"
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg2://app@/", pool_size=5, max_overflow=10,
        connect_args={"options": label(name, ME)})

    def report():
        pool = engine.pool
        reporter.report(name, {
            "size": pool.size(), "checkedin": pool.checkedin(),
            "checkedout": pool.checkedout(), "overflow": pool.overflow(),
            "max_overflow": pool._max_overflow}, ME)

    def is_late():
        row = reporter.instance(name, ME)
        return row["checked_in"] is None

    exhausted = rules.watch("pool_exhausted", pool=name)
    held = [engine.connect() for _ in range(14)]
    report()
    exhausted.silent("14 of 15")

    held.append(engine.connect())
    report()
    row = exhausted.fires("15 of 15", severity="warning", instance=ME,
                          threshold=0)
    check("pool_exhausted: in words", row["message"].startswith(
        "%s on clients: 1 of 1 instance full (15/15) for " % name), row)
    held[0].execute(text("SELECT 1"))
    until("the report is late", is_late)
    exhausted.rules.passed()
    late = exhausted.row()
    equal("pool_exhausted: fires while the report is late",
          (late["state"], late["since"], late["severity"]),
          ("firing", row["since"], "warning"))

    rules.set("pool_exhausted: critical 1")
    exhausted.fires("for longer than its critical level",
                    severity="critical", threshold=1, since=row["since"])
    held.pop().close()
    report()
    exhausted.clears("14 of 15")
    rules.set()
    while held:
        held.pop().close()
    engine.dispose()
    reporter.forget(name, ME)


def queue(pool, held):
    """A caller who waits; gives what he gets to "held"."""
    before = pool.get_stats().get("requests_waiting", 0)
    thread = threading.Thread(
        target=lambda: held.append(pool.getconn(timeout=60)), daemon=True)
    thread.start()
    until("a waiting caller", lambda:
          pool.get_stats().get("requests_waiting", 0) > before)
    return thread


def psycopg_waiters():
    """psycopg_pool says who waits: full, waiting and exhausted differ."""
    name = "rules-psycopg"
    pool = ConnectionPool("user=app", min_size=10, max_size=10, open=True,
                          kwargs={"options": label(name, ME)})
    pool.wait()

    def report():
        reporter.report(name, pool.get_stats(), ME)

    full = rules.watch("pool_full", pool=name)
    waiting = rules.watch("callers_waiting", pool=name)
    exhausted = rules.watch("pool_exhausted", pool=name)
    held = [pool.getconn() for _ in range(9)]
    report()
    full.silent("9 of 10")
    held.append(pool.getconn())
    report()
    full.fires("10 of 10", severity="warning", value=100, threshold=100,
               instance=ME, message="%s on clients: an instance has lent out"
               " 10 of 10" % name)
    exhausted.silent("10 of 10, nobody waits")
    waiting.silent("nobody waits")

    rules.set("callers_waiting: warning 2")
    threads = [queue(pool, held)]
    report()
    exhausted.fires("somebody waits", severity="critical", instance=ME)
    waiting.silent("1 of 2 callers")
    full.silent("exhausted is not only full")
    threads.append(queue(pool, held))
    report()
    waiting.fires("2 callers", severity="warning", value=2, threshold=2,
                  message="%s on clients: 2 callers waiting, at 1 of 1"
                  " instance" % name)
    check("pool_exhausted: in words", " s, 2 callers waiting" in
          exhausted.row()["message"], exhausted.row())

    for thread in threads:
        pool.putconn(held.pop(0))
        thread.join()
    report()
    waiting.clears("nobody waits")
    exhausted.clears("nobody waits")
    full.fires("10 of 10 again", value=100)
    pool.putconn(held.pop())
    until("returned", lambda: pool.get_stats()["pool_available"] == 1)
    report()
    full.fires("9 of 10, not below its clear level", value=90)
    pool.putconn(held.pop())
    until("returned", lambda: pool.get_stats()["pool_available"] == 2)
    report()
    full.clears("8 of 10")
    while held:
        pool.putconn(held.pop())
    pool.close()
    reporter.forget(name, ME)


exhausted_sqlalchemy()
psycopg_waiters()
done()
