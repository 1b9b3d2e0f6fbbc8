"""Pools that follow a primary wherever it goes: "moving_pools.py HOSTS PORTS",
comma separated.  Each has three connections, and three threads that use them
for as long as stdin is open; at its end it says how many statements they ran
and how many failed."""

import sys
import threading

import sqlalchemy
from psycopg_pool import ConnectionPool

import pgpool_stats

SIZE = 3


def psycopg(where):
    """psycopg_pool, which looks at a connection when it comes back"""
    pool = ConnectionPool(" ".join("%s=%s" % pair for pair in where.items()),
                          min_size=SIZE, max_size=SIZE, reconnect_timeout=1,
                          name="psycopg", open=False)
    pgpool_stats.watch(pool, "psycopg")
    pool.open()

    def use():
        with pool.connection(timeout=1) as connection:
            connection.execute("SELECT pg_sleep(0.01)")
    return use


def alchemy(where):
    """SQLAlchemy, which looks at a connection before it is lent"""
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg2://", connect_args=where, pool_size=SIZE, max_overflow=0,
        pool_timeout=1, pool_pre_ping=True)
    pgpool_stats.watch(engine, "alchemy")

    def use():
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("SELECT pg_sleep(0.01)"))
    return use


def work(use, ended, counts):
    while not ended.is_set():
        try:
            use()
            counts.append(1)
        except Exception:
            counts.append(0)


def main(hosts, ports):
    where = {"host": hosts, "port": ports, "dbname": "postgres", "user": "app",
             "target_session_attrs": "read-write", "connect_timeout": "2"}
    ended = threading.Event()
    threads, counts = [], {}
    for make in (psycopg, alchemy):
        use, counts[make.__name__] = make(where), []
        threads += [threading.Thread(target=work, args=(use, ended, counts[make.__name__])) for _ in range(SIZE)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    ended.set()
    for thread in threads:
        thread.join()
    for name, good in counts.items():
        print(name, sum(good), len(good) - sum(good))


main(*sys.argv[1:])
