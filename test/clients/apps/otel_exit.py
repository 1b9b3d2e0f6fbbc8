"""An application that measures two pools by OpenTelemetry and ends, the way its
arguments say: the drivers that are not here, and what it does before."""

import os
import sys

for driver in sys.argv[1].split(","):
    sys.modules[driver] = None
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from pgpool_stats_otel import PoolExporter

provider = MeterProvider([PeriodicExportingMetricReader(PoolExporter("postgresql://app@"), 1e8)])
provider.get_meter("app").create_observable_up_down_counter(
    "db.client.connection.count", [lambda options: [
        Observation(1, {"db.client.connection.pool.name": name,
                        "db.client.connection.state": "used"})
        for name in ("exit-a", "exit-b")]])


def says(what):
    print(what, os.getpid(), flush=True)
    sys.stdin.readline()


if sys.argv[2] != "at once":
    provider.force_flush()
    says("reported")
if sys.argv[2] == "forks":
    child = os.fork()
    if child == 0:
        provider.force_flush()
        says("forked")
        sys.exit()
    os.waitpid(child, 0)
    says("alone")
if sys.argv[2] == "shuts down":
    provider.shutdown()
    says("shut down")
if sys.argv[2] == "fails":
    raise SystemExit("on purpose")
