/*-------------------------------------------------------------------------
 *
 * acts.c
 *	  What somebody did to a pool, until the collector takes it.
 *
 * A small table in shared memory under PGPS_ACTS_LOCK.  Whoever ends
 * connections leaves word; the collector's next pass makes incidents of it.
 * The pools of one role have half of the places at most; what has none is
 * counted, and is in the server log all the same.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/lwlock.h"
#include "utils/timestamp.h"

#include "alerts/acts.h"
#include "alerts/alerts.h"
#include "base/shmem.h"

#define PLACES 32

typedef struct Word
{
	PgpsAct		act;
	PgpsSubject subject;
	TimestampTz at;
	int			count;
	char		message[PGPS_MESSAGE_LEN];
} Word;

typedef struct Words
{
	int			n;
	int64		left_out;		/* since the server started */
	Word		words[PLACES];
} Words;

static Words *shared = NULL;

Size
pgps_acts_size(void)
{
	return sizeof(Words);
}

/* The area is zeroed: nobody did anything. */
void
pgps_acts_init(void *area, bool found)
{
	shared = area;
}

const char *
pgps_act_name(PgpsAct act)
{
	return act == PGPS_ACT_TERMINATE ? "terminate" : "drain";
}

/* Caller holds the lock. */
static bool
has_room(Oid roleid)
{
	int			own = 0;
	int			i;

	for (i = 0; i < shared->n; i++)
		own += shared->words[i].subject.roleid == roleid;
	return shared->n < PLACES && own < PLACES / 2;
}

/* "count" connections were ended. */
void
pgps_add_act(PgpsAct act, const PgpsSubject *subject, int count,
			 const char *message)
{
	TimestampTz now = GetCurrentTimestamp();

	pgps_acquire(PGPS_ACTS_LOCK, LW_EXCLUSIVE);
	if (has_room(subject->roleid))
	{
		Word	   *word = &shared->words[shared->n++];

		word->act = act;
		word->subject = *subject;
		word->at = now;
		word->count = count;
		strlcpy(word->message, message, sizeof(word->message));
	}
	else
		shared->left_out++;
	pgps_release(PGPS_ACTS_LOCK);
}

int64
pgps_acts_left_out(void)
{
	int64		left_out;

	pgps_acquire(PGPS_ACTS_LOCK, LW_SHARED);
	left_out = shared->left_out;
	pgps_release(PGPS_ACTS_LOCK);
	return left_out;
}

/* Take the words that were left, as alerts that fire. */
List *
pgps_take_acts(void)
{
	PgpsAlert  *taken;
	List	   *result = NIL;
	int			n;
	int			i;

	if (shared->n == 0)
		return NIL;
	taken = palloc0(PLACES * sizeof(PgpsAlert));
	pgps_acquire(PGPS_ACTS_LOCK, LW_EXCLUSIVE);
	n = shared->n;
	for (i = 0; i < n; i++)
	{
		const Word *word = &shared->words[i];

		taken[i].rule = PGPS_RULE_OF_ACT(word->act);
		taken[i].subject = word->subject;
		taken[i].firing = true;
		taken[i].since = word->at;
		taken[i].value = word->count;
		memcpy(taken[i].message, word->message, PGPS_MESSAGE_LEN);
	}
	shared->n = 0;
	pgps_release(PGPS_ACTS_LOCK);
	for (i = 0; i < n; i++)
		result = lappend(result, &taken[i]);
	return result;
}
