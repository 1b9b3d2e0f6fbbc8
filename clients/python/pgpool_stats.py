"""Tell PostgreSQL how full a connection pool is.

    import pgpool_stats
    pgpool_stats.watch(pool, "orders")

"pool" is one of

    a pool of psycopg2.pool             a ConnectionPool or AsyncConnectionPool
    an SQLAlchemy Engine, AsyncEngine   of psycopg_pool
    an asyncpg pool, an aiopg pool      a PooledPostgresqlDatabase of peewee
    a Database of databases             django.db.connections["default"]

Call it once, right after the pool was made and before it is used, also before
a fork.  Nothing else is needed: this file needs only the driver of the pool.

What it does
    It adds a label to the options of each connection that the pool opens,
    pgpool_stats.pool=orders and pgpool_stats.instance=host:pid, so that the
    server knows whose it is.  From the first connection that a process opens,
    a daemon thread reports what the pool says of itself, every 10 seconds, and
    every 30 while nothing changes, on a short connection of its own: it is
    made the way the pool makes its own, has the label "reports" and the
    application_name "watch orders".  Pools that connect alike share it.  Where
    the connections of a pool are on several servers, as behind a name that
    means all replicas, each of them is told, and how many there are.
    Who waits, and who gave up waiting, is counted here where the library does
    not (SQLAlchemy, psycopg2, asyncpg, aiopg, peewee).  At exit the process
    says goodbye, for at most a second, and so does a pool of psycopg,
    psycopg2, asyncpg or aiopg when it is closed: who is ended by a signal, as
    uvicorn's processes are, has no exit.

What it never does
    It raises nothing, holds up nothing (but the first connection of a process,
    for at most a second, until it is known that the server takes the label,
    and as long the end of a pool that is closed), and sets nothing in a session.  The reporter's first connection tries the
    label: a pooler that refuses it, as PgBouncer does when it is not told
    otherwise, is told once in the log, and connections are opened as before.

What it says, by logging.getLogger("pgpool_stats")
    the first report that fails, and the first that does not fail any more;
    that connections are open of which the server sees none with the label.
    A server without the extension is no failure: it is asked again now and
    then.

Settings
    watch(..., every=10)             seconds between two reports, plus or minus
                                     30 %
    watch(..., app_version="2.41")   is shown in pgpool_stats.instances
    in the environment
    PGPOOL_STATS_INSTANCE            stands for host:pid
    PGPOOL_STATS_EVERY=10            stands for every=10
    PGPOOL_STATS_OFF=1               watch() does nothing

Notes
    A second pool of one name in a process is the instance host:pid/2.
    Connections that psycopg_pool or asyncpg had opened before are replaced when
    they come back, or at their next checkout; so are those of psycopg2 and
    SQLAlchemy for which there was no answer in time.
    A pool with a creator of its own (SQLAlchemy's creator=) is reported but
    cannot be labelled: put the label into what the creator connects with.
    uWSGI needs enable-threads.

Copyright (c) 2026, the pgpool_stats authors
"""

import asyncio
import atexit
import contextlib
import contextvars
import json
import logging
import os
import random
import re
import socket
import threading
import time
import weakref

__version__ = "1.0"
__all__ = ["watch"]

EVERY = 10              # seconds between reports
QUIET = 3               # times as much while nothing changes
MISSING = 30            # and where the extension is missing
LONGEST = 30            # and at most, after many failures
TIMEOUT = 5             # seconds to connect, and for a statement
PATIENCE = 1            # seconds that the application may wait for us

log = logging.getLogger("pgpool_stats")

INSTALLED = ("SELECT 1 WHERE to_regprocedure("
             "'pgpool_stats.report(text,jsonb,text)') IS NOT NULL")


def watch(pool, name, every=None, app_version=None):
    """Label the connections of a pool, and report how full it is."""
    if os.environ.get("PGPOOL_STATS_OFF"):
        return
    try:
        kind, pool = _kind_of(pool)
        if kind is None:
            log.warning("cannot watch pool %s: %s is no pool that is known",
                        name, type(pool).__name__)
        else:
            kind(pool, name, every or float(
                os.environ.get("PGPOOL_STATS_EVERY") or EVERY), app_version)
    except Exception as error:      # monitoring takes nothing down
        log.warning("cannot watch pool %s: %s", name, error)


# ---------------------------------------------------------------------------
# The reporter: one thread in each process, for all its pools


