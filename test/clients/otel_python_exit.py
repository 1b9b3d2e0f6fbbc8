"""An exporter of OpenTelemetry's metrics says goodbye when the interpreter ends,
with each driver, and so does each process of a fork."""

import os
import socket
import subprocess
import sys

from common import Reporter, done, equal

try:
    import opentelemetry.sdk.metrics                    # noqa: F401
except ImportError:
    print("there is no SDK of OpenTelemetry")
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
DRIVERS = {"psycopg", "psycopg2", "asyncpg"}
reporter = Reporter()


class App:
    def __init__(self, driver, way):
        self.step = "%s, %s" % (driver, way)
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", HERE + "/apps/otel_exit.py",
             ",".join(DRIVERS - {driver}), way],
            env=dict(os.environ, PYTHONPATH=HERE + "/../../clients/python"),
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

    def comes_to(self, what):
        """Returns the process that says so, as an instance"""
        said = self.process.stdout.readline().split()
        equal("%s: %s" % (self.step, what), " ".join(said[:-1]), what)
        return "%s:%s" % (socket.gethostname(), said[-1]) if said else None

    def goes_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def is_seen(self, what, instance, pools):
        equal("%s: %s" % (self.step, what), sorted(row["pool"] for row in reporter.rows(
            "SELECT pool FROM pgpool_stats.instances WHERE instance = %s", instance)), pools)

    def ends(self, status=0, says=""):
        errors = self.process.communicate()[1]
        equal("%s: how it ends" % self.step, self.process.returncode, status)
        equal("%s: what it says" % self.step, errors, says)
        equal("%s: forgotten" % self.step, reporter.one(
            "SELECT count(*) FROM pgpool_stats.instances WHERE pool LIKE 'exit-%%'"), 0)


BOTH = ["exit-a", "exit-b"]
for driver in sorted(DRIVERS):
    app = App(driver, "ends")
    instance = app.comes_to("reported")
    app.is_seen("reported", instance, BOTH)
    app.goes_on()
    app.ends()

app = App("psycopg", "fails")
app.comes_to("reported")
app.goes_on()
app.ends(1, "on purpose\n")

# its shutdown comes before the end
app = App("psycopg", "shuts down")
app.comes_to("reported")
app.goes_on()
app.is_seen("shut down", app.comes_to("shut down"), [])
app.goes_on()
app.ends()

# whose first export is that of its end
App("psycopg", "at once").ends()

# each process is an instance, and says goodbye for itself
app = App("psycopg", "forks")
parent = app.comes_to("reported")
app.goes_on()
child = app.comes_to("forked")
app.is_seen("forked: the child", child, BOTH)
app.is_seen("forked: the parent", parent, BOTH)
app.goes_on()
app.comes_to("alone")
app.is_seen("alone: the child", child, [])
app.is_seen("alone: the parent", parent, BOTH)
app.goes_on()
app.ends()
done()
