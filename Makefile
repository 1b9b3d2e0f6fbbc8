# pgpool_stats: client connection pools, seen from the server
#
#   make test      all tests; installs what is missing (Debian)
#                  ONE="tap/031 regress/budget": only those, by how names begin
#   make test-all  also the long ones; as root, libraries that only a newer Debian has
#   make test-busy all tests while the processors are kept busy: takes long
#   make test-assert  all tests on a server with assertions, built from source
#   make test-big-endian  the regression tests and the save file's on a server for
#                  s390x, run by qemu
#   make test-coverage  the same, and which lines of src no test has run
#   make test-faults  whatever breaks: an hour; FAULT_ROUNDS=200 of kill -9
#   make test-versions  as root: all tests on PostgreSQL 15, 17, 18 and 19, each in
#                  a Debian that has it, made by debootstrap and kept;
#                  MAJORS="17 18": only these; 15-i386: of 32 bits
#   make test-packages  as root: Debian's packages built and tried in the same
#                  systems, and rpm's built
#   make bench     what it costs, see docs/performance.md; make bench xact: a part
#   make core      PostgreSQL's own regression tests with us loaded
#   make demo      real pools on a throwaway server, and three outages;
#                  KEEP=1 leaves it up
#   make install   for the server of PG_CONFIG
#   make installcheck  the regression tests that hold on any running server that
#                  has us in shared_preload_libraries and its settings at default
#
# make -f THIS/Makefile builds in the directory where it is called.

.DEFAULT_GOAL = all

# where the sources are
TOP := $(patsubst %/,%,$(dir $(firstword $(MAKEFILE_LIST))))

EXTENSION = pgpool_stats src/fleet/pgpool_stats_fleet
MODULE_big = pgpool_stats
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" $(TOP)/pgpool_stats.control)

# a library of its own: libpq and what it needs stay out of the other processes
POLLER = pgpool_stats_poller
objects = $(patsubst $(TOP)/%.c,%.o,$(sort $(wildcard $(TOP)/src/$(1)/*.c)))
POLLER_OBJS := $(call objects,poller)
OBJS := $(filter-out $(POLLER_OBJS),$(call objects,*))
EXTRA_CLEAN = $(POLLER_OBJS) $(POLLER)$(DLSUFFIX)

# the script is made of those of the views; what one needs stands before it
SQL = schema owner report plan overview pools instances load budget limits connections sessions leaks terminate \
	sizing usage top_queries rejections poolers chains dialects alerts incidents rules silences history info \
	metrics histograms openmetrics check_status
PAGE_PARTS = page style charts pools tables report_html
SCRIPT = pgpool_stats--$(EXTVERSION).sql

# the second extension is SQL only; its views are made of those above, and so is who may
# create in its schema
FLEET = dblink servers queries ask answers
FLEET_VIEWS = overview pools budget alerts incidents load
FLEET_SCRIPT = pgpool_stats_fleet--$(EXTVERSION).sql
DATA_built = $(SCRIPT) $(FLEET_SCRIPT)
# from release to release
DATA := $(patsubst $(TOP)/%,%,$(wildcard $(TOP)/updates/*.sql))

# of what is saved over a restart
LAYOUT := $(shell awk -f $(TOP)/src/main/layout.awk $(TOP)/src/main/persist.c $(TOP)/src/*/*.h | \
	cksum | cut -d ' ' -f 1)

PG_CPPFLAGS = -I$(TOP)/src -I$(libpq_srcdir) -DPGPS_VERSION='"$(EXTVERSION)"' \
	-DPGPS_LAYOUT=$(LAYOUT)u
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare \
	-Wno-missing-field-initializers -Wno-cast-function-type

# of sql/schedule, those that hold on a server with any pools and any past: the
# registry is the server's, and remembers pools of a database that is dropped
REGRESS = extension columns dialects documents counters leave

PG_CONFIG ?= pg_config
# Debian's pg_config of libpq names a file that only the server's package has
PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))

# these work on a machine without PostgreSQL
test test-busy test-assert test-coverage demo lint core:
	@$(TOP)/test/run $@ $(if $(filter test% lint,$@),$(ONE))
test-big-endian:
	@$(TOP)/test/run $@ $(or $(ONE),regress tap/004)
