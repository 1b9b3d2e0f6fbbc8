"""A Flask application under gunicorn: pools made after the fork are instances
of their own; one made before it is flagged."""

import http.client
import os
import socket
import subprocess
import sys

from common import Reporter, check, done, equal, until

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
             "--pythonpath", HERE, "--worker-tmp-dir", os.environ["TESTDIR"],
             *options, name + ":app"])

    def get(self):
        """The pid of the worker that answered, None if none did."""
        conn = http.client.HTTPConnection("localhost", timeout=300)
        conn.sock = socket.socket(socket.AF_UNIX)
        try:
            conn.sock.connect(self.socket)
            conn.request("GET", "/")
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


# right: a pool in each worker
server = Server("right", "--config", HERE + "/webapp/gunicorn.conf.py")
for me in server.all_workers():
    until("a report", lambda:
          (reporter.instance("right", me) or {}).get("checked_out") == 0)
    reporter.compare("right", "right", me, {
        "dialect": "psycopg2", "max_size": 3, "checked_in": 1, "status": "ok",
        "connections": 1})
    equal("right: nothing to note", reporter.instance("right", me)["notes"],
          None)
equal("right: an instance for each worker",
      reporter.pool("right")["instances"], WORKERS)
equal("right: a connection for each worker",
      reporter.pool("right")["connections"], WORKERS)
server.end()

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
