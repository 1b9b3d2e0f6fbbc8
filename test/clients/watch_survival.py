"""What a reporter of clients/python lives through, on a server of its own:
restart, crash, full server, wrong password, silence, no extension, forks,
exits; and a PgBouncer that refuses or drops the label."""

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import psycopg2
from psycopg2.pool import ThreadedConnectionPool

from common import check, done, equal, until

import pgpool_stats                 # common.py says where it is

BOUNCER = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
HOME = os.path.join(os.environ["TESTDIR"], "survival")
DATA = HOME + "/data"
STANDBY = HOME + "/standby"
os.makedirs(HOME)
for name in ("PGHOST", "PGPORT", "PGPASSWORD", "PGDATABASE", "PGUSER"):
    os.environ.pop(name, None)
os.environ.update(PGHOST=HOME, PGPORT="5432", PGDATABASE="postgres",
                  PGUSER="postgres")
pgpool_stats.TIMEOUT = 2
pgpool_stats.MISSING = 2
pgpool_stats.LONGEST = 2


class Said(logging.Handler):
    """What the reporter writes to the log"""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())

    def about(self, pool):
        return [line for line in self.lines if "pool %s " % pool in line
                or "pool %s:" % pool in line]


said = Said()
logging.getLogger("pgpool_stats").addHandler(said)


# the server

def pg_ctl(*arguments):
    subprocess.run(["pg_ctl", "-D", DATA, "-w", "-l", HOME + "/log",
                    *arguments], check=True, stdout=subprocess.DEVNULL)


def configure(**settings):
    with open(DATA + "/postgresql.conf", "a") as f:
        for key, value in settings.items():
            f.write("%s = '%s'\n" % (key, value))


def allow(method):
    """How role "late" may log in"""
    with open(DATA + "/pg_hba.conf", "w") as f:
        f.write("local all late %s\nlocal all all trust\n"
                "local replication all trust\n" % method)


def sql(statement, *args):
    conn = psycopg2.connect(application_name="admin")
    conn.autocommit = True
    try:
        cur = conn.cursor()
        cur.execute(statement, args)
        return cur.fetchall() if cur.description else None
    finally:
        conn.close()


def row(pool, me, port="5432"):
    """What a server shows of it"""
    conn = psycopg2.connect(application_name="admin", port=port)
    try:
        cur = conn.cursor()
        cur.execute("SELECT open, checked_out, connections, unclaimed,"
                    " coalesce(notes, '') FROM pgpool_stats.instances"
                    " WHERE pool = %s AND instance = %s", (pool, me))
        return cur.fetchone()
    finally:
        conn.close()


def last_report(pool, me):
    rows = sql("SELECT last_report FROM pgpool_stats.instances"
               " WHERE pool = %s AND instance = %s", pool, me)
    return rows[0][0] if rows else None


subprocess.run(["initdb", "-D", DATA, "-U", "postgres", "--auth=trust",
                "--no-locale", "-E", "UTF8", "--no-sync"], check=True,
               stdout=subprocess.DEVNULL)
configure(shared_preload_libraries="pgpool_stats", listen_addresses="",
          unix_socket_directories=HOME, fsync="off", max_connections="20")
allow("trust")
pg_ctl("start")


def stop(data=DATA):
    if os.path.exists(data + "/postmaster.pid"):
        subprocess.run(["pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"],
                       stdout=subprocess.DEVNULL)


