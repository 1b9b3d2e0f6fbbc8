"""Instructions of the server, counted by callgrind."""

import collections
import os
import re
import statistics

from common import W, libraries, psql, wanted


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

# statistics are flushed and timers run by wall time: not counted, with all
# that they call
BY_TIME = {"pgstat_report_stat", "enable_timeout_after", "handle_sig_alarm"}


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
        by_time = sum(n for (caller, callee), n in profile.inside.items()
                      if callee[1] in BY_TIME and caller[1] not in BY_TIME)
        waiting = sum(n for (_, fn), n in profile.own.items() if fn in WAITING)
        return profile.total - waiting - by_time

    def diff(self, what, key):
        return (getattr(self.b, what)[key] - getattr(self.a, what)[key]) / self.n

    def functions(self):
        """Our own functions, and what they call in others."""
        found = []
        for key in self.b.own:
            if key[0] == OURS and self.diff("own", key) >= 0.5:
                found.append((self.diff("own", key), key[1]))
        for edge in self.b.inside:
            if self.leaves(edge) and self.diff("inside", edge) >= 0.5:
                found.append((self.diff("inside", edge),
                              f"{edge[0][1]} -> {edge[1][1]}"))
        return sorted(found, reverse=True)

    def ours(self, base):
        """Our own instructions, those of what we call, and what the functions
        of the server that call us take more than in another run."""
        own = sum(self.diff("own", key) for key in self.b.own if key[0] == OURS)
        called = sum(self.diff("inside", edge) for edge in self.b.inside
                     if self.leaves(edge))
        callers = {edge[0] for edge in self.b.inside
                   if edge[0][0] != OURS and edge[1][0] == OURS and
                   self.diff("calls", edge) >= 0.5}
        loops = sum(self.diff("own", key) - base.diff("own", key)
                    for key in callers)
        return own, called, loops

    @staticmethod
    def leaves(edge):
        """Is it a call from us to somebody who would not be called anyway?"""
        (ob, _), (cob, cfn) = edge
        return ob == OURS and cob != OURS and \
            not cfn.startswith(("standard_", "pgss_", "pgsk_"))

    def elsewhere(self, base):
        """What costs more or less outside our object than in another run."""
        found = []
        for key in set(self.b.own) | set(base.b.own):
            more = self.diff("own", key) - base.diff("own", key)
            if key[0] != OURS and abs(more) >= 3 and \
               key[1] not in WAITING:
                found.append((more, key[1]))
        return sorted(found, reverse=True)

    def inside(self, function):
        """What it takes with what it calls, of who does not call itself."""
        return sum(self.diff("inside", edge) for edge in self.b.inside
                   if edge[1][1] == function)

    def per_call(self, function):
        """What a call of it takes, with what it calls."""
        calls = inside = 0
        for edge in self.b.calls:
            if edge[1][1] == function:
                calls += self.diff("calls", edge)
                inside += self.diff("inside", edge)
        return inside / calls if calls else None


def middle(slopes):
    return statistics.mean(s.total for s in slopes)


def spread(slopes):
    totals = [s.total for s in slopes]
    return max(totals) - min(totals)

LABEL = ("-c pgpool_stats.pool=bench -c pgpool_stats.instance=web-1:4711 "
         "-c pgpool_stats.pool_size=5 -c pgpool_stats.max_overflow=10")

# each of its transactions exhausts it
LABEL_1 = "-c pgpool_stats.pool=small -c pgpool_stats.pool_size=1"

NO_HOOKS = "a library without hooks"

VARIANTS = [("without", "", ""),
            (NO_HOOKS, W + "/noop", ""),
            ("pgpool_stats, no label", "pgpool_stats", ""),
            ("pgpool_stats, labelled", "pgpool_stats", LABEL),
            ("pgpool_stats, a pool of 1", "pgpool_stats", LABEL_1),
            ("pg_stat_statements", "pg_stat_statements", "")]


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
