"""A small shop behind gunicorn, watched by two lines."""

# docs: begin gunicorn-app
import os

import pgpool_stats
from flask import Flask
from sqlalchemy import create_engine, text

app = Flask(__name__)
engine = create_engine("postgresql+psycopg2://app@/", pool_size=1,
                       max_overflow=0, pool_timeout=2)
pgpool_stats.watch(engine, "shop")
# docs: end


@app.route("/")
def work():
    with engine.connect() as conn:
        conn.execute(text("SELECT 1"))
    return str(os.getpid())


@app.route("/slow")
def slow():
    """Waits for a lock that the test holds."""
    with engine.connect() as conn:
        conn.execute(text("SELECT pg_advisory_xact_lock(4711)"))
    return str(os.getpid())
