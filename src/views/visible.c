/*-------------------------------------------------------------------------
 *
 * visible.c
 *	  What several views need: who sees what, and how it is shown.
 *
 * A role sees the rows of the roles it has the privileges of; members of
 * pg_read_all_stats see all.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/backend_status.h"

#include "base/compat.h"
#include "base/text.h"
#include "dialects/fields.h"
#include "registry/status.h"
#include "views/visible.h"

#define NAMED_KINDS 20			/* of configurations of a pool */

bool
pgps_sees_all(void)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

bool
pgps_may_see(Oid roleid)
{
	return pgps_sees_all() ||
		(OidIsValid(roleid) && has_privs_of_role(GetUserId(), roleid));
}

/* The pool after "pool", or the first one, that the caller may see, or NULL */
const PgpsPoolState *
pgps_next_visible(const PgpsSnapshot *snapshot, const PgpsPoolState *pool)
{
	const PgpsPoolState *end = snapshot->pools + snapshot->npools;

	for (pool = pool ? pool + 1 : snapshot->pools; pool < end; pool++)
	{
		CHECK_FOR_INTERRUPTS();
		if (pgps_may_see(pool->data->key.roleid))
			return pool;
	}
	return NULL;
}

/*
 * Alerts of pools are seen by those who see the pool, those of poolers by
 * those who see all; those of limits by everybody, as their numbers are.
 */
bool
pgps_may_see_alert(PgpsScope scope, Oid roleid)
{
	switch (scope)
	{
		case PGPS_SCOPE_POOL:
			return pgps_may_see(roleid);
		case PGPS_SCOPE_POOLER:
			return pgps_sees_all();
		default:
			return true;
	}
}

/* The current names of role and database; the last known ones if dropped */
const char *
pgps_role_name(const PgpsPool *pool)
{
	char	   *name = GetUserNameFromId(pool->key.roleid, true);

	return name ? name : NameStr(pool->usename);
}

const char *
pgps_database_name(const PgpsPool *pool)
{
	char	   *name = OidIsValid(pool->key.dbid) ?
		get_database_name(pool->key.dbid) : NULL;

	return name ? name : NameStr(pool->datname);
}

/* Both, for who needs them for each instance */
PgpsNames
pgps_names(const PgpsPool *pool)
{
	PgpsNames	names;

	names.role = pgps_role_name(pool);
	names.database = pgps_database_name(pool);
	return names;
}

const char *
pgps_source_name(PgpsSource source)
{
	static const char *const names[] = {
		"discovery", "label", "pooler", "report"
	};

	return names[source];
}

/*
 * application_name in the reader's encoding; what cannot be converted is "?"
 */
char *
pgps_printable(const char *text)
{
	char		clean[NAMEDATALEN];

	pgps_clean_text(clean, sizeof(clean), text);
	return pstrdup(clean);
}

/*
 * Text that may be in another database's encoding, as it is if it can be; NULL
 * stays NULL
 */
const char *
pgps_readable(const char *string)
{
	Size		length = string ? strlen(string) : 0;
	char	   *result;

	if (pg_verifymbstr(string, length, true))
		return string;
	result = palloc(length + 1);
	pgps_clean_text(result, length + 1, string);
	return result;
}

/* Add a sentence to some notes. */
void
pgps_note(StringInfo notes, const char *text)
{
	appendStringInfo(notes, "%s%s", notes->len > 0 ? "; " : "", text);
}

/* How one instance is configured: "5+10", "20", "unlimited", "?" */
static char *
instance_config(const PgpsValues *shown)
{
	if (pgps_get(shown, PGPS_UNLIMITED, 0) == 1)
		return "unlimited";
	if (pgps_get(shown, PGPS_MAX_OVERFLOW, 0) > 0 &&
		pgps_known(shown, PGPS_POOL_SIZE))
		return psprintf(INT64_FORMAT "+" INT64_FORMAT,
						shown->value[PGPS_POOL_SIZE],
						shown->value[PGPS_MAX_OVERFLOW]);
	if (pgps_known(shown, PGPS_MAX_SIZE))
		return psprintf(INT64_FORMAT, shown->value[PGPS_MAX_SIZE]);
	return "?";
}

/* Is that the same for both? */
static bool
same_config(const PgpsValues *a, const PgpsValues *b)
{
	static const PgpsField fields[] = {
		PGPS_UNLIMITED, PGPS_MAX_OVERFLOW, PGPS_POOL_SIZE, PGPS_MAX_SIZE
	};
	int			i;

	for (i = 0; i < lengthof(fields); i++)
	{
		if (pgps_get(a, fields[i], -1) != pgps_get(b, fields[i], -1))
			return false;
	}
	return true;
}

