"""Alerts of limits: connections and refused (role, database, server),
pool_limit, over_committed.  Roles and databases of their own have limits here."""

import psycopg2
import psycopg2.pool
import sqlalchemy

from common import Reporter, Rules, check, done, equal, label, until

# what has ended before this program does not count for long
rules = Rules(stale_after="1s")
WINDOW = "refused: warning 2 critical 2 for 20s"


class Fill:
    """A pool that holds as many connections as wanted"""

    def __init__(self, **where):
        self.pool = psycopg2.pool.ThreadedConnectionPool(
            0, 200, options=label("rules-fill", "web:1"), **where)
        self.held = []

    def hold(self, number):
        while len(self.held) < number:
            self.held.append(self.pool.getconn())
        while len(self.held) > number:
            self.pool.putconn(self.held.pop(), close=True)

    def is_rejected(self, step):
        try:
            self.pool.getconn()
            check(step + ": rejected", False)
        except psycopg2.OperationalError as error:
            # psycopg2 has no SQLSTATE of a failed connect
            check(step + ": rejected", "connection" in str(error), error)


def budget(scope, name, column):
    return rules.admin.one(
        "SELECT %s FROM pgpool_stats.budget WHERE scope = %%s AND coalesce(name, scope) = %%s"
        % column, scope, name)


def used(scope, name, number):
    until("%d connections of %s" % (number, name),
          lambda: budget(scope, name, "used") == number)


def own_limit(scope, name, alter, **where):
    """A role or a database with a limit of 10, then of 5"""
    subject = {"usename" if scope == "role" else "datname": name}
    connections = rules.watch("connections", **subject)
    refused = rules.watch("refused", **subject)
    rules.set(WINDOW)
    fill = Fill(**where)

    def hold(number):
        fill.hold(number)
        used(scope, name, number)

    hold(7)
    connections.silent("%s, 7 of 10" % name)
    hold(8)
    connections.fires("%s, 8 of 10" % name, severity="warning", value=80,
                      threshold=80, message="%s %s: 8 of 10 usable"
                      " connections in use" % (scope, name))
    hold(9)
    connections.fires("%s, 9 of 10" % name, severity="critical", value=90,
                      threshold=90)
    hold(7)
    connections.fires("%s, 7 of 10 again" % name, severity="warning",
                      value=70)
    hold(6)
    connections.clears("%s, 6 of 10" % name)

    # 80 % of a small limit is no alarm
    rules.execute(alter + " CONNECTION LIMIT 5")
    hold(4)
    connections.silent("%s, 4 of 5" % name)
    hold(5)
    connections.fires("%s, 5 of 5" % name, severity="critical", value=100)

    fill.is_rejected(name)
    refused.silent("%s, once" % name)
    fill.is_rejected(name)
    refused.fires("%s, twice" % name, severity="critical", value=2,
                  threshold=2, message="%s %s: 2 connections rejected in the"
                  " last 20 s" % (scope, name))
    rules.set("refused: for 1s")
    refused.clears("%s, nobody lately" % name)
    fill.hold(0)
    used(scope, name, 0)
    connections.clears("%s, nobody is connected" % name)
    rules.execute(alter + " CONNECTION LIMIT 0")
    connections.silent("%s, 0 of 0" % name)


def role_and_database():
    rules.execute("CREATE ROLE rules_role LOGIN CONNECTION LIMIT 10",
                  "CREATE DATABASE rules_database CONNECTION LIMIT 10")
    own_limit("role", "rules_role", "ALTER ROLE rules_role",
              user="rules_role")
    own_limit("database", "rules_database", "ALTER DATABASE rules_database",
              user="app", dbname="rules_database")
    rules.execute("DROP DATABASE rules_database", "DROP ROLE rules_role")


def pool_limit():
    """Connections of a pool that has a limit: first one that only warns"""
    alert = rules.watch("pool_limit", pool="rules-limit", datname="clients",
                        usename="app")
    rules.set(pool_limits="rules-limit: warn 3")
    pool = psycopg2.pool.ThreadedConnectionPool(
        0, 10, user="app", options=label("rules-limit", "web:1"))
    held = [pool.getconn() for _ in range(2)]
    alert.silent("pool, 2 of 3")
    held += [pool.getconn() for _ in range(2)]
    alert.fires("pool, 4 of 3", severity="warning", value=400.0 / 3,
                threshold=100, message="rules-limit on clients: 4 connections,"
                " pool_limits warns from 3 on")
    rules.set(pool_limits="rules-limit: 4")
    alert.fires("pool, 4 of 4", severity="warning", value=100,
                message="rules-limit on clients: 4 connections, pool_limits"
                " allows 4 and refuses more")
    try:
        pool.getconn()
        check("pool: refused", False)
    except psycopg2.OperationalError as error:
        check("pool: refused", 'too many connections for pool "rules-limit"'
              in str(error), error)
    pool.putconn(held.pop(), close=True)
    alert.clears("pool, 3 of 4")
    pool.closeall()
    rules.set(pool_limits="")


