/*-------------------------------------------------------------------------
 *
 * party.c
 *	  Whose connection it is, for a cause to name as its culprit or holder.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "alerts/cause.h"
#include "analysis/snapshot.h"
#include "registry/backends.h"
#include "registry/registry.h"

/* Whose connection? */
void
pgps_describe_backend(PgpsParty *party, const PgpsBackend *backend,
					  const PgpsSnapshot *snapshot)
{
	const PgpsInstanceState *state = pgps_instance_of(snapshot, backend);
	const char *via = pgps_pooler_between(snapshot, backend);

	memset(party, 0, sizeof(PgpsParty));
	party->pid = backend->pid;
	party->roleid = backend->roleid;
	party->backend_start = backend->backend_start;
	if (state != NULL)
	{
		strlcpy(party->pool, state->pool->data->key.name, sizeof(party->pool));
		strlcpy(party->instance, state->data->name, sizeof(party->instance));
	}
	if (via != NULL || backend->several)
		strlcpy(party->via, via ? via : "a pooler", sizeof(party->via));
}
