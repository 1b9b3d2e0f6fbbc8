/*-------------------------------------------------------------------------
 *
 * usage.c
 *	  The functions behind the view usage, and the server's for exporters.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"

#include "analysis/snapshot.h"
#include "analysis/usage.h"
#include "registry/counters.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "server/usage.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_usage);
PG_FUNCTION_INFO_V1(pgps_get_server_usage);

#define USAGE_COLUMNS(C) \
	C(pool, text, used->pool) \
	C(datname, name, used->names.database) \
	C(usename, name, used->names.role) \
	C(cpu_time, count_ms, counters, PGPS_CPU_TIME) \
	C(wal_bytes, count, counters, PGPS_WAL_BYTES) \
	C(shared_blks_hit, count, counters, PGPS_SHARED_BLKS_HIT) \
	C(shared_blks_read, count, counters, PGPS_SHARED_BLKS_READ) \
	C(shared_blks_dirtied, count, counters, PGPS_SHARED_BLKS_DIRTIED) \
	C(shared_blks_written, count, counters, PGPS_SHARED_BLKS_WRITTEN) \
	C(temp_blks_read, count, counters, PGPS_TEMP_BLKS_READ) \
	C(temp_blks_written, count, counters, PGPS_TEMP_BLKS_WRITTEN) \
	C(memory, int8, used->memory_sampled > 0 ? used->memory : -1) \
	C(memory_sampled, int4, used->memory_sampled) \
	C(xacts, count, counters, PGPS_SERVER_XACTS) \
	C(xact_time, count_ms, counters, PGPS_XACT_TIME)

#define SERVER_COLUMNS(C) \
	C(cpu_time, ms, server.cpu_time) \
	C(wal_bytes, int8, server.wal_bytes) \
	C(memory, int8, usage.memory_sampled > 0 ? usage.memory : -1)

/* one row */
typedef struct Used
{
	const char *pool;
	PgpsNames	names;
	int64		memory;
	int			memory_sampled; /* -1 = no row of memory */
} Used;

static void
put_usage(PgpsRow *row, const Used *used, const PgpsCounters *counters)
{
	PGPS_PUT_ROW(USAGE_COLUMNS);
}

/* A row that is no pool's: of it is known what is measured of the server. */
static void
put_server(PgpsRow *row, const char *name, const PgpsServerUsage *measured,
		   int64 memory, int memory_sampled)
{
	Used		used = {
		.pool = name,
		.memory = memory,
		.memory_sampled = memory_sampled,
	};
	PgpsCounters counters = {0};

	if (measured->cpu_time >= 0)
		pgps_set_count(&counters, PGPS_CPU_TIME, measured->cpu_time);
	if (measured->wal_bytes >= 0)
		pgps_set_count(&counters, PGPS_WAL_BYTES, measured->wal_bytes);
	put_usage(row, &used, &counters);
}

/*
 * get_usage(exported boolean)
 *
 * The server first: everybody may see what it uses, as in pg_stat_wal.  What is
 * left comes last, for who sees all pools: others would see their sum.
 * Exporters get the pools alone, and no pooler's: its sessions are those of
 * applications.
 */
Datum
pgps_get_usage(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(USAGE_COLUMNS);
	bool		exported = PG_GETARG_BOOL(0);
	bool		all = pgps_sees_all();
	const PgpsSnapshot *snapshot;
	const PgpsPoolState *pool = NULL;
	PgpsUsage	usage;

	if (!exported)
		pgps_sample_cpu();
	snapshot = pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	usage = pgps_usage(snapshot);
	if (!exported)
		put_server(row, "(server)", &usage.server, usage.memory,
				   all ? usage.memory_sampled : -1);
	while ((pool = pgps_next_visible(snapshot, pool)) != NULL)
	{
		Used		used = {
			.pool = pool->data->key.name,
			.names = pgps_names(pool->data),
			.memory = pool->memory,
			.memory_sampled = pool->memory_sampled,
		};
		PgpsCounters counters = pool->counters;

		if (exported && pool->source == PGPS_SOURCE_POOLER)
			continue;
		if (exported)
			pgps_exported_counters(&counters, &pool->counters, &pool->base,
								   pool->source);
		put_usage(row, &used, &counters);
	}
	if (all && !exported)
		put_server(row, "(not accounted)", &usage.rest, usage.rest_memory,
				   usage.rest_sampled);
	return (Datum) 0;
}

/* What is measured of the server, as exporters get it; memory as in usage */
Datum
pgps_get_server_usage(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(SERVER_COLUMNS);
	PgpsUsage	usage = pgps_usage(pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS));
	PgpsServerUsage server = pgps_exported_server(usage.server);

	if (!pgps_sees_all())
		usage.memory_sampled = 0;
	PGPS_PUT_ROW(SERVER_COLUMNS);
	return (Datum) 0;
}
