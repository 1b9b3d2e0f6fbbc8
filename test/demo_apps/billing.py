"""Writes bills: a ConnectionPool of psycopg_pool, 4 connections, which it
replaces now and then (max_lifetime)."""

import random
import threading
import time

from psycopg_pool import ConnectionPool, PoolTimeout

import pgpool_stats

pool = ConnectionPool("dbname=shop user=billing password=old", open=False,
                      min_size=4, max_size=4, max_lifetime=3)
pgpool_stats.watch(pool, "billing")
pool.open()


def work():
    while True:
        time.sleep(random.uniform(0.1, 0.6))
        try:
            with pool.connection() as conn:
                conn.execute("SELECT pg_sleep(0.05)")
        except PoolTimeout:
            pass


for _ in range(6):
    threading.Thread(target=work).start()
