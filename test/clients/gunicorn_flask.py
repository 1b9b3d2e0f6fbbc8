"""A Flask application under gunicorn, watched by two lines, with and without
preload_app; a pool that shares its connections over a fork is flagged."""

import http.client
import os
import socket
import subprocess
import sys
import threading

from common import Reporter, check, connect, done, equal, until

import pgpool_stats                 # common.py says where it is

WORKERS = 2
HERE = os.path.dirname(os.path.abspath(__file__))
FLAG = "was the pool made before a fork?"

reporter = Reporter()


class Server:
    """gunicorn on a Unix socket."""

    def __init__(self, name, *options):
        self.socket = "%s/%s.sock" % (os.environ["TESTDIR"], name)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--bind", "unix:" + self.socket,
             "--workers", str(WORKERS), "--chdir", HERE + "/webapp",
             "--worker-tmp-dir", os.environ["TESTDIR"],
             *options, name + ":app"],
            env=dict(os.environ,
                     PYTHONPATH=os.path.dirname(pgpool_stats.__file__)))

    def get(self, path="/"):
        """The pid of the worker that answered, None if none did."""
        conn = http.client.HTTPConnection("localhost", timeout=300)
        conn.sock = socket.socket(socket.AF_UNIX)
        try:
            conn.sock.connect(self.socket)
            conn.request("GET", path)
            answer = conn.getresponse()
            return int(answer.read()) if answer.status == 200 else None
        except OSError:
            return None
        finally:
            conn.close()

    def all_workers(self):
        """Ask until each worker has answered."""
        pids = set()

        def ask():
            pid = self.get()
            if pid:
                pids.add(pid)
            return len(pids) == WORKERS
        until("an answer of each worker", ask)
        return ["%s:%d" % (socket.gethostname(), pid) for pid in pids]

    def end(self):
        self.process.terminate()
        self.process.wait()


def background(path, server, times=1):
    """Requests that may have to wait"""
    threads = [threading.Thread(target=server.get, args=(path,))
               for _ in range(times)]
    for thread in threads:
        thread.start()
    return threads


# two lines more than without
with open(HERE + "/webapp/shop.py") as f:
    equal("lines that are added",
          len([line for line in f if "pgpool_stats" in line]), 2)

for options in (["--preload"], []):
    step = " ".join(["shop"] + options)
    server = Server("shop", "--threads", "6", "--config",
                    HERE + "/webapp/gunicorn.conf.py", *options)
    workers = server.all_workers()
    for me in workers:
        until("a report", lambda:
              (reporter.instance("shop", me) or {}).get("checked_in") == 1)
        row = reporter.instance("shop", me)
        for key, value in {"dialect": "sqlalchemy", "max_size": 1, "open": 1,
                           "connections": 1, "status": "ok",
                           "notes": None}.items():
            equal("%s: %s" % (step, key), row[key], value)
    equal(step + ": an instance for each worker",
          reporter.pool("shop")["instances"], WORKERS)

    # one request holds the only connection of its worker, others wait for it
    lock = connect("postgres")
    lock.cursor().execute("SELECT pg_advisory_lock(4711)")
    slow, more = [], []

    def full():
        if not any(thread.is_alive() for thread in slow):
            slow[:] = background("/slow", server)
        return any((reporter.instance("shop", me) or {}).get(
            "checked_out") == 1 for me in workers)
    until(step + ": a worker's pool is full", full)

    def told(column):
        if not any(thread.is_alive() for thread in more):
            more[:] = background("/", server, 4)
        return full() and any((reporter.instance("shop", me) or {}).get(
            column) for me in workers)
    for column in ("waiting", "waits", "timeouts"):
        until("%s: %s" % (step, column), lambda: told(column))
        print("ok - %s: the server is told of %s" % (step, column))
    lock.close()
    for thread in slow + more:
        thread.join()
    server.end()
    until(step + ": no instance is left", lambda: not any(
        reporter.instance("shop", me) for me in workers))

# wrong: the workers share the connection of before the fork
server = Server("wrong", "--preload")
server.all_workers()
server.all_workers()
rows = reporter.rows("SELECT instance, connections, notes"
                     " FROM pgpool_stats.instances WHERE pool = 'wrong'")
check("wrong: the shared connection is noted",
      any(FLAG in (row["notes"] or "") for row in rows), rows)
equal("wrong: one connection for all", sum(
    row["connections"] for row in rows), 1)
server.end()

done()
