"""Reports through PgBouncer in transaction mode: two application processes
share one server connection, and each has its row."""

import os
import shutil
import subprocess

import psycopg2
import psycopg2.extras

from common import Reporter, check, connect, done, equal, until

BOUNCER = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
if BOUNCER is None:
    print("pgbouncer is not installed")
    raise SystemExit(77)

POOL = "behind"
home = os.path.join(os.environ["TESTDIR"], "pgbouncer")
os.makedirs(home)
sockets = os.environ["PGHOST"]
with open(home + "/users", "w") as f:
    f.write('"bounced" ""\n"labelled" ""\n')
with open(home + "/ini", "w") as f:
    f.write("""
[databases]
clients = host=%s port=%s dbname=clients
[pgbouncer]
unix_socket_dir = %s
listen_port = 6432
auth_type = trust
auth_file = %s/users
logfile = %s/log
pool_mode = transaction
default_pool_size = 1
""" % (sockets, os.environ.get("PGPORT", "5432"), sockets, home, home))

root = connect("postgres")
cur = root.cursor()
cur.execute("CREATE ROLE bounced LOGIN; CREATE ROLE labelled LOGIN;"
            # the only way: PgBouncer 1.18 passes on no setting of ours
            "ALTER ROLE bounced SET pgpool_stats.strict_reports = on;"
            "ALTER ROLE labelled SET pgpool_stats.strict_reports = on;"
            "ALTER ROLE labelled SET pgpool_stats.pool = 'by-role'")

bouncer = subprocess.Popen([BOUNCER, "-q", home + "/ini"],
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)


def through(user, **more):
    return connect(user, port=6432, **more)


def ready():
    try:
        through("bounced").close()
        return True
    except psycopg2.OperationalError:
        return False


def pid(conn):
    with conn.cursor() as cur:
        cur.execute("SELECT pg_backend_pid()")
        return cur.fetchone()[0]


def report(conn, pool, out, host, pid):
    with conn.cursor() as cur:
        cur.execute("SELECT pgpool_stats.report(%s, %s)", (
            pool, psycopg2.extras.Json({
                "minconn": 1, "maxconn": 5, "idle": 5 - out, "used": out,
                "host": host, "pid": pid})))
        return cur.fetchone()[0]


try:
    until("PgBouncer to listen", ready)
    observer = Reporter("postgres")
    one, two = through("bounced"), through("bounced")
    equal("they share a server connection", pid(one), pid(two))

    for round in range(3):
        check("round %d: one reports" % round,
              report(one, POOL, round, "web-1", 1))
        check("round %d: two reports" % round,
              report(two, POOL, 5 - round, "web-2", 2))
        for host, out in (("web-1:1", round), ("web-2:2", 5 - round)):
            observer.compare("round %d" % round, POOL, host, {
                "checked_out": out, "checked_in": 5 - out, "max_size": 5,
                "dialect": "psycopg2"})
    row = observer.pool(POOL)
    equal("the pool: instances", row["instances"], 2)
    equal("the pool: checked_out", row["checked_out"], 5)
    equal("the pool: max_size", row["max_size"], 10)

    # whose the shared connection is, nobody can know: it is neither's
    equal("no instance is given the shared connection",
          [observer.instance(POOL, i)["connections"]
           for i in ("web-1:1", "web-2:2")], [0, 0])
    equal("it is still counted once", observer.rows(
        "SELECT sum(connections)::int AS n FROM pgpool_stats.instances"
        " WHERE usename = 'bounced'")[0]["n"], 1)

    # inside a transaction of the application, read only
    one.autocommit = False
    one.set_session(readonly=True)
    check("inside a READ ONLY transaction",
          report(one, POOL, 4, "web-1", 1))
    one.rollback()
    equal("a rollback does not take it back",
          observer.instance(POOL, "web-1:1")["checked_out"], 4)

    # the label that works behind every pooler
    labelled = through("labelled")
    pid(labelled)
    row = observer.pool("by-role")
    equal("ALTER ROLE labels what the pooler opens", row["connections"], 1)

    try:
        through("bounced", options="-c pgpool_stats.pool=x")
        check("PgBouncer 1.18 rejects options", False)
    except psycopg2.OperationalError as error:
        check("PgBouncer rejects options that it is not prepared for",
              "unsupported startup parameter" in str(error), error)
finally:
    bouncer.kill()
    bouncer.wait()

done()
