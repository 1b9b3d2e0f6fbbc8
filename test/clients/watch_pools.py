"""clients/python: two lines for each library, and what they come to."""

import asyncio
import os
import socket
import subprocess
import sys
import threading

from common import Reporter, check, done, equal, until

import pgpool_stats                 # common.py says where it is

reporter = Reporter()
kept = []       # engines have no end: what is not kept gives its name to others


def me():
    """Each library here has a pool called orders: another instance, unless the
    one before has gone"""
    return pgpool_stats._watches[-1].me


def lent(library, number, within=2, **more):
    """All of a pool's connections carry its label, and it says how many it has
    lent."""
    expected = dict(more, checked_out=number, max_size=within)

    def agrees():
        row = reporter.instance("orders", me()) or {}
        return not [key for key in expected if row.get(key) != expected[key]]
    until("%s: %s" % (library, expected), agrees)
    row = reporter.instance("orders", me()) or {}
    for key, value in expected.items():
        equal("%s: %s" % (library, key), row.get(key), value)
    equal("%s: nobody shares its connections, nothing is noted" % library,
          row.get("notes"), None)
    reporter.connections(library, "orders", me(),
                         number if row.get("open") is None else row["open"])


def counted(library, **least):
    until("%s: %s" % (library, least), lambda: not [
        key for key, value in least.items()
        if ((reporter.instance("orders", me()) or {}).get(key) or 0) < value])
    print("ok - %s: counts %s" % (library, ", ".join(least)))


def test_psycopg2():
    # docs: begin psycopg2-watch
    import pgpool_stats
    from psycopg2.pool import ThreadedConnectionPool

    pool = ThreadedConnectionPool(1, 2, user="app")
    pgpool_stats.watch(pool, "orders")
    # docs: end
    held = [pool.getconn(), pool.getconn()]
    try:
        pool.getconn()
        check("psycopg2: one too many", False)
    except Exception as error:
        equal("psycopg2: its own error", type(error).__name__, "PoolError")
    lent("psycopg2", 2, timeouts=1, checkouts=2, waiting=None)
    for conn in held:
        pool.putconn(conn)
    lent("psycopg2, returned", 0)
    pool.closeall()


def test_psycopg():
    # docs: begin psycopg-watch
    import pgpool_stats
    from psycopg_pool import ConnectionPool

    pool = ConnectionPool("user=app", min_size=1, max_size=2, open=True)
    pgpool_stats.watch(pool, "orders")
    # docs: end
    # a connection from before watch() is replaced when it comes back
    with pool.connection() as conn:
        conn.execute("SELECT 1")
    until("psycopg_pool: a connection with the label", lambda:
          (reporter.instance("orders", me()) or {}).get("connections"))
    held = [pool.getconn(), pool.getconn()]
    waits(lambda: pool.getconn(timeout=1))
    lent("psycopg_pool", 2)
    counted("psycopg_pool", timeouts=1, waits=1)
    for conn in held:
        pool.putconn(conn)
    lent("psycopg_pool, returned", 0)
    pool.close()


def waits(get):
    """Somebody gives up waiting"""
    try:
        get()
        check("one too many", False)
    except Exception as error:
        check("one too many: %s" % type(error).__name__,
              "Timeout" in type(error).__name__)


async def test_psycopg_async():
    # docs: begin psycopg-async-watch
    import pgpool_stats
    from psycopg_pool import AsyncConnectionPool

    pool = AsyncConnectionPool("user=app", min_size=1, max_size=2, open=False)
    pgpool_stats.watch(pool, "orders")
    # docs: end
    await pool.open()
    held = [await pool.getconn(), await pool.getconn()]
    await asyncio.to_thread(lent, "psycopg_pool, async", 2)
    for conn in held:
        await pool.putconn(conn)
    await pool.close()


