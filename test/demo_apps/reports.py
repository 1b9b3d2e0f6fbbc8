"""An application with psycopg_pool: more callers than connections, so that
some always wait."""

import os
import random
import socket
import threading
import time

import psycopg
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

ME = "%s:%d" % (socket.gethostname(), os.getpid())
DSN = "dbname=shop user=reports"
LABEL = "-c pgpool_stats.pool=reports -c pgpool_stats.instance=" + ME

pool = ConnectionPool(DSN, min_size=2, max_size=4, kwargs={"options": LABEL})


def work():
    while True:
        with pool.connection() as conn:
            conn.execute("SELECT pg_sleep(%s)", (random.uniform(0.2, 0.6),))


def report():
    """What the pool says of itself, over a connection of its own."""
    with psycopg.connect(DSN, options=LABEL, autocommit=True) as conn:
        conn.execute("SELECT pgpool_stats.report(%s, %s, %s)",
                     ("reports", Jsonb(pool.get_stats()), ME))


for _ in range(9):
    threading.Thread(target=work, daemon=True).start()
while True:
    report()
    time.sleep(1)
