"""What the client tests share: connect, ask the server, compare, poll."""

import atexit
import os
import shutil
import subprocess
import sys
import time

import psycopg2
import psycopg2.extras

# the reporter of clients/python, which tests do not want to wait for
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../clients/python"))
os.environ.setdefault("PGPOOL_STATS_EVERY", "0.2")
import pgpool_stats                                     # noqa: E402

# a label must not depend on the speed of this machine
pgpool_stats.PATIENCE = 60

failures = 0


def check(name, good, detail=""):
    """One line for each check; the exit status counts those that failed."""
    global failures
    if good:
        print("ok - " + name)
    else:
        failures += 1
        print("not ok - %s%s" % (name, detail and ": " + str(detail)))
    sys.stdout.flush()


def equal(name, got, expected):
    check(name, got == expected, "got %r, expected %r" % (got, expected))


def done():
    """Last call of a program.  Threads that hang must not keep it."""
    sys.stdout.flush()
    atexit._run_exitfuncs()
    os._exit(1 if failures else 0)


def until(what, condition, timeout=300):
    """Poll until the condition is true; returns what it was at last."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            check("waited for " + what, False, "not within %d s" % timeout)
            return value
        time.sleep(0.01)


def label(pool, instance, **more):
    """Labels as they go into a connection string."""
    labels = dict(more, pool=pool, instance=instance)
    return " ".join("-c pgpool_stats.%s=%s" % kv for kv in labels.items())


def connect(user="app", options="", **more):
    conn = psycopg2.connect(user=user, options=options, **more)
    conn.autocommit = True
    return conn


class Server:
    """A server of the program's own, with a database "shop", which may crash
    and be restarted; what connects from now on connects to it."""

    def __init__(self, name, hba="", **settings):
        self.data = os.path.join(os.environ["TESTDIR"], name)
        self.log = self.data + ".server.log"
        atexit.register(self.remove)
        subprocess.run(["initdb", "-D", self.data, "-U", "postgres", "--no-locale",
                        "--auth=trust", "-E", "UTF8", "--no-sync"],
                       check=True, stdout=subprocess.DEVNULL)
        if hba:
            self.write("pg_hba.conf", hba, "w")
        self.write("postgresql.conf", open(os.path.join(os.path.dirname(
            os.path.abspath(__file__)), "../pgpool_stats.conf")).read())
        for setting, value in dict(
                {"fsync": "off"}, **settings, listen_addresses="",
                unix_socket_directories=self.data).items():
            self.write("postgresql.conf", "%s = '%s'\n" % (
                setting.replace("__", "."), value))
        os.environ.update(PGHOST=self.data, PGDATABASE="shop", PGUSER="postgres")
        os.environ.pop("PGPASSWORD", None)
        self.ctl("start")
        connect("postgres", dbname="postgres").cursor().execute(
            "CREATE DATABASE shop")
        connect("postgres").cursor().execute(
            "CREATE EXTENSION pgpool_stats; CREATE ROLE app LOGIN")

    def write(self, file, text, mode="a"):
        with open(os.path.join(self.data, file), mode) as f:
            f.write(text)

    def ctl(self, *command):
        subprocess.run(["pg_ctl", "-D", self.data, "-l", self.log, "-w", "-s",
                        *command], check=True)

    def remove(self):
        subprocess.run(["pg_ctl", "-D", self.data, "-m", "immediate", "-s",
                        "stop"], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.data, ignore_errors=True)


class Bouncer:
    """A PgBouncer of the program's own, in transaction mode, with a console
    for the role stats"""

    program = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
    port = 6432

    def __init__(self, server, pool_size):
        home = server.data + ".bouncer."
        with open(home + "users", "w") as f:
            f.write('"app" ""\n"stats" ""\n')
        with open(home + "ini", "w") as f:
            f.write("""
[databases]
shop = host={0} port={1} dbname=shop
[pgbouncer]
unix_socket_dir = {0}
listen_port = {2}
auth_type = trust
auth_file = {3}users
logfile = {3}log
pool_mode = transaction
default_pool_size = {4}
stats_users = stats
""".format(server.data, os.environ.get("PGPORT", "5432"), self.port, home, pool_size))
        self.process = subprocess.Popen([self.program, "-q", home + "ini"],
                                        stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        atexit.register(self.end)

    @classmethod
    def setting(cls, sockets):
        """For pgpool_stats.poolers"""
        return ("name=bouncer host=%s port=%d dbname=pgbouncer user=stats"
                % (sockets, cls.port))

    def end(self):
        # from 1.23 on it would wait for its clients at SIGTERM
        self.process.kill()
        self.process.wait()


class Reporter:
    """A connection of its own for reports, in strict mode, so that the
    observed pool does not observe itself and can be full.  Its own label
    keeps it out of the pool's connections."""

    def __init__(self, user="app", **more):
        options = label("reporter", "reporter", strict_reports="on")
        self.conn = connect(user, options, **more)

    def one(self, query, *args):
        with self.conn.cursor() as cur:
            cur.execute(query, args)
            return cur.fetchone()[0]

    def report(self, pool, stats, instance=None):
        return self.one("SELECT pgpool_stats.report(%s, %s, %s)",
                        pool, psycopg2.extras.Json(stats), instance)

    def forget(self, pool, instance):
        return self.one("SELECT pgpool_stats.forget(%s, %s)", pool, instance)

    def rows(self, query, *args):
        with self.conn.cursor(
                cursor_factory=psycopg2.extras.RealDictCursor) as cur:
            cur.execute(query, args)
            return cur.fetchall()

    def instance(self, pool, instance):
        """The instance's row, None if there is none."""
        rows = self.rows("SELECT * FROM pgpool_stats.instances"
                         " WHERE pool = %s AND instance = %s", pool, instance)
        assert len(rows) <= 1
        return rows[0] if rows else None

    def pool(self, pool):
        rows = self.rows("SELECT * FROM pgpool_stats.pools WHERE pool = %s",
                         pool)
        assert len(rows) <= 1
        return rows[0] if rows else None

    def connections(self, step, pool, instance, expected):
        """The server's own count, which follows a moment later."""
        def agrees():
            row = self.instance(pool, instance)
            return (row["connections"] if row else 0) == expected
        until("%s: %d connections of %s" % (step, expected, instance), agrees)
        row = self.instance(pool, instance)
        equal("%s: the server counts the pool's connections" % step,
              row["connections"] if row else 0, expected)

    def compare(self, step, pool, instance, expected):
        """Check each given column of the instance's row."""
        row = self.instance(pool, instance)
        if row is None:
            check("%s: a row for %s" % (step, instance), False)
            return
        for column, value in expected.items():
            equal("%s: %s" % (step, column), row[column], value)
        equal("%s: nothing unmapped" % step, row["unmapped"] or [], [])


