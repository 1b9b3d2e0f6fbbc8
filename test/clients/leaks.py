"""Connections that are really leaked, and such as only look like it.  The
server of the client tests has leak_after = 1 s."""

import random
import threading
import time

import psycopg2.pool
import psycopg_pool
import sqlalchemy
from sqlalchemy import text

from common import Reporter, check, done, equal, label, until

LEAK_AFTER = 1.0
PASS = 0.1

reporter = Reporter()


class Reports:
    """Reports a pool again and again, and looks at leaks after each; what
    was seen at most is kept, and the longest time between two looks: when
    this machine stands still, a connection that is held for a moment is
    really held for long."""

    def __init__(self, pool, stats, every=0.05):
        self.pool, self.stats, self.every = pool, stats, every
        self.stop = threading.Event()
        self.own = Reporter()
        self.most = 0
        self.gap = 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        looked = time.monotonic()
        while not self.stop.wait(self.every):
            self.own.report(self.pool, self.stats(), "web:1")
            for row in leaks(self.pool, self.own):
                self.most = max(self.most, row["at_least"])
            self.gap = max(self.gap, time.monotonic() - looked)
            looked = time.monotonic()

    def end(self):
        self.stop.set()
        self.thread.join()

    def never_more(self, step, most):
        check(step, self.most <= most or self.gap > LEAK_AFTER / 2,
              (self.most, self.gap))


def leaks(pool, asked=reporter):
    return asked.rows("SELECT * FROM pgpool_stats.leaks WHERE pool = %s", pool)


def suspects(pool):
    return {row["pid"]: row["suspect"] for row in reporter.rows(
        "SELECT pid, suspect FROM pgpool_stats.connections"
        " WHERE pool = %s AND suspect IS NOT NULL", pool)}


def server_now():
    return reporter.one("SELECT clock_timestamp()")


def make_pool(name, size, **more):
    return psycopg2.pool.ThreadedConnectionPool(
        size, size, user="app", options=label(name, "web:1"), **more)


def counts(pool):
    return lambda: {"minconn": pool.minconn, "maxconn": pool.maxconn,
                    "idle": len(pool._pool), "used": len(pool._used)}


# docs: begin leak-pids
def pids(pool):
    """Beside the other keys of a report of psycopg2's pools"""
    return {"checked_out_pids": [conn.get_backend_pid()
                                 for conn in list(pool._used.values())],
            "idle_pids": [conn.get_backend_pid()
                          for conn in list(pool._pool)]}
# docs: end


# docs: begin leak-idle-pids
def idle_pids(pool):
    """The same of psycopg_pool, which does not know what it has lent"""
    return {"idle_pids": [conn.info.backend_pid
                          for conn in list(pool._pool)]}
# docs: end


def use(conn, query="SELECT 1", commit=True):
    with conn.cursor() as cur:
        cur.execute(query)
    if commit:
        conn.commit()


def found(what, pool, wanted):
    """Wait until the leaks are those that are wanted.  They are late when the
    pool has reported later than leak_after, a pass and half a second from
    now and they are not there; the server tells the time."""
    since = server_now()
    late = False

    def look():
        nonlocal late
        due = reporter.one(
            "SELECT max(last_report) - %s > %s * interval '1 s'"
            " FROM pgpool_stats.instances WHERE pool = %s",
            since, LEAK_AFTER + PASS + 0.5, pool)
        rows = leaks(pool)
        if sorted(row["at_least"] for row in rows) == sorted(wanted):
            return rows
        late = late or due
        return None
    rows = until(what, look)
    check("%s: within leak_after + a pass" % what, not late)
    return rows or [{}]


