# pgpool_stats: client connection pools, seen from the server
#
#   make test      all tests; installs what is missing (Debian)
#   make test-all  also the long ones
#   make bench     what it costs, see docs/performance.md
#   make core      PostgreSQL's own regression tests with us loaded
#   make demo      real pools on a throwaway server; KEEP=1 leaves it up
#   make install   for the server of PG_CONFIG

.DEFAULT_GOAL = all

EXTENSION = pgpool_stats
MODULE_big = pgpool_stats
EXTVERSION = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" pgpool_stats.control)

OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c)))
DATA = $(sort $(wildcard src/pgpool_stats--*.sql))
PG_CPPFLAGS = -DPGPS_VERSION='"$(EXTVERSION)"'
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare \
	-Wno-missing-field-initializers -Wno-cast-function-type

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

# these work on a machine without PostgreSQL
test test-all demo lint bench core:
	@test/run $@

.PHONY: test test-all demo lint bench core

ifneq ($(PGXS),)
# bitcode would only help queries that inline our functions
override with_llvm = no
include $(PGXS)

$(OBJS): $(wildcard src/*.h) pgpool_stats.control
endif
