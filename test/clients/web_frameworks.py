"""The complete applications of docs/clients.md for FastAPI, Django, Express,
Rails and Spring, each with two lines of ours: a label, a report, a goodbye."""

import glob
import http.client
import os
import re
import socket
import subprocess
import sys

from common import Reporter, check, done, equal, until

import pgpool_stats                 # common.py says where it is


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


def compiled(name):
    """Spring finds no class that the launcher has compiled in memory."""
    path = ":".join([os.environ["CLASSPATH"], os.environ["TESTDIR"], *glob.glob(
        "/usr/share/java/spring3-*.jar")])
    subprocess.run(["javac", "-cp", path, "-d", os.environ["TESTDIR"],
                    "%s/%s.java" % (WEBAPP, name)], check=True)
    return ["java", "-XX:TieredStopAtLevel=1", "-cp", path, name]


WEBAPP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "webapp")
APPS = {
    "shop_fastapi": ("py", lambda path: [
        sys.executable, "-m", "uvicorn", "--uds", path, "shop_fastapi:app"]),
    "shop_django": ("py", lambda path: [
        sys.executable, "-m", "gunicorn", "--bind", "unix:" + path,
        "--worker-tmp-dir", os.environ["TESTDIR"], "--config",
        "gunicorn.conf.py", "shop_django:app"]),
    "shop_express": ("js", lambda path: ["node", "shop_express.js"]),
    # forks its worker
    "shop_rails": ("ru", lambda path: [
        "puma", "--quiet", "--environment", "production", "--workers", "1",
        "--preload", "--bind", "unix://" + path, "shop_rails.ru"]),
    "shop_spring": ("java", lambda path: compiled("shop_spring")),
}
# listens on no Unix socket
PORTS = {"shop_spring": free_port}

reporter = Reporter()


def ask(path):
    """The pid of who answered, None if nobody did"""
    conn = http.client.HTTPConnection("127.0.0.1", timeout=300)
    try:
        if path.startswith("/"):
            conn.sock = socket.socket(socket.AF_UNIX)
            conn.sock.connect(path)
        else:
            conn.port = int(path)
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
            line for line in f if re.search(
                r"pgpool.?stats|watch\(", line, re.I)]), 2)
    path = PORTS[name]() if name in PORTS else "%s/%s.sock" % (
        os.environ["TESTDIR"], name)
    process = subprocess.Popen(
        command(path), cwd=WEBAPP, stdout=subprocess.DEVNULL, env=dict(
            os.environ, PORT=path, RACK_ENV="production",
            JDBC_URL="jdbc:postgresql://127.0.0.1:%s/%s" % (
                os.environ["PGPORT"], os.environ["PGDATABASE"]),
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
            not reports or row().get("open")))
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