def test_sqlalchemy():
    import sqlalchemy
    # docs: begin sqlalchemy-watch
    import pgpool_stats
    from sqlalchemy import create_engine

    engine = create_engine("postgresql+psycopg2://app@/", pool_size=1,
                           max_overflow=1, pool_timeout=1)
    pgpool_stats.watch(engine, "orders")
    # docs: end
    kept.append(engine)
    held = [engine.connect(), engine.connect()]
    waits(engine.connect)
    lent("SQLAlchemy", 2, max_overflow=1, timeouts=1, checkouts=2)

    # while one waits, the server is told
    one = threading.Thread(target=waits, args=(engine.connect,))

    def again():
        nonlocal one
        if not one.is_alive():
            one = threading.Thread(target=waits, args=(engine.connect,))
            one.start()
        return (reporter.instance("orders", me()) or {}).get("waiting")
    until("SQLAlchemy: a report while one waits", again)
    one.join()
    counted("SQLAlchemy", waits=2, timeouts=2, total_wait_time=1000)

    # another pool in the place of the first
    for conn in held:
        conn.close()
    engine.dispose()
    held = [engine.connect()]
    lent("SQLAlchemy, after dispose()", 1)
    held.pop().close()
    engine.dispose()

    # a pool that is none
    engine = sqlalchemy.create_engine("postgresql+psycopg2://app@/",
                                      poolclass=sqlalchemy.pool.NullPool)
    kept.append(engine)
    pgpool_stats.watch(engine, "orders")
    with engine.connect():
        lent("NullPool", 1, within=None, unlimited=True, dialect="native")
    lent("NullPool, returned", 0, within=None)


async def test_sqlalchemy_async():
    # docs: begin sqlalchemy-async-watch
    import pgpool_stats
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine("postgresql+asyncpg://app@/", pool_size=1,
                                 max_overflow=1, pool_timeout=1)
    pgpool_stats.watch(engine, "orders")
    # docs: end
    kept.append(engine)
    held = [await engine.connect(), await engine.connect()]
    try:
        await engine.connect()
        check("SQLAlchemy, async: one too many", False)
    except Exception as error:
        equal("SQLAlchemy, async: its own error", type(error).__name__,
              "TimeoutError")
    await asyncio.to_thread(lent, "SQLAlchemy, async", 2, timeouts=1, waits=1)
    for conn in held:
        await conn.close()
    await engine.dispose()


async def test_asyncpg():
    # docs: begin asyncpg-watch
    import asyncpg
    import pgpool_stats

    pool = await asyncpg.create_pool(user="app", min_size=1, max_size=2)
    pgpool_stats.watch(pool, "orders")
    # docs: end
    held = [await pool.acquire(), await pool.acquire()]
    try:
        await pool.acquire(timeout=1)
        check("asyncpg: one too many", False)
    except asyncio.TimeoutError:
        check("asyncpg: its own error", True)
    await asyncio.to_thread(lent, "asyncpg", 2, timeouts=1, waits=1,
                            checkouts=2)
    for conn in held:
        await pool.release(conn)
    await asyncio.to_thread(lent, "asyncpg, returned", 0)
    await pool.close()


async def test_aiopg():
    # docs: begin aiopg-watch
    import aiopg
    import pgpool_stats

    pool = await aiopg.create_pool("user=app", minsize=1, maxsize=2, timeout=3)
    pgpool_stats.watch(pool, "orders")
    # docs: end
    held = [await pool.acquire(), await pool.acquire()]
    try:
        await pool.acquire()
        check("aiopg: one too many", False)
    except asyncio.TimeoutError:
        check("aiopg: its own error", True)
    await asyncio.to_thread(lent, "aiopg", 2, timeouts=1, waits=1, checkouts=2)
    for conn in held:
        pool.release(conn)
    pool.close()
    await pool.wait_closed()


def test_peewee():
    # docs: begin peewee-watch
    import pgpool_stats
    from playhouse.pool import PooledPostgresqlDatabase

    database = PooledPostgresqlDatabase("clients", user="app",
                                        max_connections=2)
    pgpool_stats.watch(database, "orders")
    # docs: end
    kept.append(database)
    database.connect()
    others, held = [], threading.Event()

    def hold():
        try:
            database.connect()
            held.wait()
            database.close()
        except ValueError as error:
            others.append(error)
    threads = [threading.Thread(target=hold) for _ in range(2)]
    for thread in threads:
        thread.start()
    until("peewee: one too many", lambda: others)
    lent("peewee", 2, timeouts=1)
    held.set()
    for thread in threads:
        thread.join()
    database.close()
    lent("peewee, returned", 0)
    database.close_all()


