"""Measure what pgpool_stats costs.  Called by test/bench."""

import collections
import glob
import json
import os
import re
import statistics
import subprocess
import sys
import time

W = sys.argv[1]
WHAT = sys.argv[2:] or ["xact", "connect", "report", "trips", "read", "memory",
                        "poller"]
DATA = os.path.join(W, "bench")
LOG = os.path.join(W, "log", "bench.log")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "2"))

LABEL = ("-c pgpool_stats.pool=bench -c pgpool_stats.instance=web-1:4711 "
         "-c pgpool_stats.pool_size=5 -c pgpool_stats.max_overflow=10")

# each of its transactions exhausts it
LABEL_1 = "-c pgpool_stats.pool=small -c pgpool_stats.pool_size=1"

NATIVE = {"pool_size": 5, "max_overflow": 10, "open": 7, "checked_out": 6,
          "checked_in": 1, "waiting": 2, "checkouts": 123456, "waits": 789,
          "total_wait_time": 4711.5, "timeouts": 3}
DIALECTS = {name: json.loads(text) for name, text in {
    "psycopg_pool": """{"connections_num": 3, "connections_ms": 10, "requests_num": 6, "usage_ms": 50,
        "requests_queued": 2, "requests_wait_ms": 303, "requests_errors": 1, "pool_min": 2, "pool_max": 3,
        "pool_size": 3, "pool_available": 0, "requests_waiting": 1}""",
    "sqlalchemy": """{"size": 2, "checkedin": 0, "checkedout": 3, "overflow": 1, "max_overflow": 1}""",
    "psycopg2": """{"minconn": 1, "maxconn": 3, "idle": 0, "used": 2, "keys": 2}""",
    "asyncpg": """{"size": 1, "min_size": 1, "max_size": 2, "idle_size": 1}""",
    "database_sql": """{"MaxOpenConnections": 1, "OpenConnections": 1, "InUse": 1, "Idle": 0, "WaitCount": 1,
        "WaitDuration": 100319305, "MaxIdleClosed": 0, "MaxIdleTimeClosed": 0, "MaxLifetimeClosed": 0}""",
    "pgxpool": """{"AcquireCount": 5, "AcquireDuration": 109181445, "AcquiredConns": 0, "CanceledAcquireCount": 0,
        "ConstructingConns": 0, "EmptyAcquireCount": 3, "IdleConns": 2, "MaxConns": 2, "TotalConns": 2}""",
    "node_pg": """{"totalCount": 2, "idleCount": 0, "waitingCount": 1, "expiredCount": 0, "max": 2}""",
    "tarn": """{"numUsed": 0, "numFree": 1, "numPendingAcquires": 0, "numPendingCreates": 0, "min": 0, "max": 2}""",
    "sequelize_pool": """{"size": 1, "available": 1, "using": 0, "waiting": 0, "maxSize": 3, "minSize": 0}""",
    "hikaricp": """{"idleConnections": 1, "activeConnections": 1, "totalConnections": 2,
        "threadsAwaitingConnection": 0}""",
    "activerecord": """{"size": 3, "connections": 3, "busy": 1, "dead": 2, "idle": 0, "waiting": 0,
        "checkout_timeout": 0.2}""",
    "bb8": """{"connections": 10, "idle_connections": 3, "statistics": {"get_started": 5, "get_direct": 4,
        "get_waited": 1, "get_timed_out": 0, "get_wait_time": {"secs": 0, "nanos": 1200000},
        "connections_created": 10, "connections_closed_broken": 0, "connections_closed_invalid": 0,
        "connections_closed_max_lifetime": 0, "connections_closed_idle_timeout": 0}}""",
    "pgbouncer_pools": """{"database": "app", "user": "app", "cl_active": 0, "cl_waiting": 0,
        "cl_active_cancel_req": 0, "cl_waiting_cancel_req": 0, "sv_active": 0, "sv_active_cancel": 0,
        "sv_being_canceled": 0, "sv_idle": 1, "sv_used": 0, "sv_tested": 0, "sv_login": 0, "maxwait": 0,
        "maxwait_us": 0, "pool_mode": "session", "load_balance_hosts": null}""",
    "prisma": """{"counters": [{"key": "prisma_pool_connections_opened_total", "labels": {}, "value": 1}],
        "gauges": [{"key": "prisma_pool_connections_busy", "labels": {}, "value": 0},
        {"key": "prisma_pool_connections_idle", "labels": {}, "value": 3}],
        "histograms": [{"key": "prisma_client_queries_wait_histogram_ms", "labels": {}, "value":
        {"buckets": [[0, 0], [1, 1], [5, 0]], "sum": 0.1, "count": 1}}]}""",
    "php_fpm": """{"pool": "www", "process manager": "dynamic", "start time": 1787043628, "start since": 12842,
        "accepted conn": 1, "listen queue": 0, "max listen queue": 0, "listen queue len": 0, "idle processes": 3,
        "active processes": 1, "total processes": 4, "max active processes": 1, "max children reached": 0,
        "slow requests": 0}""",
}.items()}


