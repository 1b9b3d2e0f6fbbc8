"""An application with psycopg2's ThreadedConnectionPool.

Usage: billing.py NAME MAXCONN [leak]; with "leak", it forgets to give some
connections back, until none is left."""

import os
import random
import socket
import sys
import threading
import time

import psycopg2
from psycopg2.extras import Json
from psycopg2.pool import PoolError, ThreadedConnectionPool

NAME, MAXCONN, LEAK = sys.argv[1], int(sys.argv[2]), "leak" in sys.argv
ME = "%s:%d" % (socket.gethostname(), os.getpid())
DSN = "dbname=shop user=" + NAME
LABEL = "-c pgpool_stats.pool=%s -c pgpool_stats.instance=%s" % (NAME, ME)

pool = ThreadedConnectionPool(1, MAXCONN, DSN, options=LABEL)


def work():
    while True:
        try:
            conn = pool.getconn()
        except PoolError:           # exhausted: psycopg2 does not wait
            time.sleep(0.5)
            continue
        cur = conn.cursor()
        cur.execute("SELECT pg_sleep(%s)", (random.uniform(0.05, 0.3),))
        if LEAK and random.random() < 0.5:
            continue                # the bug: an early way out
        conn.commit()
        pool.putconn(conn)
        time.sleep(random.uniform(0, 0.2))


def report():
    """What the pool says of itself, over a connection of its own."""
    stats = {"minconn": pool.minconn, "maxconn": pool.maxconn,
             "idle": len(pool._pool), "used": len(pool._used)}
    conn = psycopg2.connect(DSN, options=LABEL)
    conn.autocommit = True
    conn.cursor().execute("SELECT pgpool_stats.report(%s, %s, %s)",
                          (NAME, Json(stats), ME))
    conn.close()


for _ in range(2):
    threading.Thread(target=work, daemon=True).start()
while True:
    report()
    time.sleep(1)