class _Reporter:
    """Begins with the first connection that the process opens, never before:
    a thread does not survive a fork, and holds locks that a child waits for."""

    def __init__(self):
        self.lock = threading.Lock()
        self.awake = threading.Event()
        self.stopping = False
        self.jitter = 1             # processes are not to report in step
        self.ended = threading.Event()
        self.thread = None

    def start(self):
        if self.thread is not None:
            return
        with self.lock:
            if self.thread is not None:
                return
            self.thread = threading.Thread(target=self.run, daemon=True,
                                           name="pgpool_stats")
        try:
            self.thread.start()
        except RuntimeError:        # at exit there are no new threads
            self.ended.set()
            return
        atexit.register(self.goodbye)

    def run(self):
        try:
            while not self.stopping:
                self.awake.clear()
                self.jitter = random.uniform(0.7, 1.3)
                for w in list(_watches):
                    # those that are due soon go along
                    if (w.due - time.monotonic() < w.every * 0.15 and
                            not self.stopping):
                        w.turn()
                due = min((w.due for w in list(_watches)), default=None)
                if not self.stopping:
                    self.awake.wait(None if due is None else
                                    min(max(due - time.monotonic(), 0), 3600))
            for w in list(_watches):
                w.forget()
        except Exception as error:
            log.warning("reports end: %s", error)
        finally:
            self.ended.set()

    def wake(self):
        self.awake.set()

    def goodbye(self):
        if self is _reporter:       # not that of a parent
            self.stopping = True
            self.awake.set()
            self.ended.wait(PATIENCE)


_watches = []
_reporter = _Reporter()


def _after_fork():
    """In a child: a thread of its own, and counters that begin at 0."""
    global _reporter
    _reporter = _Reporter()
    for w in _watches:
        w.begin()
        w.forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


# ---------------------------------------------------------------------------
# One watched pool


