"""An SQLAlchemy engine from before a fork, made good in each process."""

import os
import socket

from common import Reporter, check, done, equal, until

# docs: begin sqlalchemy-fork
import pgpool_stats
from sqlalchemy import create_engine, text

engine = create_engine("postgresql+psycopg2://app@/", pool_size=1)
pgpool_stats.watch(engine, "forked")


def after_fork():
    engine.dispose(close=False)     # the parent's connections stay its own


os.register_at_fork(after_in_child=after_fork)
# docs: end


def use():
    with engine.connect() as conn:
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
    until("a report of each process", lambda:
          (reporter.instance("forked", me) or {}).get("checked_in") == 1)
    row = reporter.instance("forked", me)
    equal("process: a connection of its own", row["connections"], 1)
    equal("process: nothing to note", row["notes"], None)
for pid, (_, end) in children.items():
    os.write(end, b"x")
    os.waitpid(pid, 0)
equal("the children's end closes none of the parent's", use(), parent)
check("and the parent goes on", engine.pool.checkedout() == 0)
engine.dispose()
done()
