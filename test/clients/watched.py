"""watch() of each language in an application of its own: what the server sees
of it, and what it outlives.  The applications are in apps/; each is told over
its standard input to take and to give back connections."""

import atexit
import os
import re
import shutil
import socket
import subprocess
import sys
import threading

from common import Reporter, check, done, equal, until

APPS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "apps")


class Proxy:
    """A server that can be cut off, or accept and not answer"""

    def __init__(self, port):
        self.mode = "pass"
        self.server = port
        self.open = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client = self.listener.accept()[0]
            if self.mode == "refuse":
                client.close()
                continue
            self.open.append(client)
            if self.mode == "silent":
                continue
            server = socket.create_connection(("127.0.0.1", self.server))
            self.open.append(server)
            for pair in (client, server), (server, client):
                threading.Thread(target=self.copy, args=pair,
                                 daemon=True).start()

    def copy(self, source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        self.close(source)
        self.close(target)

    def close(self, end):
        """Wakes up who reads from it, too"""
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        end.close()

    def cut(self):
        while self.open:
            self.close(self.open.pop())


class App:
    """An application, its database and its role, which have its name"""

    def __init__(self, name, command, bouncer=None):
        self.name = name
        if bouncer is None:
            admin = Reporter("postgres", dbname="postgres")
            with admin.conn.cursor() as cur:
                cur.execute("CREATE DATABASE %s" % name)
                cur.execute("CREATE ROLE %s LOGIN PASSWORD '%s'"
                            % (name, os.environ["PGPASSWORD"]))
        self.admin = Reporter("postgres", dbname=name)
        self.execute("CREATE EXTENSION IF NOT EXISTS pgpool_stats")
        self.proxy = Proxy(bouncer or int(os.environ["PGPORT"]))
        self.log = os.path.join(os.environ["TESTDIR"], name + ".stderr")
        self.environment = dict(
            os.environ, PGHOST="127.0.0.1", PGPORT=str(self.proxy.port),
            PGUSER=name, PGDATABASE=name, PGSSLMODE="disable",
            PGPOOL_STATS_EVERY="0.1")
        self.command = command
        self.start()

    def start(self):
        """Again, when it has ended"""
        self.process = subprocess.Popen(
            self.command, cwd=APPS, env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=open(self.log, "w"))
        self.instance = "%s:%d" % (socket.gethostname(), self.process.pid)
        self.spoilt = 0

    def execute(self, statement):
        with self.admin.conn.cursor() as cur:
            cur.execute(statement)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def does(self, step, command="work"):
        equal("%s: %s: %s" % (self.name, step, command),
              self.ask(command), "done")

    def said(self, what):
        """How often did it log that?"""
        with open(self.log) as log:
            return len(re.findall("(?<!label )pgpool_stats[: ].*" + what, log.read()))

    def row(self):
        rows = self.admin.rows(
            "SELECT * FROM pgpool_stats.instances WHERE pool = %s"
            " AND instance = %s", self.name, self.instance)
        return rows[0] if rows else {}

    def sees(self, step, **expected):
        """The row comes to show that."""
        def right():
            row = self.row()
            return all(row.get(column) == value
                       for column, value in expected.items())
        until("%s: %s: %s" % (self.name, step, expected), right)
        row = self.row()
        equal("%s: %s" % (self.name, step),
              {column: row.get(column) for column in expected}, expected)

    def labels(self, step):
        """A connection of the pool comes to have the label.  On a slow machine
        the first one may not have waited for it long enough."""
        def labelled():
            if self.row().get("connections"):
                return True
            self.admin.one("SELECT count(pg_terminate_backend(pid)) FROM"
                           " pg_stat_activity WHERE usename = %s"
                           " AND application_name NOT LIKE 'watch%%'", self.name)
            self.ask("work")
            return False
        until("%s: %s: labelled" % (self.name, step), labelled)
        self.sees(step, instance=self.instance, connections=1)

    def ends(self, step):
        """Returns whether it has said goodbye.  It may leave that out only if
        its last report failed, of which it speaks."""
        self.process.stdin.close()
        equal("%s: %s: ends" % (self.name, step), self.process.wait(300), 0)
        if not self.row():
            return True
        failed, again = self.said("cannot report"), self.said("reported again")
        check("%s: %s: goodbye" % (self.name, step), failed > again, self.row())
        return False

    def reported_again(self, step):
        before = self.admin.one("SELECT clock_timestamp()")
        until("%s: %s: a report" % (self.name, step), lambda: (
            self.row().get("last_report") or before) > before)

    def spoils(self, step, spoil, heal):
        """What spoils reports is logged once, and so is their recovery."""
        spoil()
        self.spoilt += 1
        until("%s: %s: logged" % (self.name, step),
              lambda: self.said("cannot report") >= self.spoilt)
        heal()
        until("%s: %s: recovers" % (self.name, step),
              lambda: self.said("is reported again") >= self.spoilt)
        self.reported_again(step)
        equal("%s: %s: logged once, and once again" % (self.name, step),
              (self.said("cannot report"), self.said("is reported again"),
               self.said("") - self.said("has open conn")),
              (self.spoilt, self.spoilt, 2 * self.spoilt))


def lives(app, counts):
    """counts: of which failed checkouts the library or we know"""
    app.does("first connection")
    app.labels("first connection")
    app.sees("first connection", open=1, checked_out=0, max_size=2)
    unlabelled = app.said("has open conn")
    app.does("full", "take")
    app.does("full", "take")
    app.sees("full", connections=2, open=2, checked_out=2)
    check("%s: full: the next one fails" % app.name,
          app.ask("take").startswith("failed"))
    app.sees("full: counted", **counts)
    app.does("full", "give")
    app.does("full", "give")
    app.sees("given back", checked_out=0)
    check("%s: its reporter is of the pool reports" % app.name,
          app.admin.one("SELECT count(*) FROM pgpool_stats.pools"
                        " WHERE pool = 'reports' AND usename = %s", app.name))

    # no answer: what is open goes on
    def silent():
        app.proxy.mode = "silent"

    def answers():
        app.does("silent server")
        app.proxy.mode = "pass"
    app.spoils("silent server", silent, answers)

    # answers, but not for long: what is open goes on, too
    admin = Reporter("postgres", dbname=app.name)

    def hang():
        admin.conn.autocommit = False
        admin.conn.cursor().execute("LOCK TABLE pg_proc IN ACCESS EXCLUSIVE MODE")

    def go_on():
        app.does("a statement that hangs")
        admin.conn.close()
    app.spoils("a statement that hangs", hang, go_on)

    def stop():
        app.proxy.mode = "refuse"
        app.proxy.cut()

    def start():
        app.proxy.mode = "pass"
    app.spoils("restart", stop, start)
    until("%s: restart: its pool is back" % app.name,
          lambda: app.ask("work") == "done")
    app.labels("restart")

    def full():
        app.execute("ALTER ROLE %s CONNECTION LIMIT 1" % app.name)
    app.spoils("no room", full, lambda: app.execute(
        "ALTER ROLE %s CONNECTION LIMIT -1" % app.name))
    equal("%s: no room: who was rejected" % app.name,
          app.admin.rows("SELECT DISTINCT pool, application_name"
                         " FROM pgpool_stats.rejections WHERE usename = %s"
                         " AND reason = 'role'", app.name),
          [{"pool": "reports", "application_name": "watch " + app.name}])

    def password(value):
        app.execute("ALTER ROLE %s PASSWORD '%s'" % (app.name, value))
    app.spoils("wrong password", lambda: password("other"),
               lambda: password(os.environ["PGPASSWORD"]))

    # without the extension it says nothing, and finds it when it is there
    app.execute("DROP EXTENSION pgpool_stats")
    asked = app.admin.one("SELECT xact_commit FROM pg_stat_database"
                          " WHERE datname = %s", app.name)
    until("%s: it asks whether there is the extension" % app.name,
          lambda: app.admin.one("SELECT xact_commit FROM pg_stat_database"
                                " WHERE datname = %s", app.name) > asked)
    app.does("without the extension")
    app.execute("CREATE EXTENSION pgpool_stats")
    app.reported_again("the extension is back")
    equal("%s: without the extension: nothing said" % app.name,
          app.said(""), 2 * app.spoilt + unlabelled)

    app.does("end", "end")
    app.ends("end")

    # a report that is on its way does not come after the goodbye
    def goodbye():
        app.start()
        until("%s: on its way: work" % app.name, lambda: app.ask("work") == "done")
        app.reported_again("on its way")
        blocker = Reporter("postgres", dbname=app.name)
        blocker.conn.autocommit = False
        blocker.conn.cursor().execute("LOCK TABLE pg_proc IN ACCESS EXCLUSIVE MODE")

        # it may wait before anybody knows whose session it is: who finds no
        # pg_internal.init opens all catalogs that have a cache
        def waiting():
            return admin.one("SELECT count(*) FROM pg_locks WHERE NOT granted AND database ="
                             " (SELECT oid FROM pg_database WHERE datname = %s)", app.name)
        until("%s: a report on its way" % app.name, waiting)
        app.process.stdin.write("end\n")
        app.process.stdin.flush()
        until("%s: the pool is closed" % app.name, lambda: not watching(
            admin, app, "application_name NOT LIKE 'watch%%'"))
        for _ in range(100):        # one that does not wait for the report
            if waiting() > 1:
                break
        blocker.conn.close()
        return app.ends("on its way")
    admin = Reporter("postgres", dbname="postgres")
    until("%s: goodbye" % app.name, goodbye)


def watching(admin, app, condition):
    """How many of its sessions are like that?"""
    return admin.one("SELECT count(*) FROM pg_stat_activity WHERE usename = %s"
                     " AND backend_type = 'client backend' AND " + condition,
                     app.name)


def clocks():
    """None of them looks at a clock that can be set."""
    sources = os.path.join(APPS, "../../../clients")
    for path, wall in (("node/pgpool-stats.js", r"Date\b"),
                       ("java/PgpoolStats.java", r"currentTimeMillis|\bDate\b"),
                       ("ruby/pgpool_stats.rb", r"\bTime\.now|CLOCK_REALTIME"),
                       ("go/pgpoolstats.go", r"\.Round\(|\.Unix")):
        with open(os.path.join(sources, path)) as source:
            equal(path + ": no clock that can be set",
                  re.findall(wall, source.read()), [])


def lines_added(name, path, number):
    """Not more of an application is about us than these."""
    with open(os.path.join(APPS, path)) as program:
        lines = [line for line in program
                 if re.search("pgpool_?.?stats|pgxv4|watch", line, re.I)
                 and not re.match(r"\s*(//|#|/?\*)", line)]
    equal("%s: lines added" % name, len(lines), number)


def built(name, path):
    """Go has no interpreter: its own pid is that of what it builds."""
    if not shutil.which("go"):
        return ["go"]
    binary = os.path.join(os.environ["TESTDIR"], name)
    subprocess.run(["go", "build", "-o", binary, path], cwd=APPS, check=True)
    return [binary]


def pgx_5():
    """The application of pgx 4 with pgx 5, where that is"""
    if not os.path.isdir("/usr/share/gocode/src/github.com/jackc/pgx/v5"):
        return ["pgx 5"]
    with open(os.path.join(APPS, "pgx.go")) as program:
        text = program.read()
    for old, new in (("pgx/v4", "pgx/v5"), ("pgxv4", "pgxv5"),
                     ("\tconfig.LazyConnect = true\n", ""),
                     (".ConnectConfig(", ".NewWithConfig("),
                     ('"pgxpool"', '"pgxpool5"')):
        assert old in text, old
        text = text.replace(old, new)
    path = os.path.join(os.environ["TESTDIR"], "pgx5.go")
    with open(path, "w") as program:
        program.write(text)
    return built("pgxpool5", path)


ALL = {
    "node": ("node.js", lambda: ["node", "node.js"],
             {"waits": 1, "timeouts": 1, "dialect": "native"}, 2),
    "database_sql": ("sql.go", lambda: built("database_sql", "sql.go"),
                     {"waits": 1, "dialect": "database_sql"}, 2),
    "pgxpool": ("pgx.go", lambda: built("pgxpool", "pgx.go"),
                {"timeouts": 1, "dialect": "pgxpool"}, 3),
    "pgxpool5": ("pgx.go", pgx_5, {"timeouts": 1, "dialect": "pgxpool"}, 3),
    "hikari": ("hikari.java",
               lambda: ["java", "-XX:TieredStopAtLevel=1", "hikari.java"],
               {"dialect": "hikaricp", "waiting": 0}, 2),
    "activerecord": ("activerecord.rb", lambda: ["ruby", "activerecord.rb"],
                     {"waits": 1, "timeouts": 1, "waiting": 0}, 2),
    "sequel": ("sequel.rb", lambda: ["ruby", "sequel.rb"],
               {"waits": 1, "timeouts": 1, "waiting": 0}, 2),
}

def start_bouncer():
    """One that takes no options: Debian's, as it is configured"""
    path = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
    home = os.path.join(os.environ["TESTDIR"], "watched")
    os.makedirs(home, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with open(home + "/users", "w") as users:
        users.writelines('"%s" "%s"\n' % (name, os.environ["PGPASSWORD"])
                         for name in ALL)
    with open(home + "/ini", "w") as ini:
        ini.write("""
[databases]
* = host=%s port=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = plain
auth_file = %s/users
pool_mode = transaction
ignore_startup_parameters = extra_float_digits
""" % (os.environ["PGHOST"], os.environ["PGPORT"], port, home))
    bouncer = subprocess.Popen([path, "-q", home + "/ini"],
                               stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    atexit.register(bouncer.kill)

    def listens():
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return True
        except OSError:
            return False
    until("PgBouncer to listen", listens)
    return port


def behind_bouncer(app):
    """Not one connection of the pool is refused for our sake."""
    app.does("PgBouncer")
    app.does("PgBouncer", "take")
    app.does("PgBouncer", "give")
    app.sees("PgBouncer", open=1, instance=app.instance)
    app.reported_again("PgBouncer")
    equal("%s: PgBouncer: said once" % app.name,
          (app.said("get no label"), app.said("")), (1, 1))
    app.does("PgBouncer", "end")
    app.process.stdin.close()
    equal("%s: PgBouncer: ends" % app.name, app.process.wait(60), 0)


def run(name, command, counts):
    lives(App(name, command), counts)
    behind_bouncer(App(name, command, bouncer))


clocks()
bouncer = start_bouncer()
apps = []
for name in sys.argv[1:] or ALL:
    path, command, counts, number = ALL[name]
    command = command()
    if not shutil.which(command[0]):
        print("%s is not here" % command[0])
        continue
    lines_added(name, path, number)
    apps.append(threading.Thread(target=run, args=(name, command, counts)))
for thread in apps:
    thread.start()
for thread in apps:
    thread.join()
done()