class _Watch:
    """A pool: its label, its counts, its reports.  A subclass for each kind
    knows what the library calls things."""

    opens_early = False     # it may have had connections before watch()
    forked = False          # it was watched before this process began

    def __init__(self, pool, name, every, app_version):
        self.pool = self.reference(pool)
        self.name = name
        self.every = every
        self.app_version = app_version
        number = 1
        while any(w.name == name and w.number == number for w in _watches):
            number += 1
        self.number = number
        self.accepted = None    # does the server take the label?
        self.key = None         # the same for pools that connect alike
        self.begin()
        self.install(pool)
        _watches.append(self)

    @staticmethod
    def reference(pool):
        return weakref.ref(pool)

    def begin(self):
        """A process begins."""
        self.lock = threading.Lock()
        self.me = os.environ.get("PGPOOL_STATS_INSTANCE") or "%s:%d" % (
            socket.gethostname(), os.getpid())
        if self.number > 1:
            self.me += "/%d" % self.number
        self.due = 0
        self.closing = False        # its goodbye is waited for ...
        self.over = threading.Event()   # ... until it was said
        self.where = weakref.WeakKeyDictionary()    # connections, and servers
        self.told = [{}]            # the servers that have a report
        self.sent = None            # the last report that arrived ...
        self.sent_at = 0            # ... and when
        self.failures = 0           # in a row
        self.tried = threading.Event()
        self.impatient_until = 0
        self.opened = 0             # connections, with our label or without
        self.labelled = False       # the server has seen one
        self.unlabelled = 0         # reports of which it had seen none
        self.counts = {"waiting": 0, "checkouts": 0, "waits": 0,
                       "total_wait_time": 0.0, "timeouts": 0, "errors": 0}

    # The label

    def label(self):
        """Called before the pool opens a connection: what to label it with,
        {} if the server does not take it, or if that is not known in time."""
        self.opened += 1
        _reporter.start()
        if self.accepted is None:
            self.await_answer()
        return self.labels(self.name) if self.accepted else {}

    def undecided(self):
        return self.accepted is None

    def comes_later(self, labels):
        """Is a connection that has these to be replaced by one with a label?
        The answer may have come while it was opened."""
        return not labels and self.accepted is not False

    async def label_async(self):
        """The same; the loop goes on.  Where the library has a time limit
        around it, ask before: the limit is the application's."""
        if self.undecided():
            return await asyncio.get_running_loop().run_in_executor(
                None, self.label)
        return self.label()

    def await_answer(self):
        """Let the reporter try now.  If there is no answer in time, the next
        connections do not wait for one."""
        if (threading.current_thread() is _reporter.thread or
                _reporter.stopping or
                time.monotonic() < self.impatient_until):
            return
        self.tried.clear()
        self.due = 0
        _reporter.wake()
        if not self.tried.wait(PATIENCE):
            self.impatient_until = time.monotonic() + 30

    def labels(self, pool):
        return {"pgpool_stats.pool": pool, "pgpool_stats.instance": self.me}

    # What the library does not count

    def count(self, what, n=1):
        with self.lock:
            self.counts[what] += n

    @contextlib.contextmanager
    def checkout(self, waits, timeouts=()):
        """Around a checkout, which has to wait or not.  An exception is one
        who gave up, or else an error.  A child uses what its parent has
        opened: that, too, is to be reported."""
        _reporter.start()
        began = time.monotonic()
        if waits:
            self.count("waiting")
        try:
            yield
            self.count("checkouts")
        except timeouts:
            self.count("timeouts")
            raise
        except Exception:
            self.count("errors")
            raise
        finally:
            if waits:
                self.count("waiting", -1)
                self.count("waits")
                self.count("total_wait_time",
                           (time.monotonic() - began) * 1000)

    def counted(self):
        with self.lock:
            return dict(self.counts)

    # Reports

    def turn(self):
        """Report, if there is anything new, for all pools that connect alike.
        In the reporter's thread."""
        group, place, after = [self], None, 1
        try:
            pool = self.pool()
            if pool is None or self.closed(pool):
                self.end()
                return
            if self.is_quiet(pool):
                self.later(1)
                return
            places = self.places()
            group += self.alike(places)
            for place in places:
                with self.session(pool, place) as run:
                    if run(INSTALLED) == 0:
                        after = MISSING
                        break
                    for w in list(group):
                        if not w.report(run, len(places)):
                            group.remove(w)
            for w in group:
                w.told = places
                w.succeeded(after == 1)
                w.later(after)
        except Exception as error:
            for w in group:
                w.failed(error, place)
                w.later(min(2 ** min(w.failures, 20), LONGEST))
        finally:
            self.tried.set()

    def later(self, times):
        self.due = 0 if self.closing else (
            time.monotonic() + self.every * times * _reporter.jitter)

    def is_quiet(self, pool):
        """Has nothing changed since a report that is not old yet?"""
        return (self.accepted is not None and self.sent is not None and
                time.monotonic() - self.sent_at <
                self.every * QUIET * 0.95 and self.stats(pool) == self.sent)

    def alike(self, places):
        """Other pools that can be reported on the same connection"""
        def is_alike(w):
            pool = w.pool()
            return (w is not self and w.key is not None and
                    w.key == self.key and pool is not None and
                    not w.closed(pool) and w.places() == places)
        return [w for w in list(_watches) if is_alike(w)]

    def succeeded(self, installed):
        if not installed:
            self.sent = None
        elif self.failures:
            log.warning("pool %s is reported again", self.name)
        self.failures = 0

    def failed(self, error, place=None):
        if not self.failures:
            log.warning("cannot report pool %s: %s", self.name,
                        " ".join(str(error).split()) or repr(error))
        self.failures += 1
        with self.lock:         # that server may be no more
            for connection, where in list(self.where.items()):
                if dict(where) == place:
                    del self.where[connection]

    def report(self, run, hosts):
        """Returns whether the pool told its figures."""
        pool = self.pool()
        if pool is None:            # gone since it was looked up
            return False
        try:
            stats = self.stats(pool)
        except Exception as error:
            self.failed(error)
            self.later(1)
            return False
        if stats is not None:
            more = {"host": socket.gethostname(), "pid": os.getpid(),
                    "every": self.every * QUIET}
            if hosts > 1:
                more["hosts"] = hosts
            if self.app_version is not None:
                more["app_version"] = self.app_version
            run("SELECT pgpool_stats.report(%s, %s, %s)" % (
                _quoted(self.name), _quoted(json.dumps(
                    dict(stats, **more), allow_nan=False)),
                _quoted(self.me)))
        self.sent = stats
        self.sent_at = time.monotonic()
        if hosts == 1:
            self.check_label(pool, run)
        return True

    def check_label(self, pool, run):
        """Say once that the label is not where it should be."""
        if self.labelled or self.accepted is False or self.open(pool) == 0:
            return
        if self.forked and not self.opened:
            log.warning(
                "pool %s uses a connection that it had before a fork, and so"
                " may another process: make it after the fork, or drop what"
                " it has open there", self.name)
            self.labelled = True    # no more of that
            return
        if self.opens_early and not self.opened:
            return
        if run("SELECT 1 FROM pgpool_stats.connections WHERE pool = %s"
               " AND instance = %s LIMIT 1" % (
                   _quoted(self.name), _quoted(self.me))):
            self.labelled = True
            return
        self.unlabelled += 1
        if self.unlabelled == 3:
            log.warning(
                "pool %s has open connections, and the server sees none with"
                " the label pgpool_stats.pool=%s: does a pooler drop it, or"
                " does the pool connect by a function of its own?",
                self.name, self.name)
            self.labelled = True    # no more of that

    # Where to report

    def opened_one(self, connection):
        """Note which server it is on."""
        with contextlib.suppress(Exception), self.lock:
            self.where[connection] = _place(connection)
        return connection

    def places(self):
        """The servers that its connections are on: what to connect with, so
        that it is the same; {} = wherever the next one would be"""
        with self.lock:
            servers = {place for connection, place in self.where.items()
                       if not _is_closed(connection)}
        return [dict(place) for place in sorted(servers)] or [{}]

    @contextlib.contextmanager
    def session(self, pool, place):
        """A short connection; gives a function that runs a statement and
        returns how many rows there were."""
        try:
            connection = self.connect(pool, self.accepted is not False, place)
        except Exception as error:
            if (self.accepted is False or
                    "unsupported startup parameter" not in str(error)):
                raise
            self.accepted = False
            log.warning("connections of pool %s get no label: %s",
                        self.name, " ".join(str(error).split()))
            connection = self.connect(pool, False, place)
        try:
            if self.accepted is None:
                self.accepted = True
            self.tried.set()
            self.key = connection.key()
            yield connection.run
        finally:
            connection.close()

    def forget(self):
        """Goodbye, unless nothing was said, or could not be."""
        pool = self.pool()
        if self.sent is None or self.failures or pool is None:
            return
        for place in self.told:
            with contextlib.suppress(Exception):    # its row goes by itself
                with self.session(pool, place) as run:
                    run("SELECT pgpool_stats.forget(%s, %s)" % (
                        _quoted(self.name), _quoted(self.me)))

    def end(self):
        """The pool is no more."""
        self.forget()
        if self in _watches:
            _watches.remove(self)
        self.over.set()

    def was_closed(self):
        """Have the reporter say goodbye now, and wait for it: the process may end by a
        signal, without atexit, as uvicorn's does when its application has shut down."""
        if self.sent is not None and not self.failures:
            self.closing = True
            self.due = 0
            _reporter.wake()
            self.over.wait(PATIENCE)

    async def was_closed_async(self):
        await asyncio.get_running_loop().run_in_executor(None, self.was_closed)

    # What the library calls things

    def install(self, pool):
        """Have label() asked before each connection."""

    def closed(self, pool):
        return False

    def stats(self, pool):
        """What to report; None = nothing but the label."""

    def open(self, pool):
        """How many connections are open?"""

    def connect(self, pool, labelled, place):
        """A connection for reports, as the pool would make one, at a place"""