def test_django():
    from django.conf import settings
    import django
    database = {"ENGINE": "django.db.backends.postgresql", "NAME": "clients",
                "USER": "app", "HOST": os.environ["PGHOST"],
                "PORT": os.environ["PGPORT"]}
    settings.configure(DATABASES={"default": database, "pooled": dict(
        database, OPTIONS={"pool": {"min_size": 1, "max_size": 2}})})
    # docs: begin django-watch
    import pgpool_stats
    from django.db import connections

    pgpool_stats.watch(connections["default"], "orders")
    # docs: end
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT current_setting('pgpool_stats.instance')")
        equal("Django: the label", cursor.fetchone()[0], me())
    reporter.connections("Django", "orders", me(), 1)
    connections["default"].close()
    reporter.connections("Django, closed", "orders", me(), 0)
    if django.VERSION < (5, 1):
        return                          # it has no pool

    pgpool_stats.watch(connections["pooled"], "orders")
    with connections["pooled"].cursor() as cursor:
        cursor.execute("SELECT current_setting('pgpool_stats.instance')")
        lent("Django with a pool", 1)
    connections["pooled"].close()
    lent("Django with a pool, returned", 0)
    connections["pooled"].close_pool()


async def test_aiopg_label():
    # docs: begin aiopg-label
    import aiopg

    me = "%s:%d" % (socket.gethostname(), os.getpid())
    pool = await aiopg.create_pool(
        "user=app", minsize=1, maxsize=2,
        options="-c pgpool_stats.pool=aiopg -c pgpool_stats.instance=" + me)
    # docs: end
    await asyncio.to_thread(reporter.connections, "aiopg, the label alone",
                            "aiopg", me, 1)
    pool.close()
    await pool.wait_closed()


def test_peewee_label():
    # docs: begin peewee-label
    from playhouse.pool import PooledPostgresqlDatabase

    me = "%s:%d" % (socket.gethostname(), os.getpid())
    database = PooledPostgresqlDatabase(
        "clients", user="app", max_connections=2,
        options="-c pgpool_stats.pool=peewee -c pgpool_stats.instance=" + me)
    # docs: end
    database.connect()
    reporter.connections("peewee, the label alone", "peewee", me, 1)
    database.close_all()


def test_django_label():
    """In a process of its own, as there is one configuration in each, and by
    what manage.py runs"""
    settings = """
# docs: begin django-label
DATABASES = {"default": {
    "ENGINE": "django.db.backends.postgresql", "USER": "app",
    "NAME": "clients",
    "OPTIONS": {"options": "-c pgpool_stats.pool=django"}}}
# docs: end
"""
    equal("Django, the label alone", django(settings), "django")
    without = settings.replace("OPTIONS", "TEST")
    equal("Django without it", django(without), "")
    equal("Django, watch in ready()", django(
        without + 'INSTALLED_APPS = ["shop_ready.Shop"]'), "shop_django")


def django(settings):
    """The label of a connection of a program that manage.py runs"""
    folder = os.environ["TESTDIR"]
    with open(os.path.join(folder, "django_settings.py"), "w") as f:
        f.write(settings)
    here = os.path.dirname(os.path.abspath(__file__))
    return subprocess.run(
        [sys.executable, "-B", "-m", "django", "shell", "-v", "0", "-c", """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT current_setting('pgpool_stats.pool')")
    print(cursor.fetchone()[0])
"""], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True,
        env=dict(os.environ, DJANGO_SETTINGS_MODULE="django_settings",
                 PYTHONPATH=":".join([
                     folder, os.path.join(here, "webapp"),
                     os.path.dirname(pgpool_stats.__file__)]))).stdout.strip()


async def test_databases():
    # docs: begin databases-watch
    import databases
    import pgpool_stats

    database = databases.Database("postgresql://app@/clients", min_size=1,
                                  max_size=2, host=os.environ["PGHOST"])
    pgpool_stats.watch(database, "orders")
    # docs: end
    await database.connect()
    async with database.connection() as connection:
        await connection.execute("SELECT 1")
        await asyncio.to_thread(lent, "databases", 1)
    await database.disconnect()


