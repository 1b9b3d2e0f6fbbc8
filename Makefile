# pgpool_stats: client connection pools, seen from the server
#
#   make test      all tests; installs what is missing (Debian)
#                  ONE="tap/031 regress/budget": only those, by how names begin
#   make test-all  also the long ones
#   make test-busy all tests while the processors are kept busy: takes long
#   make test-assert  all tests on a server with assertions, built from source
#   make bench     what it costs, see docs/performance.md; make bench xact: a part
#   make core      PostgreSQL's own regression tests with us loaded
#   make demo      real pools on a throwaway server, and a page of them;
#                  KEEP=1 leaves it up
#   make install   for the server of PG_CONFIG

.DEFAULT_GOAL = all

EXTENSION = pgpool_stats src/fleet/pgpool_stats_fleet
MODULE_big = pgpool_stats
EXTVERSION = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" pgpool_stats.control)

# a library of its own: libpq and what it needs stay out of the other processes
POLLER = pgpool_stats_poller
POLLER_OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/poller/*.c)))

OBJS = $(filter-out $(POLLER_OBJS),\
	$(patsubst %.c,%.o,$(sort $(wildcard src/*/*.c))))
EXTRA_CLEAN = $(POLLER_OBJS) $(POLLER)$(DLSUFFIX)

# the script is made of those of the views; what one needs stands before it
SQL = schema report plan overview pools instances load budget limits connections sessions leaks terminate \
	sizing usage top_queries rejections poolers chains dialects alerts incidents rules silences history info \
	metrics histograms openmetrics check_status
PAGE_PARTS = page style charts pools tables report_html
SCRIPT = pgpool_stats--$(EXTVERSION).sql

# the second extension is SQL only; its views are made of those above
FLEET = schema servers queries ask answers
FLEET_VIEWS = overview pools budget alerts incidents load
FLEET_SCRIPT = pgpool_stats_fleet--$(EXTVERSION).sql
DATA_built = $(SCRIPT) $(FLEET_SCRIPT)

# of what is saved over a restart
LAYOUT := $(shell awk -f src/main/layout.awk src/main/persist.c src/*/*.h | \
	cksum | cut -d ' ' -f 1)

PG_CPPFLAGS = -Isrc -I$(libpq_srcdir) -DPGPS_VERSION='"$(EXTVERSION)"' \
	-DPGPS_LAYOUT=$(LAYOUT)u
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare \
	-Wno-missing-field-initializers -Wno-cast-function-type

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

# these work on a machine without PostgreSQL
test test-all test-busy test-assert demo lint core:
	@test/run $@ $(if $(filter test%,$@),$(ONE))

# make bench PART ...: what follows is no goal of its own
BENCH_PARTS = xact path load connect logins report trips read crowd names \
	save memory poller fleet
bench:
	@test/run $@ $(filter $(BENCH_PARTS),$(MAKECMDGOALS))
$(BENCH_PARTS): bench
	@:

.PHONY: test test-all test-busy test-assert demo lint bench core $(BENCH_PARTS)

ifneq ($(PGXS),)
# bitcode would only help queries that inline our functions
override with_llvm = no
include $(PGXS)

$(OBJS) $(POLLER_OBJS): $(wildcard src/*/*.h) pgpool_stats.control

$(SCRIPT): $(SQL:%=src/views/%.sql) $(PAGE_PARTS:%=src/page/%.sql) Makefile
	for part in $(filter %.sql,$^); do cat $$part && echo || exit 1; done >$@

$(FLEET_SCRIPT): $(FLEET:%=src/fleet/%.sql) src/fleet/views.awk $(FLEET_VIEWS:%=src/views/%.sql) \
	src/fleet/rights.sql Makefile
	{ cat $(FLEET:%=src/fleet/%.sql) && \
		awk -f src/fleet/views.awk $(FLEET_VIEWS:%=src/views/%.sql) && \
		cat src/fleet/rights.sql; } >$@

all: $(POLLER)$(DLSUFFIX)
$(POLLER)$(DLSUFFIX): $(POLLER_OBJS)
	$(CC) $(CFLAGS) $(POLLER_OBJS) $(LDFLAGS) -shared -o $@ $(libpq)

install: install-poller
install-poller: $(POLLER)$(DLSUFFIX) installdirs
	$(INSTALL_SHLIB) $< '$(DESTDIR)$(pkglibdir)/'
uninstall: uninstall-poller
uninstall-poller:
	rm -f '$(DESTDIR)$(pkglibdir)/$(POLLER)$(DLSUFFIX)'
.PHONY: install-poller uninstall-poller
endif
