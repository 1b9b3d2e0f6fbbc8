"""The same shop, made wrong: its pool is from before the fork, so that the
workers share its connections, and they report through it."""

import json
import os
import socket

from flask import Flask
from psycopg2.pool import ThreadedConnectionPool

app = Flask(__name__)
pool = ThreadedConnectionPool(
    1, 3, user="app", options="-c pgpool_stats.pool=wrong"
    " -c pgpool_stats.strict_reports=on")


@app.route("/")
def work():
    conn = pool.getconn()
    try:
        conn.autocommit = True
        conn.cursor().execute("SELECT pgpool_stats.report('wrong', %s)", (
            json.dumps({"minconn": pool.minconn, "maxconn": pool.maxconn,
                        "idle": len(pool._pool), "used": len(pool._used),
                        "host": socket.gethostname(), "pid": os.getpid()}),))
    finally:
        pool.putconn(conn)
    return str(os.getpid())