def _quoted(text):
    return "E'%s'" % text.replace("\\", "\\\\").replace("'", "''")


# ---------------------------------------------------------------------------
# Options of a connection


_OUR_OPTION = re.compile(
    r"(?:-c\s*|--)pgpool_stats\.(?:pool|instance)=(?:\\.|[^\s\\])*\s*")


def _options(options, labels):
    """Options for libpq: what stands there, and labels."""
    kept = _OUR_OPTION.sub("", options or "").strip()
    ours = ["-c %s=%s" % (key, re.sub(r"([\\\s])", r"\\\1", value))
            for key, value in labels.items()]
    return " ".join(([kept] if kept else []) + ours)


def _libpq_options(options, labels):
    """The same as parameters; PGOPTIONS counts where nothing is given."""
    if options is None:
        options = os.environ.get("PGOPTIONS")
    options = _options(options, labels)
    return {"options": options} if options else {}


def _for_reports(watch, labelled, place, options):
    """Parameters of a reporter's connection, for libpq"""
    labels = watch.labels("reports") if labelled else {}
    return dict(_libpq_options(options, labels),
                application_name="watch " + watch.name,
                connect_timeout=TIMEOUT, **place)


def _place(connection):
    """The server of a connection, in pairs of parameters that lead there"""
    if not hasattr(connection, "info"):         # asyncpg
        address = connection._addr
        if isinstance(address, str):            # DIRECTORY/.s.PGSQL.PORT
            directory, _, name = address.rpartition("/")
            address = directory, int(name.rpartition(".")[2])
        return ("host", address[0]), ("port", address[1])
    host, port = connection.info.host, connection.info.port
    duplicate = os.dup(connection.fileno())
    with socket.socket(fileno=duplicate) as s:
        peer = s.getpeername()
    if isinstance(peer, tuple):     # its name may stand for several
        return ("host", host), ("hostaddr", peer[0]), ("port", port)
    return ("host", host), ("port", port)


def _is_closed(connection):
    closed = getattr(connection, "closed", None)
    return connection.is_closed() if closed is None else bool(closed)


# ---------------------------------------------------------------------------
# Connections for reports


class _Blocking:
    """A connection of psycopg2 or psycopg.  Its driver has no time limit for
    a statement: after a while the socket is shut, which it sees as an error."""

    def __init__(self, connection):
        self.connection = connection
        self.connection.autocommit = True

    def run(self, statement):
        timer = threading.Timer(TIMEOUT, self.cut)
        timer.daemon = True
        with contextlib.suppress(RuntimeError):     # no new threads at exit
            timer.start()
        try:
            cursor = self.connection.cursor()
            cursor.execute(statement)
            return cursor.rowcount
        finally:
            timer.cancel()

    def cut(self):
        with contextlib.suppress(Exception):
            duplicate = os.dup(self.connection.fileno())
            with socket.socket(fileno=duplicate) as s:
                s.shutdown(socket.SHUT_RDWR)

    def key(self):
        """Whoever has the same may use it, too."""
        info = self.connection.info
        return (info.host, info.port, info.dbname, info.user,
                _options(info.options, {}))

    def close(self):
        with contextlib.suppress(Exception):
            self.connection.close()


class _Awaited:
    """A connection of an asynchronous driver, in a loop of its own."""

    def __init__(self, connecting):
        self.loop = asyncio.new_event_loop()
        try:
            self.connection = self.wait(connecting())
        except BaseException:
            self.loop.close()
            raise

    def wait(self, doing):
        return self.loop.run_until_complete(
            asyncio.wait_for(doing, TIMEOUT))

    def run(self, statement):
        done = self.wait(self.connection.execute(statement))
        if isinstance(done, str):       # asyncpg: "SELECT 1"
            return int(done.split()[-1])
        return done.rowcount

    def key(self):
        if hasattr(self.connection, "info"):
            return _Blocking.key(self)
        params = self.connection._params
        return (self.connection._addr, params.database, params.user,
                tuple(sorted((key, value) for key, value in (
                    params.server_settings or {}).items()
                    if not key.startswith("pgpool_stats.") and
                    key != "application_name")))

    def close(self):
        try:
            with contextlib.suppress(Exception):
                self.wait(self.connection.close())
        finally:
            self.loop.close()


