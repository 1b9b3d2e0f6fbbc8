/*-------------------------------------------------------------------------
 *
 * connections.c
 *	  The function behind the view connections.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/backend_status.h"

#include "analysis/leaks.h"
#include "analysis/snapshot.h"
#include "registry/backends.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_connections);

#define CONNECTION_COLUMNS(C) \
	C(pid, int4, backend->pid) \
	C(backend_start, time, backend->backend_start) \
	C(pool, text, pool->key.name) \
	C(instance, text, state->data->name) \
	C(datname, name, pgps_database_name(pool)) \
	C(usename, name, pgps_role_name(pool)) \
	C(source, text, pgps_source_name(backend->labelled ? PGPS_SOURCE_LABEL : PGPS_SOURCE_DISCOVERY)) \
	C(via, text, via) \
	C(multiplexed, bool, via != NULL || backend->several) \
	C(application_name, text, pgps_printable(backend->application_name)) \
	C(client_addr, address, backend->client_addr) \
	C(client_port, int4, backend->client_port) \
	C(state, text, state_name(backend->state)) \
	C(state_change, time, backend->state_change) \
	C(xact_start, time, backend->xact_start) \
	C(xacts, int8, backend->xacts) \
	C(total_xact_time, ms, backend->total_xact_time) \
	C(max_xact_time, ms, backend->max_xact_time) \
	C(suspect, text, suspect)

/* The names of states in pg_stat_activity */
static const char *
state_name(BackendState state)
{
	switch (state)
	{
		case STATE_IDLE:
			return "idle";
		case STATE_RUNNING:
			return "active";
		case STATE_IDLEINTRANSACTION:
			return "idle in transaction";
		case STATE_FASTPATH:
			return "fastpath function call";
		case STATE_IDLEINTRANSACTION_ABORTED:
			return "idle in transaction (aborted)";
		case STATE_DISABLED:
			return "disabled";
		default:
			return NULL;
	}
}

static void
put_connection(PgpsRow *row, const PgpsSnapshot *snapshot,
			   const PgpsBackend *backend, const PgpsInstanceState *state,
			   const char *suspect)
{
	const PgpsPool *pool = state->pool->data;
	const char *via = pgps_pooler_between(snapshot, backend);

	PGPS_PUT_ROW(CONNECTION_COLUMNS);
}

/*
 * Why each backend of the snapshot counts as leaked; NULL if it does not.
 * Only proven leaks are named: a reader may end these connections.
 */
static const char **
find_suspects(const PgpsSnapshot *snapshot)
{
	static const char *const names[PGPS_LEAK_KINDS] = {
		"leak", "idle in transaction", "unread result"
	};
	const char **suspects = palloc0(Max(snapshot->nbackends, 1) * sizeof(char *));
	int			nleaks;
	PgpsLeak   *leaks = pgps_find_leaks(snapshot, &nleaks);
	int			i,
				j;

	for (i = 0; i < nleaks; i++)
	{
		if (leaks[i].at_least < leaks[i].candidates)
			continue;
		for (j = 0; j < leaks[i].candidates; j++)
			suspects[leaks[i].suspects[j].backend - snapshot->backends] =
				names[leaks[i].kind];
	}
	return suspects;
}

Datum
pgps_get_connections(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(CONNECTION_COLUMNS);
	const PgpsSnapshot *snapshot = pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	const char **suspects = find_suspects(snapshot);
	int			i;

	for (i = 0; i < snapshot->nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];
		const PgpsInstanceState *state = pgps_instance_of(snapshot, backend);

		CHECK_FOR_INTERRUPTS();
		if (state != NULL && pgps_may_see(state->pool->data->key.roleid))
			put_connection(row, snapshot, backend, state, suspects[i]);
	}
	return (Datum) 0;
}