def server():
    """All slots that are not reserved for superusers"""
    connections = rules.watch("connections", pool="", datname="", usename="")
    refused = rules.watch("refused", pool="", datname="", usename="")
    rules.set(WINDOW)
    usable = budget("server", "server", "usable")
    warning = -(-usable * 80 // 100)
    critical = -(-usable * 90 // 100)
    clear = -(-usable * 70 // 100)
    fill = Fill(user="app")

    def use(number):
        fill.hold(len(fill.held) + number - budget("server", "server", "used"))
        used("server", "server", number)

    def fires(number, severity, threshold):
        use(number)
        connections.fires("server, %d" % number, severity=severity,
                          threshold=threshold, value=100.0 * number / usable,
                          message="server: %d of %d usable connections in use"
                          % (number, usable))

    use(warning - 1)
    connections.silent("server, %d of %d" % (warning - 1, usable))
    fires(warning, "warning", 80)
    fires(critical - 1, "warning", 80)
    fires(critical, "critical", 90)
    fires(usable, "critical", 90)
    fill.is_rejected("server")
    refused.silent("server, once")
    fill.is_rejected("server")
    refused.fires("server, twice", severity="critical", value=2, threshold=2)
    rules.set("refused: for 1s")
    refused.clears("server, nobody lately")
    fires(clear, "warning", 80)
    use(clear - 1)
    connections.clears("server, %d" % (clear - 1))
    fill.hold(0)


def engine(role, instance, size, overflow):
    """A pool as its label describes it, and one connection of it"""
    made = sqlalchemy.create_engine(
        "postgresql+psycopg2://%s@/" % role, pool_size=size,
        max_overflow=overflow, connect_args={"options": label(
            "rules-plan", instance, pool_size=size, max_overflow=overflow)})
    made.connect().close()
    return made


def over_committed_idle(role):
    """Two pools without a connection: what they may ask for counts, too."""
    def both(call):
        reporter = Reporter(role)
        for instance in "web:6", "web:7":
            call(reporter, instance)
        reporter.conn.close()
        used("role", role, 0)

    def report(reporter, instance):
        pool = psycopg2.pool.ThreadedConnectionPool(0, 7, user=role)
        reporter.report("rules-idle", {
            "minconn": pool.minconn, "maxconn": pool.maxconn,
            "idle": len(pool._pool), "used": len(pool._used)}, instance)

    alert = rules.watch("over_committed", usename=role)
    rules.set(stale_after="3min")
    both(report)
    rules.passed()
    alert.fires("role, nobody is connected", value=2)
    both(lambda reporter, instance: reporter.forget("rules-idle", instance))
    alert.clears("role, pools have ended")
    rules.set(stale_after="1s")


def over_committed():
    """Two engines with more connections at their disposal than there are,
    of a role with a limit, and of the server"""
    rules.execute("CREATE ROLE rules_plan LOGIN CONNECTION LIMIT 12")
    over_committed_idle("rules_plan")
    alert = rules.watch("over_committed", usename="rules_plan")
    engines = [engine("rules_plan", "web:1", 4, 2),
               engine("rules_plan", "web:2", 4, 2)]
    equal("over_committed: role", budget("role", "rules_plan", "committed"),
          12)
    alert.silent("role, 6 and 6 of 12")
    engines.append(engine("rules_plan", "web:3", 1, 0))
    alert.fires("role, 1 more", severity="warning", value=1, threshold=1,
                message="role rules_plan: pools may ask for 13 connections,"
                " 12 are usable")
    engines.pop().dispose()
    alert.clears("role, 12 again")

    for made in engines:
        made.dispose()
    engines.clear()
    used("role", "rules_plan", 0)
    rules.execute("DROP ROLE rules_plan")

    alert = rules.watch("over_committed")
    usable = budget("server", "server", "usable")

    def committed():
        return budget("server", "server", "committed")
    until("room in the server", lambda: committed() < usable - 10)
    free = usable - committed()
    engines.append(engine("app", "web:4", free - 10, 10))
    equal("over_committed: server", committed(), usable)
    alert.silent("server, all of it")
    engines.append(engine("app", "web:5", 1, 0))
    alert.fires("server, 1 more", severity="warning", value=1, threshold=1,
                message="server: pools may ask for %d connections, %d are"
                " usable" % (usable + 1, usable))
    for made in engines:
        made.dispose()
    alert.clears("server, pools have ended")


role_and_database()
pool_limit()
server()
over_committed()
done()
