"""A pool of psycopg2 that does what it is told: "take N" and "give N" on
stdin.  It answers "ok" when it has reported."""

import json
import sys

import psycopg2
import psycopg2.pool


def main(dsn, name, size):
    label = "-c pgpool_stats.pool=%s -c pgpool_stats.instance=host:1"
    pool = psycopg2.pool.ThreadedConnectionPool(
        size, size, dsn, options=label % name)
    reporter = psycopg2.connect(dsn, options=label % "reporter")
    reporter.autocommit = True
    lent = []

    for line in sys.stdin:
        word, number = line.split()
        for _ in range(int(number)):
            if word == "take":
                lent.append(pool.getconn())
                lent[-1].cursor().execute("SELECT 1")
            else:
                pool.putconn(lent.pop())
        stats = {"minconn": pool.minconn, "maxconn": pool.maxconn,
                 "idle": len(pool._pool), "used": len(pool._used)}
        reporter.cursor().execute("SELECT pgpool_stats.report(%s, %s, %s)",
                                  (name, json.dumps(stats), "host:1"))
        print("ok", flush=True)


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