# libraries that only a newer Debian has
NEWER = clients/sqlx clients/deadpool clients/bb8 clients/r2d2 clients/watched clients/otel_python
test-all:
	@$(TOP)/test/run $@ $(ONE)
	@[ -n '$(ONE)' ] || [ "$$(id -u)" -ne 0 ] || ONE='$(NEWER)' $(TOP)/test/versions 18 || [ $$? -eq 77 ]
# what breaks and comes back: short forms of all of these are in test and test-all
FAULTS = tap/002 tap/003 tap/004 tap/005 tap/010 tap/011 tap/016 tap/017 tap/056 \
	tap/022 tap/072 tap/090_pool_limit tap/100_faults tap/103 tap/104
test-faults:
	@FAULT_ROUNDS=$(or $(FAULT_ROUNDS),200) $(TOP)/test/run test-all $(FAULTS)
test-versions:
	@ONE='$(ONE)' $(TOP)/test/versions $(MAJORS)
test-packages:
	@$(TOP)/test/debian_packages $(MAJORS)

# make bench PART ...: what follows is no goal of its own
BENCH_PARTS = xact path load connect logins report trips read crowd names \
	save memory poller fleet
bench:
	@$(TOP)/test/run $@ $(filter $(BENCH_PARTS),$(MAKECMDGOALS))
$(BENCH_PARTS): bench
	@:

.PHONY: test test-all test-busy test-assert test-big-endian test-coverage test-faults test-versions test-packages demo lint bench core $(BENCH_PARTS)

ifneq ($(PGXS),)
# bitcode would only help queries that inline our functions
override with_llvm = no
include $(PGXS)

ifneq ($(TOP),.)
# make would take what is there for built
ifneq ($(wildcard $(TOP)/src/*/*.o $(TOP)/*.so $(TOP)/$(SCRIPT)),)
$(error $(TOP) has been built in: say make clean there first)
endif
# in full, or VPATH would find them among the sources
FOLDERS := $(addprefix $(CURDIR)/,$(sort $(dir $(OBJS) $(POLLER_OBJS))))
$(OBJS) $(POLLER_OBJS): | $(FOLDERS)
$(FOLDERS):
	$(MKDIR_P) $@
endif

$(OBJS) $(POLLER_OBJS): $(wildcard $(TOP)/src/*/*.h) $(TOP)/pgpool_stats.control

$(SCRIPT): $(SQL:%=$(TOP)/src/views/%.sql) $(PAGE_PARTS:%=$(TOP)/src/page/%.sql) $(TOP)/Makefile
	for part in $(filter %.sql,$^); do cat $$part && echo || exit 1; done >$@

FLEET_DIR = $(TOP)/src/fleet
FLEET_PARTS = $(FLEET_DIR)/schema.sql $(TOP)/src/views/owner.sql $(FLEET:%=$(FLEET_DIR)/%.sql)
FLEET_VIEWS_SQL = $(FLEET_VIEWS:%=$(TOP)/src/views/%.sql)
$(FLEET_SCRIPT): $(FLEET_PARTS) $(FLEET_DIR)/views.awk $(FLEET_VIEWS_SQL) $(FLEET_DIR)/rights.sql $(TOP)/Makefile
	{ cat $(FLEET_PARTS) && awk -f $(FLEET_DIR)/views.awk $(FLEET_VIEWS_SQL) && \
		cat $(FLEET_DIR)/rights.sql; } >$@

all: $(POLLER)$(DLSUFFIX)
$(POLLER)$(DLSUFFIX): $(POLLER_OBJS)
	$(CC) $(CFLAGS) $(POLLER_OBJS) $(LDFLAGS) -shared -o $@ $(libpq) -lcares

install: install-poller
install-poller: $(POLLER)$(DLSUFFIX) installdirs
	$(INSTALL_SHLIB) $< '$(DESTDIR)$(pkglibdir)/'
uninstall: uninstall-poller
uninstall-poller:
	rm -f '$(DESTDIR)$(pkglibdir)/$(POLLER)$(DLSUFFIX)'
.PHONY: install-poller uninstall-poller
else
all install uninstall installcheck clean:
	@echo "pgpool_stats is built with the server's development files, which '$(PG_CONFIG)' does not name." >&2
	@echo "Debian: apt-get install postgresql-server-dev-15.  Elsewhere: make PG_CONFIG=/path/to/pg_config" >&2
	@exit 1
.PHONY: all install uninstall installcheck clean
endif
