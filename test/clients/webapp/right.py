"""A small shop behind gunicorn: each worker makes its pool after the fork."""

# docs: begin gunicorn-app
import os
import socket

from flask import Flask
from psycopg2.pool import ThreadedConnectionPool

from common import report_forever

app = Flask(__name__)
pool = None


def start_pool():
    """gunicorn calls this in each worker, after the fork."""
    global pool
    me = "%s:%d" % (socket.gethostname(), os.getpid())
    pool = ThreadedConnectionPool(
        1, 3, user="app",
        options="-c pgpool_stats.pool=right -c pgpool_stats.instance=" + me)
    report_forever("user=app options='-c pgpool_stats.pool=reports'",
                   "right", stats, every=0.2)


def stats():
    return {"minconn": pool.minconn, "maxconn": pool.maxconn,
            "idle": len(pool._pool), "used": len(pool._used)}
# docs: end


@app.route("/")
def work():
    conn = pool.getconn()
    try:
        conn.autocommit = True
        conn.cursor().execute("SELECT 1")
    finally:
        pool.putconn(conn)
    return str(os.getpid())
