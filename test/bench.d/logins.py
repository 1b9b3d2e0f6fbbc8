"""Rejected logins: what a flood of them costs.

The cheapest there is, of a role that does not exist: our part of it is largest.
"""

import collections
import os
import socket
import statistics
import subprocess
import time

from callgrind import total, variants, warm_up
from common import DATA, W, Server, children_cpu, faults, limit, number, psql, table, ticks
from wire import connect, message, startup, wait

SOCKET = DATA + "/.s.PGSQL.5432"
RATE = 1000                     # a second, if the machine can do as many
CLIENTS = 8
SECONDS = float(os.environ.get("BENCH_SECONDS", "60"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "10"))
SLICE = 6                       # seconds of one measurement
VARIANTS = (("without", ""), ("pgpool_stats", "pgpool_stats"))


def instructions():
    n = 20
    rows = []
    base = None
    packet = startup("nosuch", options="-c pgpool_stats.pool=flood -c pgpool_stats.instance=web-1:1")
    for name, preload, _ in variants():
        if name not in ("without", "pgpool_stats, labelled"):
            continue
        with Server(preload, callgrind=True) as server:
            server.profiles(warm_up)
            files = server.profiles(
                lambda: [connect(DATA, packet) for _ in range(n)], n)
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
        self.socket.connect(SOCKET)
        self.socket.sendall(startup(
            "postgres", options="-c pgpool_stats.pool=quiet -c pgpool_stats.instance=i"))
        wait(self.socket)
        self.ask_until(0)

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

    def ask_until(self, end):
        """Microseconds a query until then: CPU time, what a client waits for on
        average, and what only one of twenty queries exceeds"""
        took = []
        start = self.cpu()
        while len(took) < 1000 or time.monotonic() < end:
            began = time.monotonic()
            self.ask(f"SELECT abalance FROM pgbench_accounts WHERE aid = {1 + len(took) % 100000}")
            took.append(1e6 * (time.monotonic() - began))
        cpu = 1000 * (self.cpu() - start) / len(took)
        return cpu, statistics.mean(took), statistics.quantiles(took, n=20)[-1]


class Flood:
    """Rejected logins, beside what is done meanwhile"""

    def __init__(self, server, seconds):
        self.server = server
        self.before = self.taken()
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [os.path.join(W, "flood"), SOCKET, str(RATE), str(seconds), str(CLIENTS)],
            stdout=subprocess.PIPE, text=True)

    def taken(self):
        """ms of CPU and page faults, of the postmaster and of those that ended"""
        pid = self.server.process.pid
        return 1000 * (ticks(pid) + children_cpu(pid)), faults(pid)

    def wait(self):
        """How many there were, how many a second, and what each took"""
        logins, seconds = self.process.communicate()[0].split()
        self.server.settle()    # that is known when all have ended
        took = [(after - before) / int(logins) for after, before in zip(self.taken(), self.before)]
        return int(logins), int(logins) / float(seconds), *took


def alone():
    """How many the machine takes if it does nothing else, in turn"""
    seen = collections.defaultdict(list)
    for _ in range(ROUNDS):
        for name, preload in VARIANTS:
            with Server(preload) as server:
                Flood(server, 1).wait()
                seen[name].append(Flood(server, SLICE).wait()[1:])
    table(f"Rejected logins, {RATE:,} a second asked for and nothing else done, median of {ROUNDS} x "
          f"{SLICE} s in turn",
          ("", "a second", "ms of CPU of each", "page faults of each"),
          [(name, *(number(statistics.median(values), digits)
                    for values, digits in zip(zip(*seen[name]), (0, 2, 0)))) for name, _ in VARIANTS])


def beside():
    """What another session has of it, in turn"""
    seen = collections.defaultdict(list)
    rate = []
    for _ in range(ROUNDS):
        for name, preload in VARIANTS:
            with Server(preload) as server:
                session = Session()
                for flooded in (False, True):
                    flood = Flood(server, SLICE) if flooded else None
                    seen[name, flooded].append(session.ask_until(time.monotonic() + SLICE / (1 if flooded else 2)))
                    if flood:
                        rate.append(flood.wait()[1])
    found = {case: [statistics.median(of) for of in zip(*values)] for case, values in seen.items()}
    rows = [(f"{name}, {'beside them' if flooded else 'alone'}", *(number(us, 1) for us in found[name, flooded]))
            for flooded in (False, True) for name, _ in VARIANTS]
    rows.append(("beside them, to without us",
                 *(number(a / b, 2) for a, b in zip(found["pgpool_stats", True], found["without", True]))))
    table(f"A query of another session beside {statistics.median(rate):,.0f} rejected logins a second, microseconds, "
          f"median of {ROUNDS} x {SLICE} s in turn",
          ("", "CPU", "waited, mean", "waited, p95"), rows)
    limit("CPU of another session beside rejected logins, to that without us",
          found["pgpool_stats", True][0] / found["without", True][0], 1.05)
    limit("what another session waits beside rejected logins, to that without us",
          found["pgpool_stats", True][1] / found["without", True][1], 1.05)


FIGURES = """SELECT coalesce(string_agg(p::text, ' ' ORDER BY pool), '')
    FROM (SELECT pool, rejected, s.rejected_logins, connects, connections, status
          FROM pgpool_stats.pools JOIN pgpool_stats.sessions s USING (pool, datname, usename, connects, connections)
          WHERE pool <> 'psql') p"""
FIRST = """SELECT count(*) FROM pgpool_stats.rejections
    WHERE pool = 'flood' AND first_rejected < to_timestamp({}) + interval '5 s'"""
COUNTED = "SELECT coalesce(sum(count), 0) FROM pgpool_stats.rejections WHERE pool = 'flood'"


def whole():
    """A flood of a minute: what it leaves"""
    with Server("pgpool_stats") as server:
        session = Session()
        before = psql(FIGURES)
        began = time.time()
        logins = Flood(server, SECONDS).wait()[0]
        session.ask("SELECT 1")
        limit("floods that changed figures of another pool", before != psql(FIGURES), 0)
        limit("floods whose first minute was not kept", psql(FIRST.format(began)) == "0", 0)
        limit("rejected logins that were not counted", logins - int(psql(COUNTED)), 0)


instructions()
alone()
beside()
whole()