class Rules:
    """The alert rules with short times, until the program ends: everything
    fires at once.  A rule that counts within its "for" counts nothing then,
    unless set() says for how long."""

    def __init__(self, **settings):
        self.admin = Reporter("postgres")
        self.settings = settings
        atexit.register(self.restore)
        self.set()

    def execute(self, *statements):
        with self.admin.conn.cursor() as cur:
            for statement in statements:
                cur.execute(statement)

    def reload(self):
        """Returns when the collector has read the settings."""
        before = self.admin.one("SELECT clock_timestamp()")
        self.admin.one("SELECT pg_reload_conf()")
        until("reloaded settings", lambda: self.admin.one(
            "SELECT pg_conf_load_time() > %s", before))
        self.passed()
        self.passed()

    def set(self, *entries, **settings):
        """Entries of alert_rules, behind the one for all rules"""
        self.settings.update(settings)
        rules = "; ".join(("*: for 0s",) + entries)
        for name, value in dict(self.settings, alert_rules=rules).items():
            self.admin.conn.cursor().execute(
                "ALTER SYSTEM SET pgpool_stats.%s = %%s" % name, (value,))
        self.reload()

    def restore(self):
        for name in ["alert_rules", *self.settings]:
            self.execute("ALTER SYSTEM RESET pgpool_stats." + name)
        self.reload()

    def passed(self):
        """The collector has judged all that is there now."""
        now = self.admin.one("SELECT clock_timestamp()")
        until("a pass of the collector", lambda: self.admin.one(
            "SELECT last_pass > %s FROM pgpool_stats.info", now))

    def watch(self, rule, **subject):
        return Watch(self, rule, subject)


class Watch:
    """One rule, and the pool (or datname, or usename) that it is about"""

    def __init__(self, rules, rule, subject):
        self.rules, self.rule = rules, rule
        if "pool" not in subject:
            subject = dict({"pool": "", "datname": "", "usename": ""},
                           **subject)
        self.where = " AND ".join("coalesce(%s::text, '') = %%s" % column
                                  for column in ("rule", *subject))
        self.values = (rule, *subject.values())

    def row(self):
        """The alert, None if there is none"""
        rows = self.rules.admin.rows(
            "SELECT * FROM pgpool_stats.alerts WHERE " + self.where,
            *self.values)
        assert len(rows) <= 1, rows
        return rows[0] if rows else None

    def silent(self, step):
        """Nothing at the next pass"""
        self.rules.passed()
        row = self.row()
        check("%s: %s is silent" % (self.rule, step), row is None, row)

    def fires(self, step, report=lambda: None, within=None, **expected):
        """It comes to fire as expected; the pool reports all the while.
        It is late when a pass did not see to it that began after a report of
        later than "within" seconds from now; the server tells the time."""
        expected["state"] = "firing"
        admin = self.rules.admin
        began = admin.one("SELECT clock_timestamp()")
        due = None
        self.late = False

        def is_as(key, value):
            # a message may go on with the cause
            return value == expected[key] or key == "message" and \
                value.startswith(expected[key] + ": ")

        def fires():
            nonlocal due
            report()
            if within and due is None:
                due = admin.one("SELECT now FROM clock_timestamp() AS now"
                                " WHERE now - %s > %s * interval '1 s'"
                                " UNION ALL SELECT NULL LIMIT 1", began, within)
            overdue = due is not None and admin.one(
                "SELECT last_pass > %s FROM pgpool_stats.info", due)
            row = self.row()
            if row and all(is_as(key, row[key]) for key in expected):
                return row
            self.late |= overdue
            return None
        name = "%s: %s fires" % (self.rule, step)
        row = until(name, fires)
        if row:
            print("ok - %s: %s" % (name, row["message"]))
        else:
            print("# there is %s" % self.row())
        return row or {}

    def clears(self, step, report=lambda: None):
        name = "%s: %s clears" % (self.rule, step)

        def clear():
            report()
            return self.row() is None
        if until(name, clear):
            print("ok - " + name)
        else:
            print("# there is %s" % self.row())
