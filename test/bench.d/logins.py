"""Rejected logins: what a flood of them costs.

The cheapest there is, of a role that does not exist: our part of it is largest.
"""

import collections
import os
import socket
import statistics
import threading
import time

from callgrind import total, variants, warm_up
from common import DATA, Server, limit, number, psql, table
from wire import connect, message, startup, wait

RATE = 1000                     # a second
SECONDS = float(os.environ.get("BENCH_SECONDS", "60"))
ROUNDS = 2
CLIENTS = 8


def packet(n):
    return startup("nosuch", application_name=f"flood{n}",
                   options=f"-c pgpool_stats.pool=flood -c pgpool_stats.instance=web-{n}:1")


def instructions():
    n = 20
    rows = []
    base = None
    for name, preload, _ in variants():
        if name not in ("without", "pgpool_stats, labelled"):
            continue
        with Server(preload, callgrind=True) as server:
            server.profiles(warm_up)
            files = server.profiles(
                lambda: [connect(DATA, packet(1)) for _ in range(n)], n)
            value = statistics.median(total(f) for f in files)
        base = base or value
        rows.append((name, number(value), f"{100 * (value - base) / base:.2f} %"))
    table(f"Instructions of a login that is rejected, median of {n}",
          ("", "a login", "added"), rows)
    limit("instructions of a rejected login to those without us", value / base, 1.05)


class Session:
    """A session that asks one row by its key, again and again."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(DATA + "/.s.PGSQL.5432")
        self.socket.sendall(startup(
            "postgres", options="-c pgpool_stats.pool=quiet -c pgpool_stats.instance=i"))
        wait(self.socket)

    def ask(self, query):
        self.socket.sendall(message(b"Q", query.encode() + b"\0"))
        got = b""
        while not got.endswith(b"Z\0\0\0\5I"):
            got += self.socket.recv(65536)
        return got

    def cpu(self):
        """Milliseconds that its process has run, out of a row of one column"""
        got = self.ask("SELECT bench_cpu()")
        at = got.index(b"D\0\0")
        length = int.from_bytes(got[at + 7:at + 11], "big")
        return float(got[at + 11:at + 11 + length])

    def per_query(self, end):
        """Microseconds of CPU a query until then"""
        n = 0
        start = self.cpu()
        while n < 1000 or time.monotonic() < end:
            self.ask(f"SELECT abalance FROM pgbench_accounts WHERE aid = {1 + n % 100000}")
            n += 1
        return 1000 * (self.cpu() - start) / n


def flood(end):
    """Rejected logins at this rate; returns how to wait, and for how many"""
    done = collections.Counter()

    def client(number_of):
        due = time.monotonic()
        while due < end:
            time.sleep(max(due - time.monotonic(), 0))
            due = max(due + CLIENTS / RATE, time.monotonic() - 1)
            connect(DATA, packet(number_of))
            done[number_of] += 1

    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()

    def count():
        for thread in threads:
            thread.join()
        return sum(done.values())
    return count


FIGURES = """SELECT coalesce(string_agg(p::text, ' ' ORDER BY pool), '')
    FROM (SELECT pool, rejected, s.rejected_logins, connects, connections, status
          FROM pgpool_stats.pools JOIN pgpool_stats.sessions s USING (pool, datname, usename, connects, connections)
          WHERE pool <> 'psql') p"""
FIRST = """SELECT count(*) FROM pgpool_stats.rejections
    WHERE pool = 'flood' AND first_rejected < to_timestamp({}) + interval '5 s'"""
COUNTED = "SELECT coalesce(sum(count), 0) FROM pgpool_stats.rejections WHERE pool = 'flood'"


def beside():
    cases = [(preload, flooded) for preload in ("", "pgpool_stats") for flooded in (False, True)]
    seen = collections.defaultdict(list)
    changed = lost = missing = 0
    rate = []
    for _ in range(ROUNDS):
        for preload, flooded in cases:
            with Server(preload, "max_connections=100"):
                session = Session()
                session.per_query(0)
                before = psql(FIGURES) if preload else None
                began = time.time()
                end = time.monotonic() + (SECONDS if flooded else SECONDS / 4)
                count = flood(end) if flooded else None
                seen[preload, flooded].append(session.per_query(end))
                if flooded:
                    n = count()
                    rate.append(n / SECONDS)
                    if preload:
                        changed += before != psql(FIGURES)
                        lost += psql(FIRST.format(began)) == "0"
                        missing = max(missing, n - int(psql(COUNTED)))
    found = {case: statistics.median(values) for case, values in seen.items()}
    table(f"CPU of a query of another session beside {statistics.median(rate):,.0f} rejected logins a second "
          f"for {SECONDS:.0f} s, microseconds, median of {ROUNDS} in turn",
          ("", "alone", "beside them", "ratio"),
          [(name, number(found[preload, False], 1), number(found[preload, True], 1),
            number(found[preload, True] / found[preload, False], 2))
           for name, preload in (("without", ""), ("pgpool_stats", "pgpool_stats"))])
    limit("CPU of another session beside rejected logins, to that without us",
          found["pgpool_stats", True] / found["", True], 1.05)
    limit("floods that changed figures of another pool", changed, 0)
    limit("floods whose first minute was not kept", lost, 0)
    limit("rejected logins that were not counted", missing, 0)


instructions()
beside()
