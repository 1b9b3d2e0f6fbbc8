/*-------------------------------------------------------------------------
 *
 * findings.c
 *	  What the alert rules find right now.
 *
 * Collector only, inside a transaction: without a database, but with the
 * shared catalogs.  Everything is made in the current memory context.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"

#include "alerts/findings.h"
#include "analysis/budget.h"
#include "analysis/commitments.h"
#include "analysis/holdup.h"
#include "base/settings.h"
#include "registry/peaks.h"
#include "registry/registry.h"
#include "registry/status.h"

/* who takes something of a limit */
typedef struct LimitUser
{
	Oid			oid;			/* role or database */
	int			connections;
} LimitUser;

/* "41 min": in the largest unit that leaves at least 1 */
char *
pgps_duration_text(int64 duration)
{
	int64		s = Max(duration, 0) / USECS_PER_SEC;

	if (s < 60)
		return psprintf(INT64_FORMAT " s", s);
	if (s < 3600)
		return psprintf(INT64_FORMAT " min", s / 60);
	if (s < 2 * 86400)
		return psprintf(INT64_FORMAT " h", s / 3600);
	return psprintf(INT64_FORMAT " days", s / 86400);
}

/* "1 connection", "3 connections" */
char *
pgps_count_text(double count, const char *noun)
{
	return psprintf("%.0f %s%s", count, noun, rint(count) == 1 ? "" : "s");
}

/*
 * "3 callers waiting".  Of clients of a pooler also what ends their wait, if
 * that is near.  It may be configured otherwise for a database or user, which
 * the console does not tell.
 */
char *
pgps_waiting_text(const PgpsLook *look, const PgpsFinding *found, double waiting)
{
	const PgpsInstanceState *state = found->state;
	const PgpsPooler *pooler = pgps_pooler_of_pool(state, look->snapshot);
	int64		timeout = pooler == NULL ? 0 :
		pooler->query_wait_timeout * USECS_PER_SEC;
	int64		longest = pgps_get(&state->now.shown, PGPS_MAX_WAIT, -1);
	char	   *text = psprintf("%s waiting", pgps_count_text(waiting, "caller"));

	if (timeout > 0 && longest >= 0 &&
		longest + pgps_poll_interval * INT64CONST(1000) >= timeout)
		text = psprintf("%s (the longest for %s, query_wait_timeout is %s)", text,
						pgps_duration_text(longest), pgps_duration_text(timeout));
	return text;
}

double
pgps_seconds_since(const PgpsLook *look, TimestampTz since)
{
	return Max(look->now - since, 0) / (double) USECS_PER_SEC;
}

/* What the instances that it was found at report together */
int64
pgps_found_sum(const PgpsFinding *found, PgpsField field)
{
	int64		sum = 0;
	int			i;

	for (i = 0; i < found->count; i++)
		sum = pgps_add_saturated(sum, pgps_get(&found->states[i]->now.shown,
											   field, 0));
	return sum;
}

/* Keep what was found if it may be an alert, or may keep one alive. */
void
pgps_add_finding(PgpsLook *look, const PgpsFinding *found)
{
	const PgpsRule *rule = pgps_rules[look->rule];
	PgpsLevels	levels = pgps_levels(look->rule, found->subject,
									 look->overrides);
	PgpsFinding *kept;
	StringInfoData text;

	if (!levels.enabled ||
		(found->at_least == PGPS_SEVERITY_NONE &&
		 (levels.warning < 0 || found->value < levels.warning) &&
		 (levels.critical < 0 || found->value < levels.critical) &&
		 (levels.clear < 0 || found->value < levels.clear)))
		return;
	kept = palloc(sizeof(PgpsFinding));
	*kept = *found;
	kept->rule = look->rule;
	kept->levels = levels;
	initStringInfo(&text);
	appendStringInfo(&text, "%s: ", rule->about ? rule->about :
					 pgps_subject_text(kept->subject));
	if (rule->sentence != NULL)
	{
		double		value = rule->adds_up ? kept->total : kept->value;

		appendStringInfo(&text,
						 rule->sentence_of_one && rint(value) == 1 ?
						 rule->sentence_of_one : rule->sentence,
						 value, pgps_duration_text(levels.for_time));
	}
	else
		rule->say(&text, look, kept);
	kept->message = text.data;

	look->findings = lappend(look->findings, kept);
}

/*-------------------------------------------------------------------------
 * Pools
 *-------------------------------------------------------------------------
 */

static bool
is_worse(const PgpsFinding *found, const PgpsFinding *worst)
{
	if (worst->state == NULL)
		return true;
	if (found->at_least != worst->at_least)
		return found->at_least > worst->at_least;
	return found->value > worst->value;
}

/*
 * Instances do not share their connections, so each is looked at by itself:
 * the worst one decides, and the sentence is about all at which it was found.
 */
