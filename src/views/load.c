/*-------------------------------------------------------------------------
 *
 * load.c
 *	  The function behind the view load.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"

#include "alerts/alerts.h"
#include "alerts/cause.h"
#include "analysis/load.h"
#include "analysis/snapshot.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "server/sampler.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"
#include "views/why.h"

PG_FUNCTION_INFO_V1(pgps_get_load);

#define LOAD_COLUMNS(C) \
	C(pool, text, names.pool) \
	C(datname, name, names.of.database) \
	C(usename, name, names.of.role) \
	C(sessions, float8, load.sessions) \
	C(cpu, float8, load.part[PGPS_PART_CPU]) \
	C(io, float8, load.part[PGPS_PART_IO]) \
	C(lock, float8, load.part[PGPS_PART_LOCK]) \
	C(lwlock, float8, load.part[PGPS_PART_LWLOCK]) \
	C(client, float8, load.part[PGPS_PART_CLIENT]) \
	C(other, float8, load.part[PGPS_PART_OTHER]) \
	C(idle_in_xact, float8, load.idle_in_xact) \
	C(lent_idle, float8, load.lent_idle) \
	C(cause, text, pgps_cause_name(why->cause.kind)) \
	C(culprit, text, pgps_culprit_text(&why->cause, pgps_may_see)) \
	C(sampled_at, time, load.until)

typedef struct Names
{
	const char *pool;
	PgpsNames	of;
} Names;

static void
put_load(PgpsRow *row, const PgpsPoolState *pool, const PgpsWhy *whys)
{
	Names		names = {0};
	PgpsLoad	load;
	const PgpsAlert *why = pgps_why_of(whys, pool ? &pool->data->key : NULL);

	pgps_load_read(&load, pool ? pool->copy : NULL);
	if (pool != NULL)
	{
		names.pool = pool->data->key.name;
		names.of = pgps_names(pool->data);

		/* what is behind a pooler is not seen here */
		if (pool->source == PGPS_SOURCE_POOLER)
			return;
	}
	PGPS_PUT_ROW(LOAD_COLUMNS);
}

Datum
pgps_get_load(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(LOAD_COLUMNS);
	const PgpsSnapshot *snapshot = pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	const PgpsWhy *whys = pgps_whys(fcinfo);
	const PgpsPoolState *pool = NULL;

	if (pgps_sees_all())
		put_load(row, NULL, whys);
	while ((pool = pgps_next_visible(snapshot, pool)) != NULL)
		put_load(row, pool, whys);
	return (Datum) 0;
}
