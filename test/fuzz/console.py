"""Consoles of poolers that lie, in all ways we could think of.

console.py SEED [KIND ...]: opens a port for each kind (all without any), prints
"kind port" lines, then an empty one, and serves until it is killed.
"""

import asyncio
import functools
import os
import random
import socket
import struct
import sys
import time

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 1
BIG = 1 << 30


def message(kind, body=b"", length=None):
    return kind + struct.pack("!i", len(body) + 4 if length is None else length) + body


def cstring(text):
    return (text if isinstance(text, bytes) else text.encode()) + b"\0"


def columns(names, count=None):
    body = struct.pack("!h", len(names) if count is None else count)
    for name in names:
        body += cstring(name) + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0)
    return message(b"T", body)


def row(cells, count=None):
    body = struct.pack("!h", len(cells) if count is None else count)
    for cell in cells:
        if cell is None:
            body += struct.pack("!i", -1)
        else:
            cell = cell if isinstance(cell, bytes) else str(cell).encode()
            body += struct.pack("!i", len(cell)) + cell
    return message(b"D", body)


DONE = message(b"C", b"SHOW\0")
READY = message(b"Z", b"I")
AUTH_OK = message(b"R", struct.pack("!i", 0))
HELLO = (AUTH_OK + message(b"S", b"server_version\x001.99.0/bouncer\0") +
         message(b"K", struct.pack("!ii", 1, 2)) + READY)


def error(text="no"):
    return message(b"E", b"SERROR\0C08P01\0M" + cstring(text) + b"\0") + READY


def table(names, *rows):
    return columns(names) + b"".join(row(r) for r in rows) + DONE + READY


POOLS = ["database", "user", "cl_active", "cl_waiting", "sv_active", "sv_idle",
         "sv_used", "sv_tested", "sv_login", "maxwait", "maxwait_us", "pool_mode"]
STATS = ["database", "total_xact_count", "total_query_count", "total_wait_time",
         "total_xact_time"]
DATABASES = ["name", "host", "port", "database", "force_user", "pool_size",
             "reserve_pool", "max_connections", "current_connections"]
SERVERS = ["type", "user", "database", "state", "addr", "port", "local_addr",
           "local_port", "remote_pid"]


def good(show, version="PgBouncer 1.99.0", pools=(), stats=(), databases=(),
         servers=()):
    """What an honest console answers."""
    if show == "SHOW VERSION":
        return table(["version"], [version])
    if show == "SHOW POOLS":
        return table(POOLS, *pools)
    if show == "SHOW STATS":
        return table(STATS, *stats)
    if show == "SHOW DATABASES":
        return table(DATABASES, *databases)
    if show == "SHOW SERVERS":
        return table(SERVERS, *servers)
    if show == "SHOW LISTS":
        return table(["list", "items"], ["used_clients", 3])
    if show == "SHOW CONFIG":
        return table(["key", "value", "changeable"],
                     ["max_client_conn", 100, "yes"])
    return error()


def honest(show):
    return good(show,
                pools=[["shop", "postgres", 3, 4, 2, 1, 0, 0, 0, 1, 500000,
                        "transaction"]],
                stats=[["shop", 10, 20, 3000000, 4000000]],
                databases=[["shop", "", 0, "postgres", "", 5, 2, 0, 3]])


# Two products by the columns that their sources document, never run here: a row
# for each server where they have one.
DOCUMENTED = {
    "pgcat": {
        "SHOW VERSION": (["version"], ["PgCat 1.2.0"]),
        "SHOW POOLS": (
            ["database", "user", "pool_mode", "cl_idle", "cl_active", "cl_waiting",
             "cl_cancel_req", "sv_active", "sv_idle", "sv_used", "sv_tested",
             "sv_login", "maxwait", "maxwait_us"],
            ["postgres", "postgres", "transaction", 1, 2, 3, 0, 2, 1, 0, 0, 1, 1, 500000]),
        "SHOW STATS": (
            ["instance", "database", "user", "total_xact_count", "total_query_count",
             "total_received", "total_sent", "total_xact_time", "total_query_time",
             "total_wait_time", "total_errors"],
            ["postgres_shard_0_primary", "postgres", "postgres", 10, 10, 100, 200,
             5000, 5000, 1000000, 1],
            ["postgres_shard_0_replica_1", "postgres", "postgres", 20, 20, 100, 200,
             5000, 5000, 2000500, 2]),
        "SHOW LISTS": (["list", "items"], ["used_clients", 2]),
        "SHOW SERVERS": (["server_id", "database_name", "user", "state"],
                         ["0x1", "postgres", "postgres", "active"]),
        "SHOW DATABASES": (
            ["name", "host", "port", "database", "force_user", "pool_size",
             "min_pool_size", "reserve_pool", "pool_mode", "max_connections",
             "current_connections", "paused", "disabled"],
            ["postgres_shard_0_primary", "a", "5432", "postgres", "postgres", 9, 0,
             0, "transaction", 9, 3, 0, 0]),
    },
    "pgdog": {
        "SHOW VERSION": (["version"], ["PgDog v0.1.6"]),
        "SHOW POOLS": (
            ["id", "database", "user", "addr", "port", "shard", "role", "cl_waiting",
             "sv_idle", "sv_active", "sv_idle_xact", "sv_total", "maxwait",
             "maxwait_us", "pool_mode", "paused", "banned", "healthy"],
            [1, "postgres", "postgres", "a", 5432, 0, "primary", 1, 1, 2, 1, 3, 1,
             500000, "transaction", "t", "f", "t"],
            [2, "postgres", "postgres", "b", 5432, 0, "replica", 2, 2, 1, 0, 3, 0,
             500000, "transaction", "t", "f", "t"]),
        "SHOW STATS": (
            ["database", "user", "addr", "port", "shard", "role", "total_xact_count",
             "total_query_count", "total_server_assignment_count", "total_received",
             "total_sent", "total_xact_time", "total_wait_time", "total_errors",
             "total_connect_count"],
            ["postgres", "postgres", "a", 5432, 0, "primary", 10, 10, 4, 100, 200,
             5, "1000.5", 1, 3],
            ["postgres", "postgres", "b", 5432, 0, "replica", 20, 20, 5, 100, 200,
             5, "2000", 2, 3]),
        "SHOW LISTS": (
            ["databases", "users", "pools", "used_clients", "used_clients",
             "free_servers", "used_servers"],
            [1, 1, 2, 0, 6, 0, 6]),
    },
}


