"""Connections without a client library: as little work beside the server's as
possible."""

import socket
import struct
import time


def message(kind, body):
    return kind + struct.pack("!I", len(body) + 4) + body


def startup(user, **settings):
    words = {"user": user, "database": "postgres", **settings}
    body = b"".join(f"{key}\0{value}\0".encode() for key, value in words.items())
    return message(b"", struct.pack("!I", 196608) + body + b"\0")


def wait(s):
    """Until the server is ready; false if it has closed the connection."""
    got = b""
    while not got.endswith(b"Z\0\0\0\5I"):
        more = s.recv(65536)
        if not more:
            return False
        got = got[-5:] + more
    return True


def connect(data, packet, query=None):
    """Connect to the server of a data directory, perhaps ask, leave.  Seconds
    until the server was ready, None if it rejected us."""
    with socket.socket(socket.AF_UNIX) as s:
        start = time.monotonic()
        s.connect(data + "/.s.PGSQL.5432")
        s.sendall(packet)
        if not wait(s):
            return None
        took = time.monotonic() - start
        if query:
            s.sendall(message(b"Q", query.encode() + b"\0"))
            wait(s)
        s.sendall(message(b"X", b""))
    return took
