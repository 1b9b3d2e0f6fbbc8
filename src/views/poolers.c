/*-------------------------------------------------------------------------
 *
 * poolers.c
 *	  The function behind the view poolers.
 *
 * What goes wrong with a pooler may name hosts, users and files: this is for
 * members of pg_read_all_stats.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/shmem.h"
#include "poolers/pooler_list.h"
#include "poolers/poolers.h"
#include "views/row.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_poolers);

#define POOLER_COLUMNS(C) \
	C(name, text, name) \
	C(product, text, pooler->product) \
	C(version, text, pooler->version) \
	C(reachable, bool, reachable) \
	C(last_poll, time, pooler->last_poll) \
	C(poll_time, ms, pooler->last_poll != 0 ? pooler->poll_time : -1) \
	C(max_client_conn, int4, pooler->max_client_conn) \
	C(clients, int4, pooler->clients) \
	C(max_db_connections, int4, pooler->max_db_connections > 0 ? pooler->max_db_connections : -1) \
	C(error, text, error)

static const PgpsColumn pooler_columns[] = {POOLER_COLUMNS(PGPS_COLUMN)};

/* NULL if it was not tried yet */
static const PgpsPooler *
find_polled(const PgpsPooler *poolers, const char *name)
{
	int			i;

	for (i = 0; i < PGPS_MAX_POOLERS; i++)
	{
		if (strcmp(poolers[i].name, name) == 0 &&
			(poolers[i].reachable || poolers[i].error[0] != '\0'))
			return &poolers[i];
	}
	return NULL;
}

/* Why is nothing known of a pooler that is to be polled? */
static const char *
why_not_polled(void)
{
	if (pgps_poller_runs())
		return "not polled yet";
	return pgps_poller_has_no_worker() ?
		"there is no process for the poller: raise max_worker_processes" :
		"the poller does not run";
}

/* "pooler" is NULL for one that nothing is known of yet. */
static void
put_pooler(PgpsRow *row, const char *name, const PgpsPooler *pooler)
{
	static const PgpsPooler unknown = {
		.max_client_conn = -1,
		.clients = -1
	};
	const char *error = pooler != NULL ? pooler->error : why_not_polled();
	int			reachable = pooler != NULL ? pooler->reachable : -1;

	if (pooler == NULL)
		pooler = &unknown;
	POOLER_COLUMNS(PGPS_PUT);
	pgps_row_end(row);
}

/* A row for each pooler of the setting, in its order */
Datum
pgps_get_poolers(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	PgpsPooler *poolers;
	int			i;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo, pooler_columns, lengthof(pooler_columns));
	if (pgps_pooler_list == NULL || !pgps_sees_all())
		return (Datum) 0;
	poolers = pgps_poolers_copy();
	for (i = 0; i < pgps_pooler_list->count; i++)
	{
		const char *name = pgps_pooler_list->item[i].name;

		put_pooler(&row, name, find_polled(poolers, name));
	}
	return (Datum) 0;
}
