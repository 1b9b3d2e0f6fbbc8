"""SQLAlchemy QueuePool: the view shows what the pool says, as a dict of its
methods and as the text of status()."""

import os
import socket
import threading

import sqlalchemy
from sqlalchemy.exc import TimeoutError
from sqlalchemy.pool import QueuePool

from common import (Reporter, check, done, equal, label, until)

POOL = "queuepool"
TEXT = "queuepool-text"
ME = "web-1:4711"

reporter = Reporter()


def make_engine(**options):
    return sqlalchemy.create_engine(
        "postgresql+psycopg2://app@/", poolclass=QueuePool,
        connect_args={"options": label(POOL, ME)}, **options)


def as_dict(pool):
    return {"size": pool.size(), "checkedin": pool.checkedin(),
            "checkedout": pool.checkedout(), "overflow": pool.overflow(),
            "max_overflow": pool._max_overflow, "timeout": pool.timeout()}


def step(name, pool, status, connections, held):
    """Report the pool both ways; both rows show what it says."""
    check(name + ": dict has its row",
          reporter.report(POOL, as_dict(pool), ME))
    check(name + ": text has its row",
          reporter.report(TEXT, pool.status(), ME))
    equal(name + ": the pool lent what is held", pool.checkedout(), held)

    numbers = {
        "pool_size": pool.size(),
        "checked_in": pool.checkedin(),
        "checked_out": pool.checkedout(),
        "overflow": max(pool.overflow(), 0),
        "open": pool.checkedin() + pool.checkedout(),
        "dialect": "sqlalchemy",
        "waiting": None,
    }
    reporter.compare(name + ", text", TEXT, ME, numbers)
    limited = pool._max_overflow >= 0
    reporter.compare(name + ", dict", POOL, ME, dict(
        numbers,
        max_overflow=pool._max_overflow if limited else None,
        max_size=pool.size() + pool._max_overflow if limited else None,
        unlimited=not limited,
        status=status))
    reporter.connections(name, POOL, ME, connections)


engine = make_engine(pool_size=2, max_overflow=1, pool_timeout=1)
pool = engine.pool
step("empty", pool, "ok", 0, 0)

held = [engine.connect()]
step("partly used", pool, "ok", 1, 1)

held.append(engine.connect())
held.pop().close()
step("one in, one out", pool, "ok", 2, 1)

held.append(engine.connect())
step("pool_size reached", pool, "ok", 2, 2)

held.append(engine.connect())
step("full with overflow", pool, "exhausted", 3, 3)

outcome = []


def queue():
    try:
        outcome.append(engine.connect())
    except TimeoutError as error:
        outcome.append(error)


# nobody but the queue itself knows who waits
thread = threading.Thread(target=queue, daemon=True)
thread.start()
until("a thread in the queue", lambda: len(pool._pool.not_empty._waiters) == 1
      or outcome)
step("waiting", pool, "exhausted", 3, 3)

thread.join()
check("timed out: the library says so", isinstance(outcome[0], TimeoutError),
      outcome)
step("timed out", pool, "exhausted", 3, 3)

# this one waits until a connection comes back
engine2_timeout = pool._timeout
pool._timeout = 300
outcome.clear()
thread = threading.Thread(target=queue, daemon=True)
thread.start()
until("a thread in the queue", lambda: len(pool._pool.not_empty._waiters) == 1)
held.pop().close()
thread.join()
pool._timeout = engine2_timeout
held.append(outcome[0])
step("handed over", pool, "exhausted", 3, 3)

while held:
    held.pop().close()
step("returned, overflow closed", pool, "ok", 2, 0)

engine.dispose()
step("disposed", engine.pool, "ok", 0, 0)

check("forgotten", reporter.forget(POOL, ME))
check("forgotten, text", reporter.forget(TEXT, ME))
equal("forgotten: no row", reporter.instance(POOL, ME), None)

# no limit: pool_size 0, and max_overflow -1
for name, options in (("size 0", {"pool_size": 0}),
                      ("max_overflow -1", {"pool_size": 1,
                                           "max_overflow": -1})):
    engine = make_engine(**options)
    held = [engine.connect() for _ in range(3)]
    pool = engine.pool
    reporter.report(POOL, as_dict(pool), ME)
    reporter.compare("unlimited, " + name, POOL, ME, {
        "unlimited": True, "max_size": None, "used_pct": None,
        "checked_out": pool.checkedout(), "checked_in": pool.checkedin(),
        "overflow": max(pool.overflow(), 0), "status": "ok"})
    reporter.connections("unlimited, " + name, POOL, ME, 3)
    while held:
        held.pop().close()
    engine.dispose()
    reporter.connections("unlimited and closed, " + name, POOL, ME, 0)

# the label's sizes complete what the text does not say
options = label("labelled-text", ME, pool_size=2, max_overflow=1)
engine = sqlalchemy.create_engine(
    "postgresql+psycopg2://app@/", pool_size=2, max_overflow=1,
    connect_args={"options": options})
held = [engine.connect() for _ in range(3)]
reporter.report("labelled-text", engine.pool.status(), ME)
reporter.compare("text and label", "labelled-text", ME, {
    "pool_size": 2, "max_overflow": 1, "max_size": 3, "checked_out": 3,
    "overflow": 1, "status": "exhausted"})
while held:
    held.pop().close()
engine.dispose()

# as docs/clients.md has it
DSN = ("user=app options='-c pgpool_stats.pool=reports"
       " -c pgpool_stats.strict_reports=on'")
ME = "%s:%d" % (socket.gethostname(), os.getpid())
# docs: begin sqlalchemy-label
me = "%s:%d" % (socket.gethostname(), os.getpid())
engine = sqlalchemy.create_engine(
    "postgresql+psycopg2://app@/", pool_size=1, max_overflow=1,
    connect_args={"options": "-c pgpool_stats.pool=documented-sa"
                             " -c pgpool_stats.instance=" + me})
# docs: end
held = [engine.connect(), engine.connect()]

reporter.connections("documented", "documented-sa", ME, 2)
while held:
    held.pop().close()
engine.dispose()

done()