# ---------------------------------------------------------------- processes

def run(*args, env=None, **kw):
    """Run a program, return its output; its complaints are ours."""
    done = subprocess.run(args, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env={**os.environ, **(env or {})},
                          **kw)
    if done.returncode != 0:
        sys.exit(f"{' '.join(args)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def psql(sql, *options):
    return run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
               "-d", "postgres", *options, input=sql).strip()


def pgbench(*options, env=None):
    return run("pgbench", "-n", *options, "postgres", env=env)


def script(name, text):
    path = os.path.join(W, name + ".sql")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def libraries(path):
    return os.path.exists(os.path.join(run("pg_config", "--pkglibdir").strip(),
                                       path + ".so"))


class Server:
    """A server with such libraries and settings, under callgrind or not."""

    def __init__(self, preload, *settings, callgrind=False):
        self.out = None
        command = ["postgres", "-D", DATA, "-c",
                   f"shared_preload_libraries={preload}"]
        for setting in settings:
            command += ["-c", setting]
        if callgrind:
            self.out = os.path.join(W, "callgrind")
            os.makedirs(self.out, exist_ok=True)
            for old in glob.glob(self.out + "/*"):
                os.unlink(old)
            # a forked process starts with its parent's counts
            command = ["valgrind", "--tool=callgrind", "--trace-children=yes",
                       "--zero-before=InitPostmasterChild",
                       f"--callgrind-out-file={self.out}/out.%p", "-q"] + command
        with open(LOG, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        for _ in range(600):
            if subprocess.run(["pg_isready", "-q"], check=False).returncode == 0:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        with open(LOG, encoding="utf-8") as log:
            sys.exit("the server does not start\n" + log.read()[-2000:])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(2)
        self.process.wait()

    def children(self):
        """The server's processes."""
        found = set()
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(path, encoding="ascii", errors="replace") as f:
                    fields = f.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == self.process.pid and fields[0] != "Z":
                found.add(path.split("/")[2])
        return found

    def settle(self, expected=None):
        """Wait until no process comes or goes for a while and only the
        expected ones are left."""
        since, seen = time.monotonic(), None
        while time.monotonic() - since < 1:
            now = self.children()
            if now != seen or (expected is not None and now - expected):
                since, seen = time.monotonic(), now
            time.sleep(0.05)
        return seen

    def profiles(self, action):
        """Profiles of the backends that end because of "action"."""
        processes = self.settle()
        before = self.complete()
        action()
        self.settle(processes)  # they are written while they end
        return self.complete() - before

    def complete(self):
        found = set()
        for path in glob.glob(self.out + "/out.*"):
            with open(path, "rb") as f:
                f.seek(max(os.path.getsize(path) - 200, 0))
                if b"\ntotals: " in f.read():
                    found.add(path)
        return found


# ---------------------------------------------------------------- callgrind

class Profile:
    """Instructions of one process: in total, by function, by call."""

    def __init__(self, path):
        self.own = collections.Counter()    # (object, function)
        self.calls = collections.Counter()  # (caller, callee): how often
        self.inside = collections.Counter()  # the same: what it took
        names = {"ob": {}, "fn": {}}
        ob = cob = fn = cfn = None
        called = None           # 0 if the call was before the counts began

        def name(kind, text):
            number, _, rest = text.partition(" ")
            if rest:
                names[kind][number] = rest
            return names[kind][number]

        with open(path, encoding="utf-8", errors="replace") as f:
            for line in f:
                line = line.rstrip("\n")
                if line.startswith("fn="):
                    fn = name("fn", line[3:])
                    cob = None
                elif line.startswith("ob="):
                    ob = os.path.basename(name("ob", line[3:]))
                elif line.startswith("cob="):
                    cob = os.path.basename(name("ob", line[4:]))
                elif line.startswith("cfn="):
                    cfn = name("fn", line[4:])
                elif line.startswith("calls="):
                    called = int(line[6:].split()[0])
                elif line[:1] in "0123456789+-*" and line and fn is not None:
                    cost = int(line.split()[1])
                    if called is not None:
                        edge = ((ob, fn), (cob or ob, cfn))
                        self.calls[edge] += called
                        self.inside[edge] += cost
                        called, cob = None, None
                    else:
                        self.own[(ob, fn)] += cost
                elif line.startswith("totals: "):
                    self.total = int(line.split()[1])

    @staticmethod
    def of_biggest(paths):
        return Profile(max(paths, key=total))


def total(path):
    """Instructions of one process, without reading all of its profile."""
    with open(path, encoding="utf-8", errors="replace") as f:
        return int(re.search(r"\ntotals: (\d+)", f.read()).group(1))


OURS = "pgpool_stats.so"

# whether a backend finds the next message or waits for it depends on the
# machine's other work: not counted
WAITING = {"WaitEventSetWait", "ModifyWaitEvent", "secure_read",
           "secure_raw_read", "recv", "epoll_wait", "epoll_ctl", "ResetLatch"}


class Slope:
    """A long run less a short one, for each of what was done more."""

    def __init__(self, server, action, short, long):
        profiles = [Profile.of_biggest(server.profiles(lambda n=n: action(n)))
                    for n in (short, long)]
        self.n = long - short
        self.a, self.b = profiles
        self.total = (self.counted(self.b) - self.counted(self.a)) / self.n

    @staticmethod
    def counted(profile):
        return profile.total - sum(n for (_, fn), n in profile.own.items()
                                   if fn in WAITING)

    def diff(self, what, key):
        return (getattr(self.b, what)[key] - getattr(self.a, what)[key]) / self.n

    def functions(self):
        """Our own functions, and what they call in others."""
        found = []
        for key in self.b.own:
            if key[0] == OURS and self.diff("own", key) >= 0.5:
                found.append((self.diff("own", key), key[1]))
        for edge in self.b.inside:
            (ob, fn), (cob, cfn) = edge
            if ob != OURS or cob == OURS or \
               cfn.startswith(("standard_", "pgss_", "pgsk_")):
                continue
            if self.diff("inside", edge) >= 0.5:
                found.append((self.diff("inside", edge), f"{fn} -> {cfn}"))
        return sorted(found, reverse=True)

    def elsewhere(self, base):
        """What costs more or less outside our object than in another run."""
        found = []
        for key in set(self.b.own) | set(base.b.own):
            more = self.diff("own", key) - base.diff("own", key)
            if key[0] != OURS and abs(more) >= 3 and \
               key[1] not in WAITING:
                found.append((more, key[1]))
        return sorted(found, reverse=True)

    def per_call(self, function):
        """What a call of it takes, with what it calls."""
        calls = inside = 0
        for edge in self.b.calls:
            if edge[1][1] == function:
                calls += self.diff("calls", edge)
                inside += self.diff("inside", edge)
        return inside / calls if calls else None


def table(title, head, rows):
    print(f"\n{title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "|".join(["---"] + ["---:"] * (len(head) - 1)) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    sys.stdout.flush()


def number(x, digits=0):
    return "-" if x is None else f"{x:,.{digits}f}"


def middle(slopes):
    return statistics.mean(s.total for s in slopes)


def spread(slopes):
    totals = [s.total for s in slopes]
    return max(totals) - min(totals)


# ------------------------------------------------------------- measurements

VARIANTS = [("without", "", ""),
            ("a library without hooks", W + "/noop", ""),
            ("pgpool_stats, no label", "pgpool_stats", ""),
            ("pgpool_stats, labelled", "pgpool_stats", LABEL),
            ("pgpool_stats, a pool of 1", "pgpool_stats", LABEL_1),
            ("pg_stat_statements", "pg_stat_statements", "")]


def wanted(name):
    """BENCH_ONLY: parts of names, for working on something."""
    return re.search(os.environ.get("BENCH_ONLY", ""), name)


def variants():
    found = list(VARIANTS)
    if libraries("pg_stat_kcache"):
        found.append(("pg_stat_statements, pg_stat_kcache",
                      "pg_stat_statements,pg_stat_kcache", ""))
    return [variant for variant in found if wanted(variant[0])]


def warm_up():
    psql("SELECT sum(abalance) FROM pgbench_accounts; "
         "SET enable_seqscan = off; SET enable_bitmapscan = off; "
         "SELECT sum(abalance) FROM pgbench_accounts WHERE aid > 0;")


def xact():
    short, long = 2000, 6000
    rows = []
    profiles = {}
    base = plain = None
    for name, preload, options in variants():
        slopes = []
        for _ in range(ROUNDS):
            with Server(preload, callgrind=True) as server:
                server.profiles(warm_up)
                slopes.append(Slope(
                    server,
                    lambda n, o=options: pgbench(
                        "-S", "-M", "prepared", "-c", "1", "--random-seed=1",
                        "-t", str(n), env={"PGOPTIONS": o}),
                    short, long))
        base = base or middle(slopes)
        plain = plain or slopes[-1]
        functions = slopes[-1].functions()
        if functions:
            profiles[name] = functions, slopes[-1].elsewhere(plain)
        rows.append((name, number(middle(slopes)), number(spread(slopes)),
                     number(middle(slopes) - base) if len(rows) else "",
                     number(sum(f[0] for f in functions)) if OURS[:-3] in preload
                     else ""))
    table(f"Instructions per transaction, `pgbench -S -M prepared`, without waiting for "
          f"the client; {ROUNDS} runs of {long:,} less {short:,}",
          ("", "per transaction", "spread", "added", "our functions and what they call"),
          rows)
    for name, (functions, others) in profiles.items():
        table(f"Of these, by function: {name}", ("function", "instructions"),
              [(f"`{f}`", number(n, 1)) for n, f in functions])
        table("Functions of the server that take more or less than without",
              ("function", "instructions"),
              [(f"`{f}`", number(n, 1)) for n, f in others])


def connect():
    n = 60
    path = script("select1", "SELECT 1;\n")
    rows = []
    base = None
    for name, preload, options in variants():
        with Server(preload, callgrind=True) as server:
            server.profiles(warm_up)
            totals = []
            for _ in range(2):
                files = server.profiles(lambda o=options: pgbench(
                    "-C", "-f", path, "-c", "1", "-t", str(n),
                    env={"PGOPTIONS": o}))
                totals.append(statistics.median(total(f) for f in files))
        value = statistics.mean(totals)
        base = base or value
        rows.append((name, number(value), number(max(totals) - min(totals)),
                     number(value - base) if len(rows) else "",
                     f"{100 * (value - base) / base:.2f} %" if len(rows) else ""))
    table(f"Instructions per connection that runs `SELECT 1`, median of {n}",
          ("", "per connection", "spread", "added", "of it"), rows)


def report_script(function):
    return script(function.split(".")[-1],
                  f"SELECT {function}(:pool, :stats, :instance);\n")


def report_args(stats):
    return ["-D", "pool=bench", "-D", "stats=" + json.dumps(stats),
            "-D", "instance=web-1:4711"]


def report():
    short, long = 400, 2400
    select1 = script("select1", "SELECT 1;\n")
    runs = [("SELECT 1", select1, []),
            ("no-op function, native", report_script("bench_noop"), NATIVE),
            ("report, native", report_script("pgpool_stats.report"), NATIVE)]
    for dialect, stats in DIALECTS.items():
        if wanted(dialect):
            runs.append((f"report, {dialect}", report_script("pgpool_stats.report"), stats))
    rows = []
    seen = {}
    with Server("pgpool_stats", callgrind=True) as server:
        for name, path, stats in runs:
            seen[name] = Slope(server, lambda n, p=path, s=stats: pgbench(
                "-M", "prepared", "-f", p, "-c", "1", "-t", str(n),
                *(report_args(s) if s else [])), short, long)
    for name, _, stats in runs:
        slope = seen[name]
        noop = seen.get(name.replace("report", "no-op function"))
        native = seen["report, native"]
        is_report = name.startswith("report")
        rows.append((
            name, str(len(stats)) if stats else "",
            number(slope.total), number(slope.per_call("jsonb_in")),
            number(slope.per_call("pgps_report" if is_report else "bench_noop")),
            f"{slope.total / noop.total:.2f}" if is_report and noop else "",
            f"{slope.total / seen['SELECT 1'].total:.2f}" if stats else "",
            f"{slope.total / native.total:.2f}" if is_report else ""))
    table(f"Instructions per call, `-M prepared`, JSON sent as text; {long:,} less {short:,}",
          ("", "keys", "per statement", "of it jsonb_in", "of it the function",
           "to no-op", "to SELECT 1", "to native"), rows)
    table("Of these, by function: report, native", ("function", "instructions"),
          [(f"`{f}`", number(n)) for n, f in seen["report, native"].functions()
           if n >= 20])
    print(f"\nno-op to SELECT 1: "
          f"{seen['no-op function, native'].total / seen['SELECT 1'].total:.2f}")


def trips():
    rounds, n = int(os.environ.get("BENCH_TRIPS", "20")), 20000
    select1 = script("select1", "SELECT 1;\n")
    literal = f"('bench', '{json.dumps(NATIVE)}', 'web-1:4711');\n"
    simple = "simple protocol, "
    runs = {
        "SELECT 1": [select1],
        "no-op function, native": [report_script("bench_noop"), *report_args(NATIVE)],
        "report, native": [report_script("pgpool_stats.report"), *report_args(NATIVE)],
        simple + "SELECT 1": [select1],
        simple + "no-op function, native":
            [script("noop_simple", "SELECT bench_noop" + literal)],
        simple + "report, native":
            [script("report_simple", "SELECT pgpool_stats.report" + literal)],
    }
    rates = collections.defaultdict(list)
    with Server("pgpool_stats"):
        for _ in range(rounds):
            for name, args in runs.items():
                out = pgbench("-M", "simple" if name.startswith(simple) else "prepared",
                              "-f", *args, "-c", "2", "-j", "2", "-t", str(n))
                rates[name].append(float(re.search(r"tps = ([\d.]+)", out).group(1)))
    rows = []
    for name, values in rates.items():
        to = rates[simple + "SELECT 1" if name.startswith(simple) else "SELECT 1"]
        ratio = statistics.median(a / b for a, b in zip(to, values))
        rows.append((name, number(statistics.median(values)), f"{ratio:.2f}"))
    table(f"Round trips per second at 2 clients, local socket, prepared unless said; "
          f"median of {rounds} x 2 x {n:,} in turn",
          ("", "per second", "SELECT 1 is faster by"), rows)


READS = {
    "pg_stat_activity": "SELECT application_name, state, count(*) "
                        "FROM pg_stat_activity GROUP BY 1, 2",
    "overview": "SELECT * FROM pgpool_stats.overview",
    "pools": "SELECT * FROM pgpool_stats.pools",
    "instances": "SELECT * FROM pgpool_stats.instances",
    "connections": "SELECT * FROM pgpool_stats.connections",
    "metrics": "SELECT * FROM pgpool_stats.metrics",
    "metrics_instances": "SELECT * FROM pgpool_stats.metrics_instances",
    "openmetrics()": "SELECT pgpool_stats.openmetrics()",
    "check_status()": "SELECT * FROM pgpool_stats.check_status()",
}


def exporter_queries():
    """What postgres_exporter asks for each scrape."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(top + "/docs/monitoring/postgres_exporter.yml", encoding="ascii") as f:
        text = f.read()
    found = re.findall(r'^  query: (?:"(.*)"|>-\n((?:    .*\n)+))', text, re.M)
    return [(one or more).strip() for one, more in found]


def cpu_seconds(pid):
    """CPU time of a process, by the scheduler's clock."""
    try:
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as f:
            return int(f.read().split()[0]) / 1e9
    except OSError:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def read():
    clients, rounds = 1000, int(os.environ.get("BENCH_READS", "60"))
    stats = json.dumps(NATIVE)
    hold = script("hold", f"""\
SELECT set_config('application_name', 'app-' || chr(97 + :client_id % 20), false),
	set_config('pgpool_stats.pool', 'app-' || chr(97 + :client_id % 20), false),
	set_config('pgpool_stats.instance', 'web-' || :client_id || ':4711', false),
	set_config('pgpool_stats.pool_size', '5', false);
SELECT pgpool_stats.report('app-' || chr(97 + :client_id % 20), '{stats}',
	'web-' || :client_id || ':4711');
\\if :client_id % 10 = 0
BEGIN;
SELECT 1;
\\endif
\\sleep 100000 s
""")
    with Server("pgpool_stats", "max_connections=1100", "shared_buffers=128MB",
                "pgpool_stats.sample_interval=100ms",
                "pgpool_stats.save_interval=3600"):
        with open(LOG, "a", encoding="utf-8") as log:
            # pylint: disable=consider-using-with
            holder = subprocess.Popen(
                ["pgbench", "-n", "-f", hold, "-c", str(clients), "-j", "1",
                 "-t", "1", "postgres"], stdout=log, stderr=log)
        try:
            for _ in range(600):
                if holder.poll() is not None:
                    sys.exit("pgbench ended early, see " + LOG)
                if psql("SELECT count(*) FROM pgpool_stats.instances "
                        "WHERE connections = 1 AND last_report IS NOT NULL") == str(clients):
                    break
                time.sleep(0.5)
            size = psql("SELECT (SELECT count(*) FROM pgpool_stats.instances) || ' instances, ' "
                        "|| (SELECT count(*) FROM pgpool_stats.pools) || ' pools, ' "
                        "|| (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') "
                        "|| ' client backends'")
            have = {name: sql for name, sql in READS.items()
                    if name == "pg_stat_activity" or
                    psql("SELECT coalesce(to_regclass(n)::oid, to_regproc(n)::oid) IS NOT NULL "
                         f"FROM CAST('pgpool_stats.{name.rstrip('()')}' AS text) n") == "t"}
            scrape = exporter_queries()
            text = "\\timing on\n\\o /dev/null\n" + \
                "".join(sql + ";\n" for sql in [*have.values(), *scrape]) * (rounds + 3)
            out = psql(text)
            times = [float(t) for t in re.findall(r"^Time: ([\d.]+) ms", out, re.M)]
            every = len(have) + len(scrape)
            per = {name: times[i::every][3:] for i, name in enumerate(have)}
            per[f"a scrape: {len(scrape)} queries"] = [
                sum(times[i + len(have):i + every])
                for i in range(3 * every, len(times), every)]
            rows = []
            for name, values in per.items():
                ratio = statistics.median(
                    a / b for a, b in zip(values, per["pg_stat_activity"]))
                rows.append((name, f"{statistics.median(values):.2f}", f"{ratio:.2f}"))
            table(f"Full reads with {size}, median of {rounds} in turn, "
                  "with the transfer to psql", ("", "ms", "to pg_stat_activity"), rows)

            pid = int(psql("SELECT collector_pid FROM pgpool_stats.info"))
            t0, c0, k0 = time.monotonic(), cpu_seconds(pid), ticks(pid)
            time.sleep(30)
            t1, c1, k1 = time.monotonic(), cpu_seconds(pid), ticks(pid)
            passes = (t1 - t0 - (c1 - c0)) / 0.1
            table(f"The collector with {size}, {passes:.0f} passes",
                  ("", "ms"),
                  [("CPU per pass (scheduler's clock)", f"{1000 * (c1 - c0) / passes:.2f}"),
                   ("CPU per pass (utime + stime)", f"{1000 * (k1 - k0) / passes:.2f}"),
                   ("of one CPU at the default interval of 1 s",
                    f"{100 * (c1 - c0) / passes:.3f} %")])
        finally:
            holder.terminate()
            holder.wait()


POOLERS = 50


def start_poolers(processes):
    """Real poolers, each with two clients and one server connection."""
    home = os.path.join(W, "poolers")
    os.makedirs(home)
    with open(home + "/users", "w", encoding="utf-8") as f:
        f.write('"postgres" ""\n')
    work = script("work", "\\sleep 100 ms\nSELECT pg_sleep(0.01);\n")
    for port in range(7001, 7001 + POOLERS):
        with open(f"{home}/{port}.ini", "w", encoding="utf-8") as f:
            f.write(f"""
[databases]
bench = host={DATA} dbname=postgres pool_size=1
[pgbouncer]
unix_socket_dir = {home}
listen_port = {port}
auth_type = trust
auth_file = {home}/users
stats_users = postgres
pool_mode = transaction
""")
        processes.append(subprocess.Popen(
            ["/usr/sbin/pgbouncer", "-q", f"{home}/{port}.ini"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        while not os.path.exists(f"{home}/.s.PGSQL.{port}"):
            time.sleep(0.01)
        processes.append(subprocess.Popen(
            ["pgbench", "-n", "-c", "2", "-T", "1000", "-f", work,
             f"host={home} port={port} dbname=bench"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    return "; ".join(f"host={home} port={port} dbname=pgbouncer"
                     for port in range(7001, 7001 + POOLERS))


def poller():
    seconds = int(os.environ.get("BENCH_SECONDS", "60"))
    processes = []
    with Server("pgpool_stats", "pgpool_stats.poll_interval=1s",
                "pgpool_stats.sample_interval=100ms"):
        try:
            poolers = start_poolers(processes)
            psql(f"ALTER SYSTEM SET pgpool_stats.poolers = '{poolers}'")
            psql("SELECT pg_reload_conf()")
            all_there = ("SELECT (SELECT count(*) FILTER (WHERE reachable) FROM pgpool_stats.poolers), "
                         "(SELECT count(*) FROM pgpool_stats.instances WHERE source = 'pooler' AND open = 1)")
            for _ in range(300):
                if psql(all_there) == f"{POOLERS}|{POOLERS}":
                    break
                time.sleep(0.2)
            else:
                sys.exit("not all poolers are there: " + psql(
                    "TABLE pgpool_stats.poolers LIMIT 5"))
            pid = int(psql("SELECT pid FROM pg_stat_activity "
                           "WHERE backend_type = 'pgpool_stats poller'"))
            ages, oldest, times = [], [], []
            t0, c0, k0 = time.monotonic(), cpu_seconds(pid), ticks(pid)
            while time.monotonic() < t0 + seconds:
                age, old, took = psql(
                    "SELECT (SELECT extract(epoch FROM clock_timestamp() - last_pass) FROM pgpool_stats.info), "
                    "extract(epoch FROM max(clock_timestamp() - last_poll)), "
                    "percentile_cont(0.5) WITHIN GROUP (ORDER BY poll_time) FROM pgpool_stats.poolers").split("|")
                ages.append(float(age))
                oldest.append(float(old))
                times.append(float(took))
                time.sleep(0.5)
            t1, c1, k1 = time.monotonic(), cpu_seconds(pid), ticks(pid)
            table(f"{POOLERS} poolers polled every second, for {seconds} s", ("", ""),
                  [("CPU of the poller, of one core (scheduler's clock)",
                    f"{100 * (c1 - c0) / (t1 - t0):.2f} %"),
                   ("CPU of the poller, of one core (utime + stime)",
                    f"{100 * (k1 - k0) / (t1 - t0):.2f} %"),
                   ("time of a poll, median", f"{statistics.median(times):.1f} ms"),
                   ("oldest poll seen", f"{max(oldest):.2f} s"),
                   ("oldest pass of the collector seen (every 0.1 s)",
                    f"{max(ages):.2f} s")])
        finally:
            for process in reversed(processes):
                process.terminate()
                process.wait()
    with open(os.path.join(DATA, "postgresql.auto.conf"), "w", encoding="utf-8"):
        pass


def shmem(*settings):
    with Server("pgpool_stats", *settings):
        return int(psql("SELECT sum(allocated_size) FROM pg_shmem_allocations "
                        "WHERE name LIKE 'pgpool\\_stats%'"))


def memory():
    base = shmem()
    default = {"pgpool_stats.max_pools": 512, "pgpool_stats.max_instances": 1024,
               "max_connections": 100}
    rows = []
    for name, value in default.items():
        more = 10000 if name != "max_connections" else 1000
        rows.append((f"one more of `{name}`",
                     number((shmem(f"{name}={value + more}") - base) / more)))
    rows.append(("at the defaults and max_connections = 100", number(base)))
    table("Bytes of shared memory", ("", "bytes"), rows)


def machine():
    model = "unknown CPU"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    load = os.getloadavg()[0]
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} x {model}, load {load:.1f}, "
          f"{run('postgres', '--version').strip()}, {run('valgrind', '--version').strip()}; "
          "`make bench`")
    sys.stdout.flush()


def main():
    os.environ["PGHOST"] = DATA
    os.environ["PGUSER"] = "postgres"
    run("initdb", "-D", DATA, "-U", "postgres", "-A", "trust", "--no-locale",
        "-E", "UTF8", "--no-sync", "--no-instructions")
    with open(os.path.join(DATA, "postgresql.conf"), "a", encoding="utf-8") as f:
        f.write(f"""
listen_addresses = ''
unix_socket_directories = '{DATA}'
fsync = off
autovacuum = off
jit = off
max_parallel_workers_per_gather = 0
bgwriter_lru_maxpages = 0
checkpoint_timeout = 1h
max_connections = 100
""")
    machine()
    with Server("pgpool_stats"):
        run("pgbench", "-i", "-q", "postgres")
        psql("VACUUM (FREEZE, ANALYZE); CREATE EXTENSION pgpool_stats; "
             "CREATE FUNCTION bench_noop(pool text, stats jsonb, instance text DEFAULT NULL) "
             f"RETURNS boolean AS '{W}/noop', 'bench_noop' LANGUAGE C VOLATILE;")
    for what in WHAT:
        {"xact": xact, "connect": connect, "report": report, "trips": trips,
         "read": read, "memory": memory, "poller": poller}[what]()


main()