# ---------------------------------------------------------------------------
# psycopg2.pool


class _Psycopg2(_Watch):
    def install(self, pool):
        from psycopg2.pool import PoolError
        connect, getconn = pool._connect, pool.getconn
        putconn, closeall = pool.putconn, pool.closeall
        unlabelled = weakref.WeakSet()  # from before the answer

        def labelled_connect(*args, **kwargs):
            pool = self.pool()
            labels = self.label()
            given = self.given_options(pool)
            pool._kwargs.pop("options", None)
            pool._kwargs.update(_libpq_options(given, labels))
            connection = self.opened_one(connect(*args, **kwargs))
            if self.comes_later(labels):
                unlabelled.add(connection)
            return connection

        def counted_getconn(*args, **kwargs):
            _reporter.start()
            with self.checkout(False, PoolError):
                return getconn(*args, **kwargs)

        def checked_putconn(conn=None, key=None, close=False):
            if conn in unlabelled and self.accepted:
                close = True
            return putconn(conn, key, close)

        # those that it has opened have no label: others are opened instead
        with getattr(pool, "_lock", None) or contextlib.nullcontext():
            while pool._pool:
                pool._pool.pop().close()
        def watched_closeall():
            closeall()
            self.was_closed()

        pool._connect = labelled_connect
        pool.getconn = counted_getconn
        pool.putconn = checked_putconn
        pool.closeall = watched_closeall

    @staticmethod
    def given_options(pool):
        from psycopg2.extensions import parse_dsn
        if "options" in pool._kwargs:
            return pool._kwargs["options"]
        dsn = pool._args[0] if pool._args else pool._kwargs.get("dsn")
        return parse_dsn(dsn).get("options") if dsn else None

    def closed(self, pool):
        return pool.closed

    def stats(self, pool):
        counts = self.counted()
        return {"minconn": pool.minconn, "maxconn": pool.maxconn,
                "idle": len(pool._pool), "used": len(pool._used),
                "checkouts": counts["checkouts"],
                "timeouts": counts["timeouts"], "errors": counts["errors"]}

    def open(self, pool):
        return len(pool._pool) + len(pool._used)

    def connect(self, pool, labelled, place):
        import psycopg2
        kwargs = {k: v for k, v in pool._kwargs.items() if k not in (
            "connection_factory", "cursor_factory", "async", "async_")}
        kwargs.update(_for_reports(self, labelled, place,
                                   self.given_options(pool)))
        return _Blocking(psycopg2.connect(*pool._args, **kwargs))


# ---------------------------------------------------------------------------
# psycopg_pool


class _PsycopgPool(_Watch):
    opens_early = True

    def install(self, pool):
        connect, getconn, close = pool._connect, pool.getconn, pool.close
        if asyncio.iscoroutinefunction(connect):
            async def labelled_connect(*args, **kwargs):
                labels = await self.label_async()
                self.put_label(labels)
                return self.mark(await connect(*args, **kwargs), labels)

            async def checked_getconn(*args, **kwargs):
                return self.check(await getconn(*args, **kwargs))

            async def watched_close(*args, **kwargs):
                await close(*args, **kwargs)
                await self.was_closed_async()
        else:
            def labelled_connect(*args, **kwargs):
                labels = self.label()
                self.put_label(labels)
                return self.mark(connect(*args, **kwargs), labels)

            def checked_getconn(*args, **kwargs):
                return self.check(getconn(*args, **kwargs))

            def watched_close(*args, **kwargs):
                close(*args, **kwargs)
                self.was_closed()
        pool._connect, pool.getconn = labelled_connect, checked_getconn
        pool.close = watched_close

    def put_label(self, labels):
        pool = self.pool()
        kwargs = dict(pool.kwargs or {})
        given = self.given_options(pool)
        kwargs.pop("options", None)
        kwargs.update(_libpq_options(given, labels))
        pool.kwargs = kwargs

    def mark(self, connection, labels):
        self.opened_one(connection)
        connection._pgpool_stats = not self.comes_later(labels)
        return connection

    @staticmethod
    def check(connection):
        """One of before watch(), or of before it was known whether the server
        takes the label, is replaced when it comes back."""
        _reporter.start()
        if not getattr(connection, "_pgpool_stats", False):
            connection._expire_at = 0
        return connection

    @staticmethod
    def given_options(pool):
        from psycopg.conninfo import conninfo_to_dict
        if "options" in (pool.kwargs or {}):
            return pool.kwargs["options"]
        return conninfo_to_dict(pool.conninfo).get("options")

    def closed(self, pool):
        return getattr(pool, "_closed", False) and self.opened > 0

    def stats(self, pool):
        return pool.get_stats()

    def open(self, pool):
        return pool.get_stats().get("pool_size", 0)

    def connect(self, pool, labelled, place):
        kwargs = {k: v for k, v in (pool.kwargs or {}).items() if k not in (
            "autocommit", "cursor_factory", "row_factory",
            "prepare_threshold", "context")}
        kwargs.update(_for_reports(self, labelled, place,
                                   self.given_options(pool)))
        connect = pool.connection_class.connect
        if asyncio.iscoroutinefunction(connect):
            return _Awaited(lambda: connect(pool.conninfo, autocommit=True,
                                            **kwargs))
        return _Blocking(connect(pool.conninfo, **kwargs))


