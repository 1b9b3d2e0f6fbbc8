"""Several real processes, each with its own pool of one name: instances
host:pid, whose numbers add up in the view pools."""

import os
import socket
import subprocess
import sys

from psycopg2.pool import ThreadedConnectionPool

from common import Reporter, check, done, equal, label, until

POOL = "prefork"
PROCESSES = 4
MAXCONN = 6
ME = "%s:%d" % (socket.gethostname(), os.getpid())


def worker():
    """Obeys its standard input: a number is how many connections to hold."""
    pool = ThreadedConnectionPool(0, MAXCONN, user="app",
                                  options=label(POOL, ME))
    reporter = Reporter()
    held = []
    for line in sys.stdin:
        want = int(line)
        while len(held) < want:
            held.append(pool.getconn())
        while len(held) > want:
            pool.putconn(held.pop())
        reporter.report(POOL, {
            "minconn": pool.minconn, "maxconn": pool.maxconn,
            "idle": len(pool._pool), "used": len(pool._used),
            "keys": pool._keys}, ME)
        print(pool._keys, flush=True)
    pool.closeall()
    reporter.connections("closing", POOL, ME, 0)
    reporter.forget(POOL, ME)
    done()


class Worker:
    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, __file__, "worker"], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.instance = "%s:%d" % (socket.gethostname(), self.process.pid)
        self.held = self.checkouts = 0

    def hold(self, number):
        self.process.stdin.write("%d\n" % number)
        self.checkouts = int(self.process.stdout.readline())
        self.held = number

    def end(self):
        self.process.communicate()
        equal("%s ends well" % self.instance, self.process.wait(), 0)

    def kill(self):
        self.process.kill()
        self.process.wait()


def compare(step, workers, checkouts):
    for w in workers:
        reporter.compare("%s, %s" % (step, w.instance), POOL, w.instance, {
            "checked_out": w.held, "open": w.held, "max_size": MAXCONN,
            "checkouts": w.checkouts})
        reporter.connections(step, POOL, w.instance, w.held)
    fullest = max(w.held for w in workers)
    expected = {
        "instances": len(workers),
        "reporting": len(workers),
        "config": "%d x %d" % (len(workers), MAXCONN),
        "max_size": MAXCONN * len(workers),
        "checked_out": sum(w.held for w in workers),
        "open": sum(w.held for w in workers),
        "connections": sum(w.held for w in workers),
        "checkouts": checkouts,
        "exhausted_instances": sum(w.held == MAXCONN for w in workers),
        "status": "exhausted" if fullest == MAXCONN else "ok",
    }
    row = reporter.pool(POOL)
    for column, value in expected.items():
        equal("%s, pool: %s" % (step, column), row[column], value)
    equal("%s, pool: fullest_pct" % step,
          round(float(row["fullest_pct"])), round(100 * fullest / MAXCONN))


if len(sys.argv) > 1:
    worker()

reporter = Reporter()
workers = [Worker() for _ in range(PROCESSES)]
for name, numbers in (("idle", (0, 0, 0, 0)), ("uneven", (1, 2, 3, 0)),
                      ("one is full", (6, 1, 1, 0)),
                      ("all are full", (6, 6, 6, 6)),
                      ("quiet again", (0, 1, 0, 1))):
    for w, number in zip(workers, numbers):
        w.hold(number)
    compare(name, workers, sum(w.checkouts for w in workers))

# a deploy: one ends in order, one is killed, a new one comes
counted = sum(w.checkouts for w in workers)
workers.pop(0).end()
compare("one ended", workers, counted)
killed = workers.pop(0)
killed.kill()
until("the killed one's connections to go", lambda:
      reporter.instance(POOL, killed.instance)["connections"] == 0)
check("killed: its row stays until it is late",
      reporter.instance(POOL, killed.instance)["checked_out"] == killed.held)
reporter.forget(POOL, killed.instance)
compare("one killed and forgotten", workers, counted)
workers.append(Worker())
workers[-1].hold(2)
compare("a new one", workers, counted + workers[-1].checkouts)
counted += workers[-1].checkouts
for w in workers:
    w.end()
row = reporter.pool(POOL)
equal("all ended: checkouts stay", row["checkouts"], counted)
equal("all ended: instances", row["instances"], 0)

done()
