"""Bytes of shared memory."""

from common import Server, number, psql, table


def shmem(*settings):
    with Server("pgpool_stats", *settings):
        return int(psql("SELECT sum(allocated_size) FROM pg_shmem_allocations "
                        "WHERE name LIKE 'pgpool\\_stats%'"))


def memory():
    base = shmem()
    default = {"pgpool_stats.max_pools": 512, "pgpool_stats.max_instances": 1024,
               "max_connections": 100}
    rows = []
    for name, value in default.items():
        more = 10000 if name != "max_connections" else 1000
        rows.append((f"one more of `{name}`",
                     number((shmem(f"{name}={value + more}") - base) / more)))
    rows.append(("at the defaults and max_connections = 100", number(base)))
    table("Bytes of shared memory", ("", "bytes"), rows)


memory()
