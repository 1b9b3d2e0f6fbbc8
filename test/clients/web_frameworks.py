"""The complete applications of docs/clients.md for FastAPI, Django and
Express, each with two lines of ours: a label, a report, a goodbye."""

import http.client
import os
import re
import socket
import subprocess
import sys

from common import Reporter, check, done, equal, until

import pgpool_stats                 # common.py says where it is

WEBAPP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "webapp")
APPS = {
    "shop_fastapi": ("py", lambda path: [
        sys.executable, "-m", "uvicorn", "--uds", path, "shop_fastapi:app"]),
    "shop_django": ("py", lambda path: [
        sys.executable, "-m", "gunicorn", "--bind", "unix:" + path,
        "--worker-tmp-dir", os.environ["TESTDIR"], "--config",
        "gunicorn.conf.py", "shop_django:app"]),
    "shop_express": ("js", lambda path: ["node", "shop_express.js"]),
}

reporter = Reporter()


def ask(path):
    """The pid of who answered, None if nobody did"""
    conn = http.client.HTTPConnection("localhost", timeout=300)
    conn.sock = socket.socket(socket.AF_UNIX)
    try:
        conn.sock.connect(path)
        conn.request("GET", "/")
        answer = conn.getresponse()
        return int(answer.read()) if answer.status == 200 else None
    except OSError:
        return None
    finally:
        conn.close()


for name, (kind, command) in APPS.items():
    with open("%s/%s.%s" % (WEBAPP, name, kind)) as f:
        equal(name + ": lines that are added", len([
            line for line in f if re.search(r"pgpool.stats|watch\(", line)]), 2)
    path = "%s/%s.sock" % (os.environ["TESTDIR"], name)
    process = subprocess.Popen(
        command(path), cwd=WEBAPP, stdout=subprocess.DEVNULL, env=dict(
            os.environ, PORT=path,
            PYTHONPATH=os.path.dirname(pgpool_stats.__file__)))
    try:
        pid = until(name + ": an answer", lambda: ask(path))
        me = "%s:%d" % (socket.gethostname(), pid)

        def row():
            ask(path)
            return reporter.instance(name, me) or {}
        # of Django without a pool there is only the label
        reports = name != "shop_django"
        until(name + ": its label", lambda: row().get("connections") and (
            not reports or row().get("checkouts")))
        seen = row()
        equal(name + ": as it should be", (seen["status"], seen["notes"]),
              ("ok", None))
        check(name + ": it is reported", not reports or (
            seen["max_size"] == 2 and seen["waiting"] == 0), seen)
    finally:
        process.terminate()
        process.wait()
    until(name + ": goodbye", lambda: not (
        (reporter.instance(name, me) or {}).get("connections")
        if name == "shop_django" else reporter.instance(name, me)))
    print("ok - %s: goodbye" % name)
done()
