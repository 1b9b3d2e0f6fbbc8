/*-------------------------------------------------------------------------
 *
 * views_poolers.c
 *	  The function behind the view poolers.
 *
 * What goes wrong with a pooler may name hosts, users and files: the view is
 * for members of pg_read_all_stats.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "poolers.h"
#include "row.h"
#include "shmem.h"
#include "views.h"

PG_FUNCTION_INFO_V1(pgps_get_poolers);

static void
put_count(PgpsRow *row, int32 count)
{
	if (count >= 0)
		pgps_put_int4(row, count);
	else
		pgps_put_null(row);
}

static const PgpsPooler *
find_pooler(const PgpsPooler *poolers, const char *name)
{
	int			i;

	for (i = 0; i < PGPS_MAX_POOLERS; i++)
	{
		if (strcmp(poolers[i].name, name) == 0)
			return &poolers[i];
	}
	return NULL;
}

/* Why is nothing known of a pooler that is to be polled? */
static const char *
why_unknown(void)
{
	if (pgps_poller_runs())
		return "not polled yet";
	return pgps_poller_has_no_worker() ?
		"there is no process for the poller: raise max_worker_processes" :
		"the poller does not run";
}

/* A row for each pooler of the setting, in its order */
Datum
pgps_get_poolers(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	PgpsPooler *poolers;
	int			i;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo);
	poolers = pgps_poolers_copy();
	for (i = 0; pgps_pooler_list != NULL && i < pgps_pooler_list->count; i++)
	{
		const char *name = pgps_pooler_list->item[i].name;
		const PgpsPooler *pooler = find_pooler(poolers, name);
		bool		tried = pooler != NULL &&
			(pooler->reachable || pooler->error[0] != '\0');

		if (!pgps_sees_all())
			break;
		pgps_put_text(&row, name);
		if (!tried)
		{
			pgps_put_nulls(&row, 8);
			pgps_put_text(&row, why_unknown());
			pgps_row_end(&row);
			continue;
		}
		pgps_put_text(&row, pooler->product);
		pgps_put_text(&row, pooler->version);
		pgps_put_bool(&row, pooler->reachable);
		pgps_put_time(&row, pooler->last_poll);
		if (pooler->last_poll != 0)
			pgps_put_float8(&row, pooler->poll_time / 1000.0);
		else
			pgps_put_null(&row);
		put_count(&row, pooler->max_client_conn);
		put_count(&row, pooler->clients);
		put_count(&row, pooler->max_db_connections > 0 ?
				  pooler->max_db_connections : -1);
		pgps_put_text(&row, pooler->error);
		pgps_row_end(&row);
	}
	return (Datum) 0;
}