def test_details():
    import psycopg2.extensions
    from psycopg2.pool import ThreadedConnectionPool

    # what stands in the options stays there; the environment wins
    os.environ["PGPOOL_STATS_INSTANCE"] = "pod-7"
    pool = ThreadedConnectionPool(1, 2, user="app",
                                  options="-c statement_timeout=77s")
    pgpool_stats.watch(pool, "details", every=0.05, app_version="2.41")
    del os.environ["PGPOOL_STATS_INSTANCE"]
    watched = pgpool_stats._watches[-1]
    conn = pool.getconn()
    conn.autocommit = True
    cur = conn.cursor()
    cur.execute("SELECT current_setting('statement_timeout'),"
                " current_setting('pgpool_stats.instance')")
    equal("options", cur.fetchone(), ("77s", "pod-7"))

    # no answer in time: such connections are replaced
    pgpool_stats.PATIENCE = 0
    late = ThreadedConnectionPool(1, 2, user="app")
    pgpool_stats.watch(late, "late")
    watched_late = pgpool_stats._watches[-1]
    late.putconn(late.getconn())
    until("an answer", lambda: watched_late.accepted)
    late.putconn(late.getconn())
    late.putconn(late.getconn())
    reporter.connections("psycopg2, late", "late", watched_late.me, 1)
    late.closeall()

    # the answer comes while a connection is opened
    class Slow(psycopg2.extensions.connection):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            until("an answer amid it", lambda: watched_late.accepted)
    amid = ThreadedConnectionPool(1, 2, user="app", connection_factory=Slow)
    pgpool_stats.watch(amid, "amid")
    watched_late = pgpool_stats._watches[-1]
    amid.putconn(amid.getconn())
    amid.putconn(amid.getconn())
    reporter.connections("psycopg2, amid", "amid", watched_late.me, 1)
    amid.closeall()
    import sqlalchemy
    engine = sqlalchemy.create_engine("postgresql+psycopg2://app@/")
    kept.append(engine)
    pgpool_stats.watch(engine, "late-engine")
    watched_late = pgpool_stats._watches[-1]
    engine.connect().close()
    until("an answer", lambda: watched_late.accepted)
    engine.connect().close()
    reporter.connections("SQLAlchemy, late", "late-engine", watched_late.me, 1)
    pgpool_stats.PATIENCE = 60

    # a second pool of the name
    other = ThreadedConnectionPool(1, 2, user="app")
    pgpool_stats.watch(other, "details")
    equal("a second pool of its name", pgpool_stats._watches[-1].me,
          "%s:%d/2" % (socket.gethostname(), os.getpid()))
    other.closeall()

    # while nothing changes there are fewer reports
    sent = []

    def four():
        if watched.sent_at not in [0, *sent]:
            sent.append(watched.sent_at)
        return len(sent) == 4
    until("four reports", four)
    check("nothing changes: reports are rarer", all(
        b - a > 2.8 * 0.05 for a, b in zip(sent[1:], sent[2:])), sent)
    check("no two processes in step",
          0.7 <= pgpool_stats._reporter.jitter <= 1.3 and
          pgpool_stats._reporter.jitter != 1)
    row = reporter.instance("details", "pod-7")
    equal("its version", row["app_version"], "2.41")
    pool.putconn(conn)
    pool.closeall()
    until("a closed pool has said goodbye", lambda:
          reporter.instance("details", "pod-7") is None)


for test in (test_details, test_psycopg2, test_psycopg, test_psycopg_async, test_sqlalchemy,
             test_sqlalchemy_async, test_asyncpg, test_aiopg, test_peewee,
             test_django, test_aiopg_label, test_peewee_label,
             test_django_label, test_databases):
    if asyncio.iscoroutinefunction(test):
        asyncio.run(test())
    else:
        test()

# the reporter's own connections are apart, and are known by name
version = reporter.one("SELECT version FROM pgpool_stats.info")
equal("the version is the extension's", pgpool_stats.__version__, version)
with open(os.path.join(os.path.dirname(pgpool_stats.__file__),
                       "pyproject.toml")) as f:
    check("so is that of the package", 'version = "%s"\n' % version in f.read())
equal("reports are of pool reports only", reporter.one(
    "SELECT count(*)::int FROM pgpool_stats.connections"
    " WHERE application_name = 'watch orders' AND pool <> 'reports'"), 0)
check("nothing else is watched, nothing raises",
      pgpool_stats.watch(object(), "nothing") is None)
done()