# ---------------------------------------------------------------------------
# SQLAlchemy: an engine whose pool may be replaced by another


class _SQLAlchemy(_Watch):
    def install(self, engine):
        from sqlalchemy import event
        self.reporting = threading.local()
        event.listen(engine, "do_connect", self.do_connect)
        event.listen(engine, "connect",
                     lambda connection, record: self.opened_one(connection))
        event.listen(engine, "engine_disposed", self.watch_pool)
        self.watch_pool(engine)

    def watch_pool(self, engine):
        """Count the checkouts of the pool that the engine has now."""
        from sqlalchemy.exc import TimeoutError
        pool = engine.pool
        get, put = pool._do_get, pool._do_return_conn
        pool.pgpool_stats_lent = 0
        inside = contextvars.ContextVar("inside", default=False)

        def full():
            return (hasattr(pool, "_max_overflow") and
                    -1 < pool._max_overflow <= pool._overflow and
                    pool._pool.empty())

        def counted_get():
            if inside.get():            # it calls itself
                return get()
            _reporter.start()
            token = inside.set(True)
            try:
                with self.checkout(full(), TimeoutError):
                    record = get()
            finally:
                inside.reset(token)
            pool.pgpool_stats_lent += 1
            return record

        def counted_put(record):
            pool.pgpool_stats_lent -= 1
            return put(record)

        pool._do_get, pool._do_return_conn = counted_get, counted_put

    def do_connect(self, dialect, record, args, params):
        reporting = getattr(self.reporting, "labelled", None)
        if reporting is not None:
            return self.connect_for_reports(dialect, record, args, params,
                                            reporting)
        if dialect.is_async and self.undecided():
            from sqlalchemy.util import await_only
            labels = await_only(self.label_async())
        else:
            labels = self.label()
        if self.comes_later(labels) and record is not None:
            record._soft_invalidate_time = time.time()  # at its next checkout
        self.put_labels(dialect, params, labels)

    def put_labels(self, dialect, params, labels):
        if "asyncpg" in dialect.driver:
            settings = dict(params.get("server_settings") or {})
            for key in self.labels(""):
                settings.pop(key, None)
            params["server_settings"] = dict(settings, **labels)
        else:
            given = params.pop("options", None)
            params.update(_libpq_options(given, labels))

    def connect_for_reports(self, dialect, record, args, params, labelled):
        """As the others would, but with parameters of its own: theirs are
        shared by all connections."""
        if self.reporting.inner:
            return None
        self.reporting.inner = True
        args, params = list(args), dict(params)
        for listener in dialect.dispatch.do_connect:
            connection = listener(dialect, record, args, params)
            if connection is not None:
                return connection
        self.put_labels(dialect, params,
                        self.labels("reports") if labelled else {})
        params.update(self.reporting.place)
        if "asyncpg" in dialect.driver:
            params["server_settings"] = dict(
                params["server_settings"],
                application_name="watch " + self.name)
            params["timeout"] = TIMEOUT
        else:
            params["application_name"] = "watch " + self.name
            params["connect_timeout"] = TIMEOUT
        return dialect.connect(*args, **params)

    def stats(self, engine):
        pool = engine.pool
        stats = self.counted()
        if hasattr(pool, "_max_overflow"):
            stats.update(size=pool.size(), checkedin=pool.checkedin(),
                         checkedout=pool.checkedout(),
                         overflow=pool.overflow(),
                         max_overflow=pool._max_overflow)
        else:
            stats["checked_out"] = max(pool.pgpool_stats_lent, 0)
            for key in ("waiting", "waits", "total_wait_time", "timeouts"):
                del stats[key]          # nobody waits here
            if type(pool).__name__ == "NullPool":
                stats["unlimited"] = True
        return stats

    def open(self, engine):
        pool = engine.pool
        if hasattr(pool, "_max_overflow"):
            return pool.checkedin() + pool.checkedout()
        return pool.pgpool_stats_lent

    def connect(self, engine, labelled, place):
        self.reporting.labelled = labelled
        self.reporting.place = place
        self.reporting.inner = False
        try:
            if not engine.dialect.is_async:
                connection = engine.pool._invoke_creator(None)
                return _Blocking(connection)
            return _Awaited(lambda: self.connect_async(engine))
        finally:
            self.reporting.labelled = None

    @staticmethod
    async def connect_async(engine):
        from sqlalchemy.util import greenlet_spawn
        adapted = await greenlet_spawn(engine.pool._invoke_creator, None)
        connection = adapted._connection
        if hasattr(connection, "set_autocommit"):
            await connection.set_autocommit(True)
        return connection


# ---------------------------------------------------------------------------
# asyncpg