try:
    sql("CREATE EXTENSION pgpool_stats")
    sql("CREATE ROLE app LOGIN")
    sql("CREATE ROLE late LOGIN PASSWORD 'old'")

    # an application that is in the middle of its work all the time
    pool = ThreadedConnectionPool(1, 2, user="app")
    pgpool_stats.watch(pool, "orders")
    me = pgpool_stats._watches[-1].me
    pool.putconn(pool.getconn())

    def work():
        """A request: gives back what is broken, as applications do"""
        conn = pool.getconn()
        try:
            conn.autocommit = True
            conn.cursor().execute("SELECT 1")
            return True
        except psycopg2.Error:
            return False
        finally:
            pool.putconn(conn, close=conn.closed != 0)

    def reports(step, pool="orders", me=me):
        """One more arrives than there were, even if nothing changes"""
        before = [last_report(pool, me)]

        def newer():
            work()
            now = last_report(pool, me)
            return now is not None and now != before[0]
        until(step + ": a report", newer)
        print("ok - %s: reported" % step)

    def fails_and_recovers(step, mend, pool="orders"):
        """It says so once when it fails, and once when it does not"""
        until(step + ": it fails", lambda: said.about(pool))
        until(step + ": it fails again", lambda: any(
            w.failures > 1 for w in pgpool_stats._watches if w.name == pool))
        equal(step + ": said once", len(said.about(pool)), 1)
        check(step + ": what it is", said.about(pool)[0].startswith(
            "cannot report pool"), said.about(pool))
        mend()
        until(step + ": it recovers", lambda: len(said.about(pool)) > 1)
        check(step + ": said once, too", said.about(pool)[1:] == [
            "pool %s is reported again" % pool], said.about(pool))
        said.lines.clear()

    reports("at first")
    equal("at first: nothing is said", said.lines, [])

    # pools of one process that connect alike share a connection for reports
    many = [ThreadedConnectionPool(0, 1, user="app") for _ in range(12)]
    arrived = {}
    for number, one in enumerate(many):
        pgpool_stats.watch(one, "many%d" % number, every=0.2)
        arrived[pgpool_stats._watches[-1]] = set()
        one.putconn(one.getconn())

    def arrive(times):
        for w, seen in arrived.items():
            seen.add(w.sent_at)
        return all(len(seen) > times for seen in arrived.values())

    def connects():
        return sql("SELECT sum(connects)::int FROM pgpool_stats.pools"
                   " WHERE pool = 'reports'")[0][0]
    until("12 pools: a first report", lambda: arrive(1))
    for seen in arrived.values():
        seen.clear()
    before = connects()
    until("12 pools: ten reports", lambda: arrive(10))
    check("12 pools report ten times, and do not connect 120 times",
          connects() - before < 40, connects() - before)
    for one in many:
        one.closeall()

    # the connections of a pool are on two servers, of which one is a standby
    subprocess.run(["pg_basebackup", "-D", STANDBY, "-R", "-c", "fast",
                    "--no-sync"], check=True)
    with open(STANDBY + "/postgresql.conf", "a") as f:
        f.write("port = 5433\n")
    subprocess.run(["pg_ctl", "-D", STANDBY, "-w", "-l", HOME + "/standby.log",
                    "start"], check=True, stdout=subprocess.DEVNULL)
    spread = ThreadedConnectionPool(0, 2, user="app", port=5432)
    pgpool_stats.watch(spread, "spread", every=0.2)
    spread.getconn()
    until("two servers: it is reported to the first",
          lambda: row("spread", me) == (1, 1, 1, 0, ""))
    spread._kwargs["port"] = 5433       # as when its name means another now
    spread.getconn()
    for port in ("5432", "5433"):
        until("two servers: port " + port, lambda: row("spread", me, port) == (
            2, 2, 1, None, "its figures are of connections to 2 servers"))
        print("ok - two servers: port %s is told of both" % port)
    spread.closeall()
    until("two servers: goodbye", lambda: row("spread", me) is None)
    until("two servers: goodbye to the standby", lambda:
          row("spread", me, "5433") is None)
    stop(STANDBY)

    # down, and up
    pg_ctl("-m", "fast", "stop")
    fails_and_recovers("restart", lambda: pg_ctl("start"))
    until("restart: the application works again", work)
    reports("restart")

    # crash
    with open(DATA + "/postmaster.pid") as f:
        postmaster = int(f.readline())
    os.kill(postmaster, signal.SIGKILL)
    # until the last process has gone the data directory is in use
    fails_and_recovers("crash", lambda: until("a start", lambda: subprocess.run(
        ["pg_ctl", "-D", DATA, "-w", "-l", HOME + "/log", "start"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL).returncode == 0))
    until("crash: the application works again", work)
    reports("crash")

    # full
    work()
    others = []

    def fill():
        try:
            while True:
                others.append(psycopg2.connect(user="app"))
        except psycopg2.OperationalError:
            return True
    fill()

    def room():
        while others:
            others.pop().close()

    def keep_full():
        fill()
        return said.about("orders")
    until("full: it fails", keep_full)
    check("full: the application goes on", work())
    fails_and_recovers("full", room)

    # only the pool has room: its reporter is refused, and nothing is raised
    sql("CREATE ROLE narrow LOGIN")
    narrow = ThreadedConnectionPool(0, 1, user="narrow")
    pgpool_stats.watch(narrow, "narrow")
    lent = narrow.getconn()
    until("room: a report", lambda: last_report("narrow", me))
    sql("ALTER ROLE narrow CONNECTION LIMIT 1")
    until("no room: it fails", lambda: said.about("narrow"))
    equal("no room: who was refused", sql("""
        SELECT DISTINCT reason, pool, application_name
        FROM pgpool_stats.rejections WHERE usename = 'narrow'"""),
        [("role", "reports", "watch narrow")])
    now, = sql("SELECT clock_timestamp()")
    until("a pass", lambda: sql(
        "SELECT last_pass > %s FROM pgpool_stats.info", *now) == [(True,)])
    equal("no room: alerts", sql("""
        SELECT message FROM pgpool_stats.alerts
        WHERE rule = 'refused' AND usename = 'narrow'"""), [])
    equal("no room: the limit", sql("""
        SELECT rejected, status FROM pgpool_stats.budget
        WHERE name = 'narrow'"""), [(0, "full")])
    was = last_report("narrow", me)
    sql("ALTER ROLE narrow CONNECTION LIMIT 2")
    until("room again: a report", lambda: last_report("narrow", me) > was)
    narrow.putconn(lent)
    narrow.closeall()
    said.lines.clear()

    # the password has changed
    allow("scram-sha-256")
    pg_ctl("reload")
    late = ThreadedConnectionPool(0, 1, user="late", password="old")
    pgpool_stats.watch(late, "late")
    until("its first login", lambda: late.putconn(late.getconn()) is None)
    until("its first report", lambda: last_report("late", me))
    sql("ALTER ROLE late PASSWORD 'new'")
    fails_and_recovers("wrong password", lambda: sql(
        "ALTER ROLE late PASSWORD 'old'"), pool="late")
    late.closeall()

    # accepts, and says nothing
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(HOME + "/.s.PGSQL.1")
    listener.listen(50)
    silent = ThreadedConnectionPool(0, 1, user="app", port=1,
                                    connect_timeout=2)
    pgpool_stats.watch(silent, "silent")
    pgpool_stats.PATIENCE = 1
    try:
        silent.getconn()
        check("silent: the application's own error", False)
    except psycopg2.OperationalError:
        check("silent: the application's own error", True)
    until("silent: it fails", lambda: said.about("silent"))
    reports("silent: other pools")
    silent.closeall()
    listener.close()
    pgpool_stats.PATIENCE = 60
    said.lines.clear()

    # accepts, and then says nothing: a statement has a limit, too
    lock = psycopg2.connect()
    lock.cursor().execute("LOCK TABLE pg_proc IN ACCESS EXCLUSIVE MODE")
    fails_and_recovers("a statement that hangs", lock.close)

    # no extension
    sql("DROP EXTENSION pgpool_stats")
    watched = pgpool_stats._watches[0]
    until("no extension: it was asked", lambda: watched.sent is None)
    sql("CREATE EXTENSION pgpool_stats")
    reports("the extension is back")
    equal("no extension: nothing is said", said.about("orders"), [])

    # a fork in the middle; of what a pool opens when it is made, nothing is
    # shared
    preforked = ThreadedConnectionPool(1, 3, user="app")
    pgpool_stats.watch(preforked, "preforked")
    read, write = os.pipe()
    go_on, end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(end)
        pool._pool.clear()          # those of the parent
        pool._used.clear()
        conn = pool.getconn()
        cur = conn.cursor()
        cur.execute("SELECT current_setting('pgpool_stats.instance')")
        os.write(write, b"%s %d\n" % (
            cur.fetchone()[0].encode(), preforked.getconn().get_backend_pid()))
        os.read(go_on, 1)
        pgpool_stats._reporter.goodbye()    # as at exit
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as f:
        label, backend = f.readline().split()
    equal("fork: the label is the child's", label,
          "%s:%d" % (socket.gethostname(), child))
    check("fork: a backend of its own", int(backend) !=
          preforked.getconn().get_backend_pid())
    until("fork: the child reports", lambda: last_report("orders", label))
    reports("fork: the parent goes on")
    os.close(end)
    os.waitpid(child, 0)
    until("fork: the child has said goodbye", lambda:
          last_report("orders", label) is None)

    # the interpreter ends while threads run
    program = """
import os, sys, threading
sys.path.insert(0, %r)
import pgpool_stats
from psycopg2.pool import ThreadedConnectionPool
pool = ThreadedConnectionPool(0, 5, user="app")
pgpool_stats.watch(pool, "ending")
def use():
    while True:
        conn = pool.getconn()
        conn.cursor().execute("SELECT 1")
        pool.putconn(conn)
for _ in range(3):
    threading.Thread(target=use, daemon=True).start()
print(os.getpid(), flush=True)
sys.stdin.read()
""" % sys.path[0]
    process = subprocess.Popen([sys.executable, "-c", program], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    ending = "%s:%d" % (socket.gethostname(), int(process.stdout.readline()))
    until("exit: a report", lambda: last_report("ending", ending))
    _, errors = process.communicate("")
    equal("exit: with threads running", (process.returncode, errors), (0, ""))
    until("exit: it has said goodbye", lambda:
          last_report("ending", ending) is None)

    # an unprepared pooler, and one that drops the label
    if BOUNCER is not None:
        for port, ignored in ((6432, ""), (6433, "options")):
            with open("%s/%d.ini" % (HOME, port), "w") as f:
                f.write("""
[databases]
postgres = host=%s port=5432 dbname=postgres user=app
[pgbouncer]
unix_socket_dir = %s
listen_port = %d
auth_type = any
logfile = %s/bouncer.log
pool_mode = transaction
ignore_startup_parameters = %s
""" % (HOME, HOME, port, HOME, ignored))
        bouncers = [subprocess.Popen(
            [BOUNCER, "-q", "%s/%d.ini" % (HOME, port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for port in (6432, 6433)]
        try:
            for port, words in ((6432, "get no label"),
                                (6433, "sees none with the label")):
                name = "bounced%d" % port

                def through():
                    try:
                        return ThreadedConnectionPool(1, 1, port=port,
                                                      user="app")
                    except psycopg2.OperationalError:
                        return None         # it is not up yet
                bounced = until("PgBouncer", through)
                pgpool_stats.watch(bounced, name)
                # with the label it would be refused
                bounced.putconn(bounced.getconn())
                until(name + ": reported", lambda: last_report(name, me))

                def told():
                    conn = bounced.getconn()
                    bounced.putconn(conn)
                    return [line for line in said.about(name) if words in line]
                until("%s: told that they %s" % (name, words), told)
                reports(name)
                equal(name + ": told once", len(told()), 1)
                bounced.closeall()
        finally:
            for bouncer in bouncers:
                bouncer.kill()
                bouncer.wait()
finally:
    stop()
    stop(STANDBY)
done()