def leaked_by_count():
    """Five borrowed, two given back, three leaked; all are idle."""
    pool = make_pool("counted", 5)
    borrowed = [pool.getconn() for _ in range(5)]
    for conn in borrowed:
        use(conn)
    before = server_now()
    kept, given_back = borrowed[:3], borrowed[3:]
    for conn in given_back:
        pool.putconn(conn)
    reports = Reports("counted", counts(pool))
    row = found("counted", "counted", [3])[0]
    everybody = {conn.get_backend_pid() for conn in borrowed}
    equal("counted: five candidates", row["candidates"], 5)
    equal("counted: by name", set(row["candidate_pids"]), everybody)
    equal("counted: whose", (row["instance"], row["datname"], row["usename"]),
          ("web:1", "clients", "app"))
    check("counted: since the last use", row["since"] <= before, row["since"])
    check("counted: no hint to end innocent ones",
          "one at a time" in row["advice"]
          and "pg_terminate_backend" not in row["advice"], row["advice"])
    check("counted: evidence",
          "at most 2 of them idle in the pool" in row["evidence"],
          row["evidence"])
    equal("counted: nobody is accused", suspects("counted"), {})

    # two of them come back: one is left
    pool.putconn(kept.pop())
    pool.putconn(kept.pop())
    until("two are back", lambda: [row["at_least"]
                                   for row in leaks("counted")] == [1])
    pool.putconn(kept.pop())
    until("all are back", lambda: leaks("counted") == [])
    reports.end()
    reports.never_more("counted: never more than leaked", 3)
    pool.closeall()


def leaked_by_pid():
    """The pool says which; a busy rest does not hide them."""
    pool = make_pool("named", 5)
    reports = Reports("named", lambda: dict(counts(pool)(), **pids(pool)))
    leaked = [pool.getconn(), pool.getconn()]
    for conn in leaked:
        use(conn)
    stop = threading.Event()

    def work():
        while not stop.is_set():
            conn = pool.getconn()
            use(conn)
            pool.putconn(conn)
            time.sleep(0.001)
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    row = found("named", "named", [2])[0]
    mine = {conn.get_backend_pid() for conn in leaked}
    equal("named: exactly those", (row["candidates"],
                                   set(row["candidate_pids"])), (2, mine))
    equal("named: accused", suspects("named"), dict.fromkeys(mine, "leak"))
    pool.putconn(leaked.pop())
    until("one is back", lambda: [row["at_least"]
                                  for row in leaks("named")] == [1])
    # what was thought to be leaked is used after all
    check("named: used after all", until("used after all", lambda: use(
        leaked[0]) or leaks("named") == []))
    stop.set()
    for thread in threads:
        thread.join()
    reports.end()
    reports.never_more("named: never more than leaked", 2)
    pool.closeall()


def leaked_by_psycopg_pool():
    """The pool says which are not."""
    pool = psycopg_pool.ConnectionPool(
        "user=app", min_size=3, max_size=3,
        kwargs={"options": label("idle-named", "web:1")})
    pool.wait()
    reports = Reports("idle-named",
                      lambda: dict(pool.get_stats(), **idle_pids(pool)))
    leaked = pool.getconn()
    leaked.execute("SELECT 1")
    leaked.commit()
    row = found("idle-named", "idle-named", [1])[0]
    equal("idle-named: exactly that", row["candidate_pids"],
          [leaked.info.backend_pid])
    equal("idle-named: accused", suspects("idle-named"),
          {leaked.info.backend_pid: "leak"})
    pool.putconn(leaked)
    until("idle-named: back", lambda: leaks("idle-named") == [])
    reports.end()
    reports.never_more("idle-named: never more than leaked", 1)
    pool.close()


def leaked_by_sqlalchemy():
    """connect() without close(), with commit() and without"""
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg2://app@/", pool_size=3, max_overflow=1,
        connect_args={"options": label("orm", "web:1")})
    pool = engine.pool
    reports = Reports("orm", lambda: {
        "size": pool.size(), "checkedin": pool.checkedin(),
        "checkedout": pool.checkedout(), "overflow": pool.overflow(),
        "max_overflow": pool._max_overflow})
    leaked = [engine.connect() for _ in range(3)]
    for conn in leaked:
        conn.execute(text("SELECT 1"))
    leaked[0].connection.commit()
    leaked[1].connection.commit()
    rows = found("orm", "orm", [1, 2])
    pid = [conn.connection.dbapi_connection.get_backend_pid()
           for conn in leaked]
    equal("orm: two lent out, one in a transaction",
          [(row["at_least"], row["candidates"],
            set(row["candidate_pids"])) for row in rows],
          [(2, 2, set(pid[:2])), (1, 1, {pid[2]})])
    check("orm: evidence of the transaction",
          "1 idle in transaction for" in rows[1]["evidence"],
          rows[1]["evidence"])
    equal("orm: accused", suspects("orm"), {
        pid[0]: "leak", pid[1]: "leak", pid[2]: "idle in transaction"})
    for conn in leaked:
        conn.close()
    until("orm: closed", lambda: leaks("orm") == [])
    reports.end()
    reports.never_more("orm: never more than leaked", 2)
    engine.dispose()