class _Asyncpg(_Watch):
    opens_early = True
    of_pool = {}
    unlabelled = False      # some are from before the answer

    @staticmethod
    def reference(pool):
        return lambda: pool     # it can have no weak reference

    def install(self, pool):
        """It cannot have attributes of its own, but another class."""
        original = type(pool)

        class Watched(original):
            __slots__ = ()

            async def _get_new_connection(self):
                watch = _Asyncpg.of_pool.get(id(self))
                if watch is not None:
                    labels = await watch.label_async()
                    watch.put_label(self, labels)
                    watch.unlabelled |= watch.comes_later(labels)
                connection = await original._get_new_connection(self)
                if watch is not None:
                    watch.opened_one(connection)
                return connection

            async def _acquire(self, timeout):
                watch = _Asyncpg.of_pool.get(id(self))
                if watch is None:
                    return await original._acquire(self, timeout)
                if watch.undecided():
                    await watch.label_async()
                with watch.checkout(self._queue.empty(), asyncio.TimeoutError):
                    return await original._acquire(self, timeout)

            async def close(self):
                await original.close(self)
                watch = _Asyncpg.of_pool.get(id(self))
                if watch is not None:
                    await watch.was_closed_async()

        Watched.__name__ = original.__name__
        Watched.__qualname__ = original.__qualname__
        self.of_pool[id(pool)] = self
        pool.__class__ = Watched
        pool._generation += 1   # as expire_connections() does

    def put_label(self, pool, labels):
        settings = dict(pool._connect_kwargs.get("server_settings") or {})
        for key in self.labels(""):
            settings.pop(key, None)
        settings.update(labels)
        if settings != pool._connect_kwargs.get("server_settings"):
            pool._connect_kwargs["server_settings"] = settings
            if hasattr(pool, "_working_addr"):
                pool._working_addr = None   # so that it reads them again

    def closed(self, pool):
        return pool._closed or pool._loop.is_closed()

    def end(self):
        self.of_pool.pop(id(self.pool()), None)
        super().end()

    def stats(self, pool):
        if self.unlabelled and self.accepted:
            self.unlabelled = False
            pool._generation += 1
        return dict(self.counted(), size=pool.get_size(),
                    idle_size=pool.get_idle_size(),
                    min_size=pool.get_min_size(),
                    max_size=pool.get_max_size())

    def open(self, pool):
        return pool.get_size()

    def connect(self, pool, labelled, place):
        import asyncpg
        kwargs = dict(pool._connect_kwargs)
        settings = dict(kwargs.get("server_settings") or {})
        for key in self.labels(""):
            settings.pop(key, None)
        if labelled:
            settings.update(self.labels("reports"))
        settings["application_name"] = "watch " + self.name
        kwargs.update(server_settings=settings, timeout=TIMEOUT, **place)
        return _Awaited(lambda: asyncpg.connect(*pool._connect_args, **kwargs))


# ---------------------------------------------------------------------------
# aiopg: psycopg2's connections in a loop


class _Aiopg(_Watch):
    opens_early = True

    def install(self, pool):
        fill, acquire = pool._fill_free_pool, pool._acquire
        wait_closed = pool.wait_closed

        async def labelled_fill(*args, **kwargs):
            pool = self.pool()
            if not pool._free:
                given = self.given_options(pool)
                labels = await self.label_async()
                pool._conn_kwargs.pop("options", None)
                pool._conn_kwargs.update(_libpq_options(given, labels))
            return await fill(*args, **kwargs)

        async def counted_acquire():
            pool = self.pool()
            full = not pool._free and bool(
                pool.maxsize and pool.size >= pool.maxsize)
            if self.undecided():
                await self.label_async()
            with self.checkout(full, asyncio.TimeoutError):
                return await acquire()

        async def watched_wait_closed():
            await wait_closed()
            await self.was_closed_async()

        while pool._free:
            pool._free.popleft().close()
        pool._fill_free_pool, pool._acquire = labelled_fill, counted_acquire
        pool.wait_closed = watched_wait_closed

    @staticmethod
    def given_options(pool):
        from psycopg2.extensions import parse_dsn
        if "options" in pool._conn_kwargs:
            return pool._conn_kwargs["options"]
        return parse_dsn(pool._dsn).get("options") if pool._dsn else None

    def closed(self, pool):
        return pool.closed or pool._loop.is_closed()

    def stats(self, pool):
        size, free = pool.size, pool.freesize
        limit = ({"max_size": pool.maxsize} if pool.maxsize else
                 {"unlimited": True})
        return dict(self.counted(), open=size, checked_in=free,
                    checked_out=size - free, min_size=pool.minsize, **limit)

    def open(self, pool):
        return pool.size

    def connect(self, pool, labelled, place):
        import psycopg2
        kwargs = {k: v for k, v in pool._conn_kwargs.items() if k not in (
            "connection_factory", "cursor_factory", "async", "async_")}
        kwargs.update(_for_reports(self, labelled, place,
                                   self.given_options(pool)))
        return _Blocking(psycopg2.connect(pool._dsn, **kwargs))


