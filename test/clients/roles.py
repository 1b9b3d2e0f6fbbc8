"""Anybody may report, in any transaction: a role without grants, READ ONLY,
inside a transaction that is rolled back; and sees its own rows only."""

import atexit

import psycopg2
import psycopg2.extras

from common import Reporter, check, connect, done, equal, label

NATIVE = {"pool_size": 5, "max_overflow": 2, "checked_out": 3,
          "checked_in": 2, "waiting": 0, "checkouts": 10}
SHOWN = {"pool_size": 5, "max_overflow": 2, "max_size": 7, "checked_out": 3,
         "checked_in": 2, "open": 5, "overflow": 0, "waiting": 0,
         "checkouts": 10, "status": "ok", "dialect": "native"}

root = connect("postgres").cursor()
root.execute("CREATE ROLE nobody LOGIN; REVOKE ALL ON DATABASE clients"
             " FROM PUBLIC; GRANT CONNECT ON DATABASE clients TO PUBLIC")
atexit.register(root.execute, "GRANT TEMP ON DATABASE clients TO PUBLIC")

nobody = Reporter("nobody")
check("a role without grants reports", nobody.report("plain", NATIVE, "a:1"))
nobody.compare("it sees its row", "plain", "a:1", SHOWN)
equal("another role does not see it",
      Reporter("app").instance("plain", "a:1"), None)
equal("a superuser does",
      Reporter("postgres").instance("plain", "a:1")["usename"], "nobody")


def in_transaction(instance, statement, **session):
    """Report inside a transaction after a statement; returns it open."""
    conn = connect("nobody", label("plain", instance, strict_reports="on"))
    conn.autocommit = False
    conn.set_session(**session)
    cur = conn.cursor()
    cur.execute(statement)
    cur.execute("SELECT pgpool_stats.report(%s, %s, %s)",
                ("plain", psycopg2.extras.Json(NATIVE), instance))
    check(instance + " reports", cur.fetchone()[0])
    return conn


conn = in_transaction("read-only:1", "SELECT 1", readonly=True)
nobody.compare("READ ONLY, before its end", "plain", "read-only:1", SHOWN)
conn.commit()

conn = in_transaction("serializable:1", "SELECT 1", readonly=True,
                      isolation_level="SERIALIZABLE", deferrable=True)
conn.rollback()
nobody.compare("rolled back", "plain", "serializable:1", SHOWN)

conn = connect("nobody", "-c default_transaction_read_only=on")
conn.cursor().execute("SELECT pgpool_stats.report('plain', %s, 'default:1')",
                      (psycopg2.extras.Json(NATIVE),))
nobody.compare("default_transaction_read_only", "plain", "default:1", SHOWN)

# the session's instance is used when the call names none
conn = connect("nobody", label("plain", "labelled:1"))
conn.cursor().execute("SELECT pgpool_stats.report('plain', %s)",
                      (psycopg2.extras.Json(NATIVE),))
nobody.compare("instance of the label", "plain", "labelled:1", SHOWN)
nobody.connections("instance of the label", "plain", "labelled:1", 1)

# strict mode shows an application's test what is wrong
try:
    nobody.report("plain", dict(NATIVE, checked_uot=1), "strict:1")
    check("strict: a typo is an error", False)
except psycopg2.DataError as error:
    check("strict: a typo is an error of class 22",
          error.pgcode.startswith("22") and "checked_uot" in str(error), error)
equal("strict: and no row", nobody.instance("plain", "strict:1"), None)

done()
