"""What the parts of the benchmark share."""

import glob
import json
import os
import re
import subprocess
import sys
import time

W = os.environ["W"]
DATA = os.environ["PGHOST"]
LOG = os.path.join(W, "log", "bench.log")

NATIVE = {"pool_size": 5, "max_overflow": 10, "open": 7, "checked_out": 6,
          "checked_in": 1, "waiting": 2, "checkouts": 123456, "waits": 789,
          "total_wait_time": 4711.5, "timeouts": 3}


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
        # not in its arguments: where libc finds strings, and so what it takes
        # to read them, depends on how long these are
        with open(os.path.join(DATA, "bench.conf"), "w", encoding="utf-8") as f:
            f.write(f"shared_preload_libraries = '{preload}'\n")
            for setting in settings:
                name, _, value = setting.partition("=")
                f.write(f"{name} = '{value}'\n")
        # it begins with nothing
        for saved in glob.glob(DATA + "/pg_stat_tmp/pgpool_stats*"):
            os.unlink(saved)
        command = ["postgres", "-D", DATA]
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

    def settle(self):
        """Wait until no process comes or goes for a while."""
        since, seen = time.monotonic(), None
        while time.monotonic() - since < 1:
            now = self.children()
            if now != seen:
                since, seen = time.monotonic(), now
            time.sleep(0.05)
        return seen

    def profiles(self, action, count=1):
        """Profiles of the backends, so many at least, that end because of
        "action".  They are written while they end."""
        processes = self.settle()
        before = self.complete()
        action()
        for _ in range(1200):
            left = self.children() - processes
            new = self.complete() - before
            if not left and len(new) >= count:
                return new
            time.sleep(0.1)
        sys.exit(f"{len(new)} of {count} backends ended; still there: {left}")

    def complete(self):
        found = set()
        for path in glob.glob(self.out + "/out.*"):
            with open(path, "rb") as f:
                f.seek(max(os.path.getsize(path) - 200, 0))
                if b"\ntotals: " in f.read():
                    found.add(path)
        return found


def table(title, head, rows):
    print(f"\n{title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "|".join(["---"] + ["---:"] * (len(head) - 1)) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    sys.stdout.flush()


LIMITS = os.path.join(W, "limits")


def limit(what, measured, most, digits=2):
    """What must not be more: kept for the table at the end."""
    with open(LIMITS, "a", encoding="utf-8") as f:
        f.write(f"{what}\t{number(most, 0 if most == int(most) else 2)}"
                f"\t{number(measured, digits)}"
                f"\t{'holds' if measured <= most else 'does not'}\n")


def print_limits():
    if os.path.exists(LIMITS):
        with open(LIMITS, encoding="utf-8") as f:
            table("What must hold, and whether it did", ("", "at most", "measured", ""),
                  [line.rstrip("\n").split("\t") for line in f])


def number(x, digits=0):
    return "-" if x is None else f"{x:,.{digits}f}"


def wanted(name):
    """BENCH_ONLY: parts of names, for working on something."""
    return re.search(os.environ.get("BENCH_ONLY", ""), name)


def report_script(function):
    return script(function.split(".")[-1],
                  f"SELECT {function}(:pool, :stats, :instance);\n")


def report_args(stats):
    return ["-D", "pool=bench", "-D", "stats=" + json.dumps(stats),
            "-D", "instance=web-1:4711"]


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


def children_cpu(pid):
    """Seconds of CPU of the processes that it has started and that ended."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def faults(pid):
    """Page faults, of a process and of those that it has started and that ended."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return int(fields[7]) + int(fields[8])


def reset_settings():
    """Forget what ALTER SYSTEM has set, for the servers that follow."""
    with open(os.path.join(DATA, "postgresql.auto.conf"), "w", encoding="utf-8"):
        pass


def populate(instances, exactly=True):
    """So many instances, 100 a pool, each of which has reported."""
    psql(f"""SELECT count(pgpool_stats.report('app-' || n / 100,
        '{json.dumps(NATIVE)}', 'web-' || n || ':4711'))
        FROM generate_series(0, {instances - 1}) n""")
    found = psql("SELECT count(*) FROM pgpool_stats.instances WHERE pool LIKE 'app-%'")
    if exactly and found != str(instances):
        sys.exit(f"{found} of {instances} instances are there")


if __name__ == "__main__":
    print_limits()
