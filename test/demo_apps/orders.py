"""An application with SQLAlchemy: QueuePool of 5 + 10, some load.

Usage: orders.py THREADS; run several, as behind a load balancer."""

import json
import os
import random
import socket
import sys
import threading
import time

import psycopg2
import sqlalchemy

ME = "%s:%d" % (socket.gethostname(), os.getpid())
DSN = "dbname=shop user=orders"
LABEL = ("-c pgpool_stats.pool=orders -c pgpool_stats.instance=%s"
         " -c pgpool_stats.pool_size=5 -c pgpool_stats.max_overflow=10" % ME)

engine = sqlalchemy.create_engine(
    "postgresql+psycopg2://orders@/shop", pool_size=5, max_overflow=10,
    connect_args={"options": LABEL})


def work():
    while True:
        with engine.begin() as conn:
            conn.exec_driver_sql("SELECT pg_sleep(%s)",
                                 (random.uniform(0.1, 0.4),))
        time.sleep(random.uniform(0, 0.1))


def report():
    """What the pool says of itself, over a connection of its own."""
    pool = engine.pool
    stats = {"size": pool.size(), "checkedin": pool.checkedin(),
             "checkedout": pool.checkedout(), "overflow": pool.overflow(),
             "max_overflow": pool._max_overflow}
    conn = psycopg2.connect(DSN, options=LABEL)
    conn.autocommit = True
    conn.cursor().execute("SELECT pgpool_stats.report(%s, %s, %s)",
                          ("orders", json.dumps(stats), ME))
    conn.close()


for _ in range(int(sys.argv[1])):
    threading.Thread(target=work, daemon=True).start()
while True:
    report()
    time.sleep(1)
