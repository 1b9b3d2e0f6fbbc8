"""An SQLAlchemy engine from before a fork, made good in each process."""

import json
import os
import socket

import sqlalchemy
from sqlalchemy import event, text

from common import Reporter, check, done, equal

POOL = "forked"

engine = sqlalchemy.create_engine("postgresql+psycopg2://app@/", pool_size=1)


# docs: begin sqlalchemy-fork
@event.listens_for(engine, "do_connect")
def label(dialect, record, args, params):
    """Called for each new connection, in the process that opens it."""
    params["options"] = (
        "-c pgpool_stats.pool=forked -c pgpool_stats.instance=%s:%d"
        % (socket.gethostname(), os.getpid()))


def after_fork():
    engine.dispose(close=False)     # the parent's connections stay its own


os.register_at_fork(after_in_child=after_fork)
# docs: end


def use():
    """Report over the pool, as the server can see then who shares one."""
    pool = engine.pool
    stats = {"size": pool.size(), "checkedin": pool.checkedin(),
             "checkedout": pool.checkedout(), "overflow": pool.overflow(),
             "max_overflow": pool._max_overflow,
             "host": socket.gethostname(), "pid": os.getpid()}
    with engine.connect() as conn:
        conn.execute(text("SELECT pgpool_stats.report(:pool, :stats)"),
                     {"pool": POOL, "stats": json.dumps(stats)})
        return conn.execute(text("SELECT pg_backend_pid()")).scalar()


parent = use()
children = {}
for _ in range(2):
    read, write = os.pipe()
    end_read, end_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(end_write)
        os.write(write, b"%d" % use())
        os.close(write)
        os.read(end_read, 1)        # it keeps its connection until then
        os._exit(0)
    os.close(write)
    os.close(end_read)
    with os.fdopen(read) as answer:
        children[pid] = (int(answer.read()), end_write)

equal("three processes, three backends",
      len({parent} | {backend for backend, _ in children.values()}), 3)
equal("the parent's connection is as it was", use(), parent)

reporter = Reporter()
for pid in [os.getpid(), *children]:
    me = "%s:%d" % (socket.gethostname(), pid)
    reporter.compare("process", POOL, me, {
        "dialect": "sqlalchemy", "connections": 1, "notes": None})
for pid, (_, end) in children.items():
    os.write(end, b"x")
    os.waitpid(pid, 0)
equal("the children's end closes none of the parent's", use(), parent)
check("and the parent goes on", engine.pool.checkedout() == 0)
engine.dispose()
done()