def healthy():
    """Busy pools with pauses, cold connections and idle nights."""
    stop = threading.Event()
    threads = []
    watched = []
    pools = []
    for name, by_pid in ("busy", False), ("busy-named", True):
        pool = make_pool(name, 5)
        pools.append(pool)

        def stats(pool=pool, by_pid=by_pid):
            return dict(counts(pool)(), **pids(pool) if by_pid else {})
        watched.append(Reports(name, stats, every=0.02))
        limit = threading.Semaphore(5)

        def work(pool=pool, limit=limit):
            while not stop.is_set():
                with limit:
                    conn = pool.getconn()
                    time.sleep(random.choice((0, 0.001, 0.1)))
                    if random.random() < 0.8:
                        use(conn)
                    time.sleep(random.choice((0, 0.001, 0.3)))
                    pool.putconn(conn)
                time.sleep(random.choice((0, 0.01, 1.5)))
        threads += [threading.Thread(target=work) for _ in range(4)]

    # a transaction that lasts, but works
    pool = make_pool("long", 1)
    pools.append(pool)
    watched.append(Reports("long", counts(pool)))

    def long_transaction(pool=pool):
        conn = pool.getconn()
        while not stop.is_set():
            use(conn, "SELECT pg_sleep(0.2)", commit=False)
            time.sleep(0.2)
        conn.commit()
        pool.putconn(conn)
    # and a statement that lasts longer than leak_after
    slow = make_pool("slow", 1)
    pools.append(slow)
    watched.append(Reports("slow", counts(slow)))

    def long_statement():
        conn = slow.getconn()
        use(conn, "SELECT pg_sleep(3)")
        slow.putconn(conn)
    threads += [threading.Thread(target=long_transaction),
                threading.Thread(target=long_statement)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 4
    while time.monotonic() < end:
        time.sleep(0.1)
    stop.set()
    for thread in threads:
        thread.join()
    for reports in watched:
        reports.end()
        reports.never_more("%s: nothing leaks" % reports.pool, 0)
    for pool in pools:
        pool.closeall()


def with_a_reason():
    """LISTEN and advisory locks, until they end"""
    pool = make_pool("held", 3)
    reports = Reports("held", lambda: dict(counts(pool)(), **pids(pool)))
    listens, locks, leaked = [pool.getconn() for _ in range(3)]
    use(listens, "LISTEN jobs")
    use(locks, "SELECT pg_advisory_lock(4711)")
    use(leaked)
    row = found("held", "held", [1])[0]
    equal("held: only the leaked one", row["candidate_pids"],
          [leaked.get_backend_pid()])
    equal("held: the others have reasons",
          sorted(row["exempt"].split(", ")),
          sorted(["%d listens" % listens.get_backend_pid(),
                  "%d holds an advisory lock" % locks.get_backend_pid()]))
    pool.putconn(leaked)
    until("held: given back", lambda: leaks("held") == [])
    use(locks, "SELECT pg_advisory_unlock(4711)")
    use(listens, "UNLISTEN *")
    reports.never_more("held: neither was leaked before", 1)
    found("held without reason", "held", [2])
    pool.putconn(listens)
    pool.putconn(locks)
    reports.end()
    pool.closeall()


leaked_by_count()
leaked_by_pid()
leaked_by_psycopg_pool()
leaked_by_sqlalchemy()
healthy()
with_a_reason()
done()