static void
look_at_pool(PgpsLook *look, const PgpsPoolState *pool,
			 const PgpsSubject *subject)
{
	PgpsLevels	levels = pgps_levels(look->rule, subject, look->overrides);
	PgpsFinding worst = {0};
	const PgpsInstanceState **states = NULL;
	double		total = 0;
	int			count = 0;
	int			i;

	if (!levels.enabled)
		return;
	look->pool = pool;
	look->window_start = look->now - levels.for_time;
	for (i = 0; i < pool->ninstances; i++)
	{
		const PgpsInstanceState *state = pool->instances[i];
		PgpsFinding found = {0};

		if (!state->live || state->data->other ||
			!pgps_rules[look->rule]->look_at_instance(look, state, &found))
			continue;
		found.state = state;
		if (is_worse(&found, &worst))
			worst = found;
		if (states == NULL)
			states = palloc(pool->ninstances * sizeof(PgpsInstanceState *));
		states[count++] = state;
		total += found.value;
	}
	if (count == 0)
		return;
	worst.subject = subject;
	worst.states = states;
	worst.count = count;
	worst.total = total;
	pgps_add_finding(look, &worst);
}

/*-------------------------------------------------------------------------
 * Limits
 *-------------------------------------------------------------------------
 */

static int
compare_users(const void *a, const void *b)
{
	Oid			x = ((const LimitUser *) a)->oid;
	Oid			y = ((const LimitUser *) b)->oid;

	return x < y ? -1 : x > y;
}

static List *
add_limit(List *limits, const PgpsLimit *limit,
		  const PgpsCommitments *commitments)
{
	PgpsLimit  *copy = palloc(sizeof(PgpsLimit));

	*copy = *limit;
	copy->committed = pgps_committed(commitments, limit->scope, limit->oid);
	return lappend(limits, copy);
}

/*
 * The limits of the roles or databases that have a connection or a pool, which
 * may ask for some.  They are looked up one by one: a catalog may hold
 * thousands.
 */
static List *
add_own_limits(List *limits, PgpsScope scope, const PgpsSnapshot *snapshot,
			   const PgpsCommitments *commitments)
{
	int			nbackends = snapshot->nbackends;
	LimitUser  *users = palloc((nbackends + snapshot->npools + 1) *
							   sizeof(LimitUser));
	int			n = 0;
	int			first,
				i;

	for (i = 0; i < nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];

		users[n].oid = scope == PGPS_SCOPE_ROLE ? backend->roleid :
			backend->dbid;
		users[n++].connections = 1;
	}
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolKey *key = &snapshot->pools[i].data->key;

		users[n].oid = scope == PGPS_SCOPE_ROLE ? key->roleid : key->dbid;
		users[n++].connections = 0;
	}
	qsort(users, n, sizeof(LimitUser), compare_users);

	for (first = 0; first < n; first = i)
	{
		PgpsLimit	limit;
		int			used = 0;

		for (i = first; i < n && users[i].oid == users[first].oid; i++)
			used += users[i].connections;
		if (!pgps_own_limit(scope, users[first].oid, &limit) ||
			limit.conn_limit < 0)
			continue;
		limit.used = used;
		limits = add_limit(limits, &limit, commitments);
	}
	pfree(users);
	return limits;
}

/* The server, then databases and roles with a limit of their own */
static List *
find_limits(const PgpsSnapshot *snapshot)
{
	PgpsCommitments *commitments = pgps_commitments(snapshot, NIL);
	PgpsLimit	server = {0};
	List	   *limits;

	server.scope = PGPS_SCOPE_SERVER;
	server.usable = pgps_server_usable(InvalidOid);
	server.used = pgps_client_processes();
	limits = add_limit(NIL, &server, commitments);
	limits = add_own_limits(limits, PGPS_SCOPE_DATABASE, snapshot, commitments);
	return add_own_limits(limits, PGPS_SCOPE_ROLE, snapshot, commitments);
}

/*-------------------------------------------------------------------------
 * Everything
 *-------------------------------------------------------------------------
 */

static void
begin_look(PgpsLook *look, int rule, const PgpsSnapshot *snapshot,
		   const List *overrides, const List *limits)
{
	memset(look, 0, sizeof(PgpsLook));
	look->rule = rule;
	look->overrides = pgps_overrides_of(rule, overrides);
	look->all_overrides = overrides;
	look->snapshot = snapshot;
	look->now = snapshot->taken_at;
	look->limits = limits;
	if (pgps_rules[rule]->prepare != NULL)
		look->prepared = pgps_rules[rule]->prepare(snapshot);
}

/* What all rules find (PgpsFinding).  "overrides" are those of alert_rules. */
List *
pgps_find_all(const PgpsSnapshot *snapshot, const List *overrides)
{
	PgpsLook   *looks = palloc(pgps_nrules * sizeof(PgpsLook));
	List	   *limits = find_limits(snapshot);
	List	   *findings = NIL;
	int			rule;
	int			i;

	for (rule = 0; rule < pgps_nrules; rule++)
		begin_look(&looks[rule], rule, snapshot, overrides, limits);

	/* all rules at one pool after the other: there may be many instances */
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolState *pool = &snapshot->pools[i];
		const PgpsSubject *subject;

		if (pool->live == 0)
			continue;
		subject = pgps_make_pool_subject(pool->data);
		for (rule = 0; rule < pgps_nrules; rule++)
		{
			if (pgps_rules[rule]->look_at_instance != NULL)
				look_at_pool(&looks[rule], pool, subject);
		}
	}
	for (rule = 0; rule < pgps_nrules; rule++)
	{
		if (pgps_rules[rule]->look != NULL)
			pgps_rules[rule]->look(&looks[rule]);
		findings = list_concat(findings, looks[rule].findings);
	}
	return findings;
}
