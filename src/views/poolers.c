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

#include "fmgr.h"
#include "nodes/pg_list.h"

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
	C(query_wait_timeout, int4, pooler->query_wait_timeout > 0 ? pooler->query_wait_timeout : -1) \
	C(bytes_received, int8, pooler->bytes_received) \
	C(bytes_sent, int8, pooler->bytes_sent) \
	C(client_parses, int8, pooler->client_parses) \
	C(server_parses, int8, pooler->server_parses) \
	C(binds, int8, pooler->binds) \
	C(error, text, error)

/* name/2 before name/10 */
static int
name_order(const ListCell *a, const ListCell *b)
{
	const char *x = ((const PgpsPooler *) lfirst(a))->name;
	const char *y = ((const PgpsPooler *) lfirst(b))->name;
	int			longer = (int) strlen(x) - (int) strlen(y);

	return longer != 0 ? longer : strcmp(x, y);
}

/* Those of an entry of the setting that were polled */
static List *
polled_of(const PgpsPooler *poolers, const char *listed)
{
	List	   *polled = NIL;
	int			i;

	for (i = 0; i < PGPS_MAX_POOLERS; i++)
	{
		if (strcmp(poolers[i].listed, listed) == 0 &&
			(poolers[i].reachable || poolers[i].error[0] != '\0'))
			polled = lappend(polled, (void *) &poolers[i]);
	}
	list_sort(polled, name_order);
	return polled;
}

/* Why is nothing known of a configured pooler? */
static const char *
why_not_polled(void)
{
	if (pgps_poller_runs())
		return "not polled yet";
	return pgps_poller_has_no_worker() ?
		"there is no process for the poller: raise max_worker_processes" :
		"the poller does not run";
}

/* "polled" is NULL if nothing is known of it yet. */
static void
put_pooler(PgpsRow *row, const char *name, const PgpsPooler *polled)
{
	const PgpsPooler *pooler = polled != NULL ? polled : &pgps_unknown_pooler;
	const char *error = polled != NULL ? polled->error : why_not_polled();
	int			reachable = polled != NULL ? polled->reachable : -1;

	PGPS_PUT_ROW(POOLER_COLUMNS);
}

/* The poolers of each entry of the setting, in its order */
Datum
pgps_get_poolers(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(POOLER_COLUMNS);
	PgpsPooler *poolers;
	int			i;

	if (pgps_pooler_list == NULL || !pgps_sees_all())
		return (Datum) 0;
	poolers = pgps_poolers_copy();
	for (i = 0; i < pgps_pooler_list->count; i++)
	{
		const char *listed = pgps_pooler_list->item[i].name;
		List	   *polled = polled_of(poolers, listed);
		const ListCell *lc;

		if (polled == NIL)
			put_pooler(row, listed, NULL);
		foreach(lc, polled)
			put_pooler(row, ((const PgpsPooler *) lfirst(lc))->name, lfirst(lc));
	}
	return (Datum) 0;
}