/* instances that are configured alike */
typedef struct ConfigKind
{
	char	   *text;
	int			first;			/* its first instance */
	int			count;
} ConfigKind;

static int
compare_kinds(const void *a, const void *b)
{
	const ConfigKind *x = a;
	const ConfigKind *y = b;
	int			order = strcmp(x->text, y->text);

	return order != 0 ? order : x->first - y->first;
}

static int
compare_counts(const void *a, const void *b)
{
	const ConfigKind *x = a;
	const ConfigKind *y = b;

	return x->count != y->count ? y->count - x->count : x->first - y->first;
}

/*
 * How a pool's live instances are configured: "9 x 5+10, 3 x 20", the most
 * frequent first.  Applications say how: there may be as many kinds as
 * instances, of which some are named.
 */
const char *
pgps_pool_config(const PgpsPoolState *pool)
{
	StringInfoData text;
	ConfigKind *kinds = palloc(Max(pool->ninstances, 1) * sizeof(ConfigKind));
	const PgpsValues *last = NULL;
	int			n = 0,
				nkinds = 0,
				i;

	/* those that are next to each other and alike are one to begin with */
	for (i = 0; i < pool->ninstances; i++)
	{
		const PgpsValues *shown = &pool->instances[i]->now.shown;

		CHECK_FOR_INTERRUPTS();
		if (!pool->instances[i]->counts)
			continue;
		if (last == NULL || !same_config(last, shown))
		{
			kinds[n].text = instance_config(shown);
			kinds[n].first = i;
			kinds[n++].count = 0;
		}
		kinds[n - 1].count++;
		last = shown;
	}
	qsort(kinds, n, sizeof(ConfigKind), compare_kinds);
	for (i = 0; i < n; i++)
	{
		if (nkinds > 0 && strcmp(kinds[nkinds - 1].text, kinds[i].text) == 0)
			kinds[nkinds - 1].count += kinds[i].count;
		else
			kinds[nkinds++] = kinds[i];
	}
	qsort(kinds, nkinds, sizeof(ConfigKind), compare_counts);

	initStringInfo(&text);
	for (i = 0; i < Min(nkinds, NAMED_KINDS); i++)
		appendStringInfo(&text, "%s%d x %s", i > 0 ? ", " : "",
						 kinds[i].count, kinds[i].text);
	if (nkinds > NAMED_KINDS)
		appendStringInfo(&text, ", %d others", nkinds - NAMED_KINDS);
	return text.data;
}

/*
 * How many connections of a pool were rejected.  A rejected connection does
 * not have the label of ALTER ROLE yet, so that label is looked up here.
 */
uint64
pgps_pool_rejected(const PgpsPool *pool, const PgpsNames *names,
				   const PgpsRejections *rejections, PgpsRejecter by)
{
	uint64		count = pgps_rejected_by(rejections,
										 pgps_pool_hash(names->role, names->database,
														pool->key.name), by).count;
	uint64		unlabelled = pgps_rejected_by(rejections,
											  pgps_unlabelled_hash(names->role,
																   names->database),
											  by).count;
	char	   *label;

	if (unlabelled == 0)
		return count;
	label = pgps_role_label(pool->key.roleid, pool->key.dbid);
	if (label != NULL && strcmp(label, pool->key.name) == 0)
		count += unlabelled;
	return count;
}

uint64
pgps_instance_rejected(const PgpsInstanceState *state, const PgpsNames *names,
					   const PgpsRejections *rejections)
{
	return pgps_rejected(rejections,
						 pgps_instance_hash(names->role, names->database,
											state->pool->data->key.name,
											state->data->name)).count;
}

/*
 * Of counted time in transactions, the client let so much pass between its
 * statements; -1 = unknown.
 */
double
pgps_idle_in_xact_time(const PgpsCounters *counters)
{
	return pgstat_track_activities ?
		pgps_count(counters, PGPS_IDLE_IN_XACT_TIME, -1) : -1;
}

/* All the rest of it */
double
pgps_active_time(const PgpsCounters *counters)
{
	int64		in_xact = pgps_count(counters, PGPS_IN_XACT_TIME, -1);

	return pgstat_track_activities && in_xact >= 0 ?
		Max(in_xact - pgps_count(counters, PGPS_IDLE_IN_XACT_TIME, 0), 0) : -1;
}
