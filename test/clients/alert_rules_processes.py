"""Alerts of several processes: fork_sharing, shared_instance,
registry_full."""

import os
import socket
import subprocess
import sys

import psycopg2.extras
import psycopg2.pool
from psycopg_pool import ConnectionPool

from common import Reporter, Rules, check, done, equal, label, until

HOST = socket.gethostname()
SHARED = "web-1"        # the instance name that two processes use


def worker():
    """Obeys its standard input: each line is one report of its pool."""
    pool = ConnectionPool("user=app", name="rules-shared", min_size=1,
                          open=True, kwargs={
                              "options": label("rules-shared", SHARED)})
    pool.wait()
    reporter = Reporter()
    for _ in sys.stdin:
        stats = dict(pool.get_stats(), host=HOST, pid=os.getpid())
        # how long it took to connect is by chance more or less than before:
        # a step back, too
        stats.pop("connections_ms")
        print(reporter.report(pool.name, stats, SHARED), flush=True)
    pool.close()


class Worker:
    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, __file__, "worker"], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def report(self):
        self.process.stdin.write("\n")
        equal("a worker reports", self.process.stdout.readline(), "True\n")

    def end(self):
        self.process.communicate()


def shared_instance():
    """Two workers have one name.  That they take turns is seen when more
    than 3 of the last 10 reports come from one who was there before."""
    alert = rules.watch("shared_instance", pool="rules-shared")
    first, second = Worker(), Worker()
    for _ in range(10):
        first.report()
    alert.silent("one process")
    for turn in second, first, second, first:
        turn.report()
    alert.silent("3 of 10 reports out of turn")
    second.report()
    alert.fires("4 of 10 reports out of turn", severity="warning", value=1,
                instance=SHARED, message="rules-shared on clients: several"
                " processes report as instance " + SHARED)
    first.end()
    for _ in range(9):
        second.report()
    alert.fires("still one of the last 10", severity="warning")
    second.report()
    alert.clears("only one process is left")
    second.end()
    reporter.forget("rules-shared", SHARED)


def in_child(work):
    """Fork; returns the pid.  The child ends when it has worked, and leaves
    its parent's connections alone."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    return pid


def fork_sharing():
    """A pool made before the fork, and used behind it"""
    name = "rules-forked"
    pool = psycopg2.pool.ThreadedConnectionPool(
        1, 2, user="app", options=label(name, "%s:%d" % (HOST, os.getpid())))

    def report(pool=pool):
        """On one of its connections, as an application does"""
        conn = pool.getconn()
        conn.cursor().execute(
            "SELECT pgpool_stats.report(%s, %s)",
            (name, psycopg2.extras.Json({
                "minconn": pool.minconn, "maxconn": pool.maxconn,
                "idle": len(pool._pool), "used": len(pool._used),
                "host": HOST, "pid": os.getpid()})))
        conn.commit()
        pool.putconn(conn)

    def with_own_pool():
        own = psycopg2.pool.ThreadedConnectionPool(
            1, 2, user="app",
            options=label(name, "%s:%d" % (HOST, os.getpid())))
        report(own)
        own.closeall()

    alert = rules.watch("fork_sharing", pool=name)
    report()
    healthy = "%s:%d" % (HOST, in_child(with_own_pool))
    report()
    until("both report", lambda: reporter.pool(name)["reporting"] == 2)
    alert.silent("a pool for each process")
    child = "%s:%d" % (HOST, in_child(report))
    alert.fires("one pool for two processes", severity="critical", value=1,
                instance=child)
    check("fork_sharing: in words", alert.row()["message"].endswith(
        " instances uses the connection of another process: %s that of %s:%d"
        % (child, HOST, os.getpid())), alert.row())
    # the child has gone: its report becomes late
    report()
    rules.set(stale_after="1s")
    alert.clears("it has gone", report)
    pool.closeall()
    for instance in healthy, child, "%s:%d" % (HOST, os.getpid()):
        reporter.forget(name, instance)
    rules.set(stale_after="3min")


def registry_full():
    """A role that may have 3 instances without a connection.  Four pools
    have none, as those behind a pooler, and report on another one."""
    rules.execute("CREATE ROLE rules_crowd LOGIN")
    rules.set("registry_full: for 1min", max_instances_per_role="3")
    crowd = Reporter("rules_crowd")
    alert = rules.watch("registry_full", pool="")
    pools = [psycopg2.pool.ThreadedConnectionPool(0, 2, user="rules_crowd")
             for _ in range(4)]

    def report(number):
        pool = pools[number]
        return crowd.report("rules-crowd", {
            "minconn": pool.minconn, "maxconn": pool.maxconn,
            "idle": len(pool._pool), "used": len(pool._used)},
            "%s:%d" % (HOST, number))

    equal("registry_full: room for 3", [report(n) for n in range(3)],
          [True] * 3)
    alert.silent("3 of 3")
    equal("registry_full: none for another", report(3), False)
    alert.fires("1 more", severity="warning", value=1, threshold=1,
                message="registry full: 1 report or connection without a"
                " row in the last 1 min")
    equal("registry_full: who has a row keeps it", report(0), True)
    rules.set("registry_full: for 1s")
    alert.clears("nobody without a row lately", lambda: report(0))
    for number in range(3):
        crowd.forget("rules-crowd", "%s:%d" % (HOST, number))
    crowd.conn.close()
    rules.execute("DROP ROLE rules_crowd")


if len(sys.argv) > 1:
    worker()
    done()

rules = Rules()
reporter = Reporter()
shared_instance()
fork_sharing()
registry_full()
done()
