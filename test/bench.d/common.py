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


def table(title, head, rows):
    print(f"\n{title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "|".join(["---"] + ["---:"] * (len(head) - 1)) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    sys.stdout.flush()


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
