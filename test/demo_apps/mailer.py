"""Sends mails: a ThreadedConnectionPool of psycopg2, 6 connections.

The bug: it talks to the mail server in the middle of its transaction."""

import os
import random
import sys
import threading
import time

from psycopg2.pool import PoolError, ThreadedConnectionPool

import pgpool_stats

pool = ThreadedConnectionPool(1, 6, "dbname=shop user=mailer")
pgpool_stats.watch(pool, "mailer")


def send_mail():
    """The mail server hangs as long as there is this file."""
    while os.path.exists(sys.argv[1]):
        time.sleep(0.1)


def work():
    while True:
        time.sleep(random.uniform(0.1, 0.6))
        try:
            conn = pool.getconn()
        except PoolError:           # all are lent; psycopg2 does not wait
            time.sleep(0.5)
            continue
        cur = conn.cursor()
        cur.execute("INSERT INTO mails DEFAULT VALUES")
        send_mail()
        conn.commit()
        pool.putconn(conn)


for _ in range(8):
    threading.Thread(target=work).start()