# ---------------------------------------------------------------------------
# peewee: playhouse.pool


class _Peewee(_Watch):
    def install(self, database):
        from playhouse.pool import MaxConnectionsExceeded
        checkout, connect = database._connect, database.connect
        inside = threading.local()

        def labelled_connect():
            database = self.pool()
            if not database._connections:
                labels = self.label()
                given = self.given_options(database)
                database.connect_params.pop("options", None)
                database.connect_params.update(_libpq_options(given, labels))
            try:
                return checkout()
            except MaxConnectionsExceeded:
                # it tries again, if it is told to wait
                if database._wait_timeout and not getattr(inside, "waits", True):
                    inside.waits = True
                    self.count("waiting")
                raise

        def counted_connect(*args, **kwargs):
            began = time.monotonic()
            inside.waits = False
            try:
                done = connect(*args, **kwargs)
                self.count("checkouts")
                return done
            except MaxConnectionsExceeded:
                self.count("timeouts")
                raise
            finally:
                if inside.waits:
                    self.count("waiting", -1)
                    self.count("waits")
                    self.count("total_wait_time",
                               (time.monotonic() - began) * 1000)
                del inside.waits

        database._connect, database.connect = labelled_connect, counted_connect

    @staticmethod
    def given_options(database):
        from psycopg2.extensions import parse_dsn
        if "options" in database.connect_params:
            return database.connect_params["options"]
        name = database.database or ""
        if "://" in name:
            return parse_dsn(name).get("options")
        return None

    def stats(self, database):
        limit = database._max_connections
        return dict(self.counted(), checked_in=len(database._connections),
                    checked_out=len(database._in_use),
                    **({"max_size": limit} if limit else {"unlimited": True}))

    def open(self, database):
        return len(database._connections) + len(database._in_use)

    def connect(self, database, labelled, place):
        import psycopg2
        kwargs = dict(database.connect_params)
        kwargs.update(_for_reports(self, labelled, place,
                                   self.given_options(database)))
        if "://" in database.database:
            return _Blocking(psycopg2.connect(database.database, **kwargs))
        return _Blocking(psycopg2.connect(dbname=database.database, **kwargs))


# ---------------------------------------------------------------------------
# Django without a pool: a connection for each thread.  There is nothing to
# report of a pool, but the label makes it one.


class _Django(_Watch):
    of_alias = {}

    @staticmethod
    def reference(wrapper):
        return lambda: wrapper

    def install(self, wrapper):
        original = type(wrapper)
        self.of_alias[wrapper.alias] = self
        if getattr(original, "pgpool_stats", False):
            return
        connect = original.get_new_connection

        def labelled_connect(self, params):
            watch = _Django.of_alias.get(self.alias)
            if watch is None:
                return connect(self, params)
            params = dict(params)
            given = params.pop("options", None)
            params.update(_libpq_options(given, watch.label()))
            return watch.opened_one(connect(self, params))

        original.get_new_connection = labelled_connect
        original.pgpool_stats = True

    def open(self, wrapper):
        return sum(not c.closed for c in list(self.where))

    def connect(self, wrapper, labelled, place):
        params = {k: v for k, v in wrapper.get_connection_params().items()
                  if k not in ("connection_factory", "cursor_factory",
                               "context", "prepare_threshold")}
        params.update(_for_reports(self, labelled, place,
                                   params.get("options")))
        return _Blocking(wrapper.Database.connect(**params))


# ---------------------------------------------------------------------------
# databases: it makes its pool when it connects


def _watch_databases(database, name, every, app_version):
    backend = database._backend
    connect = backend.connect

    async def connect_and_watch():
        await connect()
        watch(backend._pool, name, every, app_version)

    if backend._pool is not None:
        watch(backend._pool, name, every, app_version)
    backend.connect = connect_and_watch


# ---------------------------------------------------------------------------
# Which kind of pool is it?  By the names of its classes, so that no library
# is imported that is not in use.

_KINDS = {
    "psycopg2.pool.AbstractConnectionPool": _Psycopg2,
    "psycopg_pool.pool.ConnectionPool": _PsycopgPool,
    "psycopg_pool.pool_async.AsyncConnectionPool": _PsycopgPool,
    "sqlalchemy.engine.base.Engine": _SQLAlchemy,
    "asyncpg.pool.Pool": _Asyncpg,
    "aiopg.pool.Pool": _Aiopg,
    "playhouse.pool.PooledDatabase": _Peewee,
    "django.db.backends.base.base.BaseDatabaseWrapper": _Django,
    "databases.core.Database": _watch_databases,
}


def _kind_of(pool):
    pool = getattr(pool, "sync_engine", pool)       # SQLAlchemy's AsyncEngine
    if type(pool).__module__ in ("django.utils.connection", "django.db"):
        from django.db import connections
        pool = connections[pool.alias]
    if getattr(type(pool), "pool", None) is not None:   # Django's, since 5.1
        pool = pool.pool or pool
    for cls in type(pool).__mro__:
        kind = _KINDS.get("%s.%s" % (cls.__module__, cls.__qualname__))
        if kind is not None:
            return kind, pool
    return None, pool