def documented(product, show):
    answer = DOCUMENTED[product].get(show)
    return table(*answer) if answer else error()


NONSENSE = ["", "-5", "1e400", "NaN", "99999999999999999999999", "0x10", None,
            "'; DROP", b"\xff\xfe\xfd", "x" * 5000, b"\x01\x02", "1.5",
            "-9223372036854775808", "9223372036854775807", "  7", "7  "]


def nonsense(rng, show):
    def cells(n):
        return [rng.choice(NONSENSE) for _ in range(n)]

    def rows(n):
        return [cells(n) for _ in range(5)]

    if show == "SHOW VERSION":
        return table(["version"], ["PgBouncer " + "9" * 300])
    if show == "SHOW LISTS":
        return table(["list", "items"], *rows(2))
    if show == "SHOW CONFIG":
        return table(["key", "value"], *rows(2))
    return good(show, pools=rows(len(POOLS)), stats=rows(len(STATS)),
                databases=rows(len(DATABASES)), servers=rows(len(SERVERS)))


@functools.lru_cache(maxsize=None)
def crowd(show, version="PgBouncer 1.99.0"):
    rng = random.Random(SEED)

    def name():
        return bytes(rng.choice(b"abcdefgh\xc3\xa9\xff '\"") for _ in range(12))

    if show == "SHOW CLIENTS":
        return table(["type", "user", "database", "state"],
                     *[["C", name(), name(), "queue"] for _ in range(1500)])
    return good(show, version,
                pools=[[name(), name(), 1, 1, 1, 1, 1, 1, 1, 1, 1, "x"]
                       for _ in range(1500)],
                servers=[["S", name(), name(), "idle", "127.0.0.1", 5432,
                          "127.0.0.1", rng.randrange(65536), rng.randrange(99999)]
                         for _ in range(1500)])


async def flood(writer, first, again):
    writer.write(first)
    while True:
        writer.write(again() if callable(again) else again)
        await writer.drain()


