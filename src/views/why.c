/*-------------------------------------------------------------------------
 *
 * why.c
 *	  The alert that says why a pool, or the server, is in trouble.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/hsearch.h"

#include "alerts/cause.h"
#include "alerts/overrides.h"
#include "alerts/rules.h"
#include "base/table.h"
#include "registry/peaks.h"
#include "registry/status.h"
#include "views/why.h"

typedef struct Subject
{
	PgpsSubjectKey key;
	const PgpsAlert *alert;		/* of those that have a cause */
} Subject;

struct PgpsWhy
{
	HTAB	   *subjects;
};

/*
 * Does an alert say more than one that comes before it?  The one about the
 * status that the subject has does, since that is the worst that any rule about
 * a status finds; then one whose cause is still there.
 */
static bool
says_more(const PgpsAlert *alert, const PgpsAlert *than,
		  TimestampTz evaluated_at)
{
	PgpsStatus	status = pgps_rules[alert->rule]->status;
	PgpsStatus	other = pgps_rules[than->rule]->status;

	if (status != other)
		return status > other;
	return alert->cause.seen_at == evaluated_at &&
		than->cause.seen_at != evaluated_at;
}

/* Of all alerts: also what is pending as yet, or silenced */
PgpsWhy *
pgps_find_whys(void)
{
	PgpsWhy    *why = palloc(sizeof(PgpsWhy));
	const PgpsAlerts *alerts = pgps_alerts_copy();
	int			i;

	why->subjects = pgps_make_table("pgpool_stats why", 64,
									sizeof(PgpsSubjectKey), sizeof(Subject));
	for (i = 0; i < alerts->count; i++)
	{
		const PgpsAlert *alert = &alerts->alerts[i];
		PgpsSubjectKey key;
		Subject    *subject;
		bool		found;

		if (alert->cause.kind == PGPS_CAUSE_NONE)
			continue;
		pgps_subject_key(&key, &alert->subject);
		subject = hash_search(why->subjects, &key, HASH_ENTER, &found);
		if (!found ||			/* the worst come first */
			says_more(alert, subject->alert, alerts->evaluated_at))
			subject->alert = alert;
	}
	return why;
}

/* About a pool; about the server for NULL.  Without a cause if none is known */
const PgpsAlert *
pgps_why_of(const PgpsWhy *why, const PgpsPoolKey *pool)
{
	static const PgpsAlert none = {0};
	PgpsSubject about = {.scope = PGPS_SCOPE_SERVER};
	PgpsSubjectKey key;
	const Subject *subject;

	if (pool != NULL)
	{
		about.scope = PGPS_SCOPE_POOL;
		about.roleid = pool->roleid;
		about.dbid = pool->dbid;
		memcpy(about.pool, pool->name, sizeof(about.pool));
	}
	pgps_subject_key(&key, &about);
	subject = hash_search(why->subjects, &key, HASH_FIND, NULL);
	return subject != NULL ? subject->alert : &none;
}
