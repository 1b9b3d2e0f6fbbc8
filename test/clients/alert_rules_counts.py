"""Alerts of what happened within the rule's "for": mean_wait, timeouts,
errors_increasing, no_pooling.  Where a slow machine makes a difference, the
level follows what the library has counted."""

import logging
import threading
import time

from psycopg_pool import ConnectionPool, PoolTimeout

from common import Reporter, Rules, check, connect, done, equal, label, until

ME = "web-1:4711"
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)

rules = Rules()
reporter = Reporter()


def make_pool(name, user="app", **options):
    """A pool, of which the collector has seen that it counted nothing yet"""
    pool = ConnectionPool("user=" + user, name=name, open=False,
                          kwargs={"options": label(name, ME)}, **options)
    report(pool)
    rules.passed()
    pool.open()
    return pool


def report(pool):
    """Returns what is reported."""
    stats = pool.get_stats()
    reporter.report(pool.name, stats, ME)
    return stats


def mean_wait():
    pool = make_pool("rules-waits", min_size=1, max_size=1)
    alert = rules.watch("mean_wait", pool=pool.name)

    def wait(least):
        """A caller who waits so long at the least, by the library's count"""
        conn = pool.getconn()
        others = []
        start = time.monotonic()
        thread = threading.Thread(
            target=lambda: others.append(pool.getconn(timeout=60)))
        thread.start()
        until("a waiting caller", lambda:
              pool.get_stats().get("requests_waiting", 0) == 1
              and time.monotonic() - start >= least)
        pool.putconn(conn)
        thread.join()
        pool.putconn(others.pop())
        return report(pool)

    pool.wait()
    wait(0.1)
    stats = wait(0.3)
    mean = stats["requests_wait_ms"] / stats["requests_queued"]
    rules.set("mean_wait: warning %f for 1min" % (mean + 0.1))
    alert.silent("%g ms, the level is more" % mean)
    rules.set("mean_wait: warning %f critical %f for 1min" % (mean, 2 * mean))
    row = alert.fires("%g ms, as the level" % mean, severity="warning",
                      instance=ME)
    equal("mean_wait: of two callers", (stats["requests_queued"],
                                        round(row["value"], 3)),
          (2, round(mean, 3)))
    check("mean_wait: in words", "callers waited %.0f ms on average"
          " in the last 1 min" % mean in row["message"], row)
    wait(5 * mean / 1000)
    alert.fires("twice as much", severity="critical")
    rules.set("mean_wait: warning 1 for 1s")
    alert.clears("nobody waited lately")
    pool.close()
    reporter.forget(pool.name, ME)


def timeouts():
    pool = make_pool("rules-timeouts", min_size=1, max_size=1)
    alert = rules.watch("timeouts", pool=pool.name)
    conn = pool.getconn()

    def give_up():
        try:
            pool.getconn(timeout=0.05)
            check("nothing to get", False)
        except PoolTimeout:
            pass
        return report(pool)["requests_errors"]

    rules.set("timeouts: warning 2 critical 3 for 1min")
    equal("timeouts: one", give_up(), 1)
    alert.silent("1 of 2")
    equal("timeouts: two", give_up(), 2)
    alert.fires("2", severity="warning", value=2, threshold=2, instance=ME,
                message=pool.name + " on clients: 2 callers gave up waiting"
                " in the last 1 min")
    equal("timeouts: three", give_up(), 3)
    alert.fires("3", severity="critical", value=3, threshold=3)
    # however far other rules look back
    rules.set("timeouts: for 1s", "mean_wait: for 1h")
    alert.clears("nobody gave up lately")
    pool.putconn(conn)
    pool.close()
    reporter.forget(pool.name, ME)


def errors_increasing():
    """A role that may not log in: each of the pool's connects fails."""
    rules.execute("CREATE ROLE rules_shut NOLOGIN")
    pool = make_pool("rules-errors", "rules_shut", min_size=5)
    alert = rules.watch("errors_increasing", pool=pool.name)
    until("failed connects", lambda:
          pool.get_stats().get("connections_errors", 0) >= 5)
    errors = report(pool)["connections_errors"]
    rules.set("errors_increasing: warning %d for 1min" % (errors + 1))
    alert.silent("one less than the level")
    rules.set("errors_increasing: for 1min")
    alert.fires("5 or more", severity="warning", value=errors, threshold=5,
                instance=ME, message="%s on clients: %d failed checkouts or"
                " connects in the last 1 min" % (pool.name, errors))
    rules.set("errors_increasing: for 1s")
    alert.clears("nothing failed lately")
    pool.close()
    reporter.forget(pool.name, ME)
    rules.execute("DROP ROLE rules_shut")


def no_pooling():
    """A connection for each request, and as many that do pool"""
    def use(name, number, requests):
        for _ in range(number):
            conn = connect("app", label(name, ME))
            cur = conn.cursor()
            for _ in range(requests):
                cur.execute("SELECT 1")
            conn.close()

    def ended(name, number):
        until("ended connections", lambda: reporter.instance(
            name, ME)["disconnects"] == number)

    alert = rules.watch("no_pooling", pool="rules-churn")
    pooled = rules.watch("no_pooling", pool="rules-pooled")
    rules.set("no_pooling: for 20s")
    use("rules-pooled", 20, 3)
    use("rules-churn", 19, 1)
    ended("rules-churn", 19)
    alert.silent("19 of 20 in 20 s")
    use("rules-churn", 1, 1)
    ended("rules-churn", 20)
    alert.fires("60 a minute", severity="warning", value=60, threshold=60,
                instance=ME)
    check("no_pooling: in words", alert.row()["message"].startswith(
        "rules-churn on clients: 60 connections a minute closed after 1.0"
        " transactions and "), alert.row())
    ended("rules-pooled", 20)
    pooled.silent("20 connections with 3 transactions each")
    rules.set("no_pooling: for 1s")
    alert.clears("no new connections")
    reporter.forget("rules-churn", ME)
    reporter.forget("rules-pooled", ME)


mean_wait()
timeouts()
errors_increasing()
no_pooling()
done()