class Console:
    """One kind of lie."""

    def __init__(self, kind):
        self.kind = kind.rstrip("0123456789")
        self.rng = random.Random(SEED * 1000 + sum(map(ord, kind)))

    async def serve(self, reader, writer):
        try:
            await self.talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def talk(self, reader, writer):
        kind, rng = self.kind, self.rng
        if kind == "close":
            return
        if kind == "greet":
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        length, code = struct.unpack("!ii", await reader.readexactly(8))
        if code in (80877103, 80877104):
            if kind == "ssl":
                writer.write(b"S" + rng.randbytes(4000))
                await reader.read()
            writer.write(b"N")
            length, code = struct.unpack("!ii", await reader.readexactly(8))
        await reader.readexactly(length - 8)

        if kind == "silent":
            await reader.read()
        elif kind == "garbage":
            writer.write(rng.randbytes(5000))
            await reader.read()
        elif kind == "auth":
            auth = rng.choice([2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 99])
            writer.write(message(b"R", struct.pack("!i", auth) +
                                 rng.randbytes(rng.randrange(60))))
            await reader.read()
        elif kind == "notices":
            await flood(writer, b"", message(b"N", b"SNOTICE\0Mhello\0\0"))
        elif kind == "parameters":
            await flood(writer, AUTH_OK, lambda: message(
                b"S", b"p%d\0" % rng.randrange(1 << 40) + b"v" * 20000 + b"\0"))
        elif kind == "error":
            writer.write(message(b"E", b"SFATAL\0C53300\0M" + b"e" * 20000 + b"\0\0"))
            await writer.drain()
            return
        elif kind == "trickle":
            for byte in HELLO * 100:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.02)
        writer.write(HELLO)
        while True:
            kind_of, length = struct.unpack("!ci", await reader.readexactly(5))
            body = await reader.readexactly(length - 4)
            if kind_of == b"X":
                return
            await self.answer(writer, body.rstrip(b"\0").decode())
            await writer.drain()

    async def answer(self, writer, show):
        kind, rng = self.kind, self.rng
        if kind == "truncated":
            text = honest(show)
            writer.write(text[:rng.randrange(len(text))])
            await writer.drain()
            writer.close()
        elif kind == "half":
            writer.write(honest(show)[:-7])
        elif kind == "rows":
            await flood(writer, columns(["version"]), row(["PgBouncer 1.0"]))
        elif kind == "wide":
            writer.write(columns(["c%d" % i for i in range(5000)]) + DONE + READY)
        elif kind == "cell":
            writer.write(table(["version"], [b"PgBouncer " + b"1" * 3000000]))
        elif kind == "cells":
            await flood(writer, columns(["version"]), row([b"1" * 100000]))
        elif kind == "huge":
            writer.write(columns(["version"]) + message(b"D", b"\0\1", BIG))
        elif kind == "stuffed":
            await flood(writer, columns(["version"]) + message(b"D", b"\0\1", BIG),
                        b"x" * 65536)
        elif kind == "large":
            await flood(writer, columns(["version"]) +
                        message(b"D", b"\0\1", 60 << 20), b"x" * 65536)
        elif kind == "negative":
            writer.write(columns(["version"]) +
                         message(b"D", b"", rng.choice([-1, 0, 3, -(1 << 31)])))
        elif kind == "mismatch":
            writer.write(columns(["version"], rng.choice([0, 2, -1, 30000])) +
                         row(["PgBouncer 1.0"], rng.choice([0, 3, -1])) + DONE + READY)
        elif kind == "order":
            writer.write(b"".join(rng.sample(
                [READY, DONE, row(["x"]), columns(["y"]), error(), message(b"I"),
                 message(b"n"), message(b"1"), message(b"t", b"\0\0"),
                 message(b"s")], 8)))
        elif kind == "ready":
            await flood(writer, b"", READY)
        elif kind == "errors":
            await flood(writer, b"", error())
        elif kind == "copy":
            writer.write(message(rng.choice([b"G", b"H", b"W"]), b"\0\0\0"))
            await flood(writer, b"", message(b"d", b"x" * 1000))
        elif kind == "notify":
            await flood(writer, b"", message(
                b"A", struct.pack("!i", 1) + b"c" * 60 + b"\0" + b"p" * 6000 + b"\0"))
        elif kind == "other":
            writer.write(table(["pool_version"], ["4.9 (x)"]) if "VERSION" in show
                         else table(["a", "a", ""], [1, 2, 3]))
        elif kind == "empty":
            writer.write(message(b"I") + READY)
        elif kind == "nonsense":
            writer.write(nonsense(rng, show))
        elif kind == "crowd":
            writer.write(crowd(show))
        elif kind == "odyssey":
            writer.write(crowd(show, "odyssey 9.9"))
        elif kind in DOCUMENTED:
            writer.write(documented(kind, show))
        elif kind == "mutated":
            text = bytearray(honest(show) if rng.random() < 0.5 else nonsense(rng, show))
            for _ in range(rng.randrange(4)):
                at = rng.randrange(len(text))
                how = rng.randrange(3)
                if how == 0:
                    text[at] = rng.randrange(256)
                elif how == 1:
                    del text[at:at + rng.randrange(9)]
                else:
                    text[at:at] = rng.randbytes(rng.randrange(9))
                if not text:
                    break
            writer.write(bytes(text))
        elif kind == "chatter" and show == "SHOW POOLS":
            writer.write(honest(show))
            await writer.drain()
            await flood(writer, b"", message(b"S", b"a\0b\0"))
        else:
            writer.write(honest(show))


KINDS = """close greet ssl silent garbage auth notices parameters error
    trickle truncated half rows wide cell cells huge stuffed large negative mismatch
    order ready errors copy notify other empty nonsense crowd odyssey mutated
    mutated2 mutated3 chatter""".split()


async def main(kind, sock, parent):
    server = await asyncio.start_server(Console(kind).serve, sock=sock)
    await server.start_serving()
    while os.getppid() == parent:
        await asyncio.sleep(0.5)


def start(kind):
    """A process for each: one that is busy lying holds up no other."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    parent = os.getpid()
    print(kind, listener.getsockname()[1], flush=True)
    if os.fork() == 0:
        try:
            asyncio.run(main(kind, listener, parent))
        finally:
            os._exit(0)
    listener.close()


caller = os.getppid()
for name in sys.argv[2:] or KINDS:
    start(name)
print(flush=True)
while os.getppid() == caller:
    time.sleep(0.5)
