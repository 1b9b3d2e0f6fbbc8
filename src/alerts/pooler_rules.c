/*-------------------------------------------------------------------------
 *
 * pooler_rules.c
 *	  Alert rules about the poolers that are polled.
 *
 * Levels are written as enabled, warning, critical, clear, for_time.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"

#include "alerts/findings.h"
#include "alerts/overrides.h"
#include "alerts/rules.h"
#include "analysis/snapshot.h"
#include "poolers/pooler_list.h"
#include "poolers/poolers.h"
#include "registry/peaks.h"
#include "registry/registry.h"
#include "registry/status.h"
#include "registry/told.h"

static TimestampTz
last_heard(const PgpsPooler *pooler)
{
	return pooler->last_poll != 0 ? pooler->last_poll : pooler->listed_at;
}

static void
look_at_poolers(PgpsLook *look)
{
	int			i;

	for (i = 0; i < PGPS_MAX_POOLERS; i++)
	{
		const PgpsPooler *pooler = &look->snapshot->poolers[i];
		PgpsFinding found = {0};

		/* without an error, it was not asked yet */
		if (pooler->name[0] == '\0' || pooler->reachable ||
			pooler->error[0] == '\0')
			continue;
		found.subject = pgps_make_subject(PGPS_SCOPE_POOLER, pooler->name);
		found.value = pgps_seconds_since(look, last_heard(pooler));
		found.since = last_heard(pooler);
		found.pooler = pooler;
		pgps_add_finding(look, &found);
	}
}

static void
say_pooler_down(StringInfo text, const PgpsLook *look,
				const PgpsFinding *found)
{
	appendStringInfo(text, "no answer for %s (%s)",
					 pgps_duration_text(look->now - last_heard(found->pooler)),
					 found->pooler->error);
}

const PgpsRule pgps_rule_pooler_down = {
	.name = "pooler_down",
	.unit = "s",
	.levels = {true, PGPS_NO_LEVEL, 15, PGPS_NO_LEVEL, 0},
	.description = "Time since a polled pooler last answered",
	.hint = "See the view poolers for the error. What its clients see is another matter: ask one.",
	.look = look_at_poolers,
	.say = say_pooler_down
};

/* Does the pooler take no clients for this pool?  It may have those it has. */
static bool
is_closed(const PgpsLook *look, const PgpsInstanceState *state,
		  PgpsFinding *found)
{
	found->value = 1;
	return state->counts && !state->now.late &&
		(state->data->told.state & (PGPS_DISABLED | PGPS_NO_MORE_CLIENTS)) != 0;
}

static void
say_closed(StringInfo text, const PgpsLook *look, const PgpsFinding *found)
{
	const PgpsInstance *data = found->state->data;

	appendStringInfo(text, "the pooler takes no more clients for %s: %s",
					 pgps_short_name(data->name),
					 data->told.state & PGPS_DISABLED ?
					 "the database is disabled there" :
					 "its user or database has as many as it may");
}

const PgpsRule pgps_rule_pooler_closed = {
	.name = "pooler_closed",
	.unit = "instances",
	.levels = {true, 1, PGPS_NO_LEVEL, PGPS_NO_LEVEL, 10 * USECS_PER_SEC},
	.description = "A pooler takes no more clients for a database and user: it is disabled there, or has as many as it may",
	.hint = "ENABLE the database in the pooler's console; or raise max_user_client_connections or max_db_client_connections there, or make the pools before it smaller: see chains.",
	.look_at_instance = is_closed,
	.say = say_closed
};
