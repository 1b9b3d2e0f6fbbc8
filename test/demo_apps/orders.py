"""Takes orders: SQLAlchemy, 5 connections and up to 3 more."""

import random
import threading
import time

import sqlalchemy

import pgpool_stats

engine = sqlalchemy.create_engine("postgresql+psycopg2://orders@/shop",
                                  pool_size=5, max_overflow=3)
pgpool_stats.watch(engine, "orders")


def work():
    while True:
        time.sleep(random.uniform(0.1, 0.6))
        with engine.begin() as conn:
            conn.exec_driver_sql("UPDATE stock SET amount = amount - 1"
                                 " WHERE item = %s", (random.randint(1, 500),))
            conn.exec_driver_sql("SELECT pg_sleep(0.05)")


for _ in range(10):
    threading.Thread(target=work).start()
