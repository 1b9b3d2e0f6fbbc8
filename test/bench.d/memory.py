"""Shared memory of ours: what is allocated, and what of it is resident.

A page of shared memory is resident from the first touch by whatever process
on.  The server runs with shared_memory_type = sysv, so that we can attach its
segment, too, and ask the kernel (mincore) which pages are there; attaching
touches none.
"""

import ctypes
import json
import mmap
import os

from common import DATA, NATIVE, Server, limit, number, psql, table

POOLS = 20
INSTANCES = 100
PREFIX = "pgpool_stats"
PAGE = mmap.PAGESIZE


def allocations():
    """Our parts: name, offset and size."""
    rows = psql("SELECT name, off, allocated_size FROM pg_shmem_allocations "
                f"WHERE name LIKE '{PREFIX}%' ORDER BY off").splitlines()
    return [(name, int(offset), int(size))
            for name, offset, size in (row.split("|") for row in rows)]


def pages_there():
    """For each page of the server's shared memory whether it is resident."""
    with open(os.path.join(DATA, "postmaster.pid"), encoding="ascii") as f:
        segment = int(f.read().splitlines()[6].split()[1])
    with open("/proc/sysvipc/shm", encoding="ascii") as f:
        size = next(int(row[3]) for row in map(str.split, f.readlines()[1:])
                    if int(row[1]) == segment)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    address = libc.shmat(segment, None, 0)
    if address == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "shmat")
    there = (ctypes.c_ubyte * ((size + PAGE - 1) // PAGE))()
    if libc.mincore(ctypes.c_void_p(address), ctypes.c_size_t(size), there) != 0:
        raise OSError(ctypes.get_errno(), "mincore")
    libc.shmdt(ctypes.c_void_p(address))
    return [page & 1 for page in there]


def resident(parts, there):
    """Bytes of each part in resident pages, and of all such pages whole."""
    of, all_pages = {}, set()
    for name, offset, size in parts:
        of[name] = 0
        for page in range(offset // PAGE, (offset + size - 1) // PAGE + 1):
            if there[page]:
                all_pages.add(page)
                of[name] += (min(offset + size, (page + 1) * PAGE) -
                             max(offset, page * PAGE))
    return of, len(all_pages) * PAGE


def fill():
    """Pools with reports, seen by a pass, and everything read."""
    stats = json.dumps(NATIVE)
    psql("".join(f"SELECT pgpool_stats.report('pool-{i % POOLS}', '{stats}', 'web-{i}:1');\n"
                 for i in range(INSTANCES)))
    now = psql("SELECT clock_timestamp()")
    while psql(f"SELECT last_pass > '{now}' FROM pgpool_stats.info") != "t":
        pass
    for view in psql("SELECT relname FROM pg_class WHERE relkind = 'v' "
                     "AND relnamespace = 'pgpool_stats'::regnamespace").split():
        psql(f"SELECT * FROM pgpool_stats.{view}", "-o", "/dev/null")


def used():
    with Server(PREFIX, "shared_memory_type=sysv", "max_connections=100"):
        parts = allocations()
        _, empty = resident(parts, pages_there())
        fill()
        of, full = resident(parts, pages_there())
    rows = [(name.removeprefix(PREFIX).strip() or "all", number(size / 1024),
             number(of[name] / 1024)) for name, _, size in parts]
    rows.append(("together, in whole pages",
                 number(sum(size for _, _, size in parts) / 1024),
                 number(full / 1024)))
    rows.append(("the same right after the start", "", number(empty / 1024)))
    table(f"Shared memory at the defaults, max_connections = 100, {POOLS} pools "
          f"and {INSTANCES} instances with history of a day", ("kB", "allocated", "resident"), rows)
    limit("MB of our shared memory that is resident", full / 1e6, 8)


def allocated(*settings):
    with Server(PREFIX, *settings):
        return sum(size for _, _, size in allocations())


def growth():
    settings = {"pgpool_stats.max_pools": 512, "pgpool_stats.max_instances": 1024,
                "pgpool_stats.history_pools": 256, "max_connections": 100}
    base = allocated()
    rows = []
    for name, value in settings.items():
        more = 1000 if name == "max_connections" else 10000
        also = ["pgpool_stats.max_pools=20000"] if name.endswith("history_pools") else []
        before = allocated(*also) if also else base
        rows.append((f"one more of `{name}`",
                     number((allocated(f"{name}={value + more}", *also) - before) / more)))
    table("Allocated for one more", ("", "bytes"), rows)


used()
growth()
