/*-------------------------------------------------------------------------
 *
 * causes.c
 *	  The cause of an alert over time.
 *
 * At each pass connections are held up by this or that.  Each kind of cause is
 * summed in connection-seconds for as long as the alert lasts, pending included.
 * The alert shows the one with most of the last minute; another one takes over
 * when it has led for TAKES_OVER.  What was seen of it last stays, also when it
 * is over.
 *
 * Collector only, in its own memory: a new collector begins anew.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "alerts/alerts.h"
#include "alerts/cause.h"
#include "base/clock.h"

#define SLOT_LENGTH (10 * USECS_PER_SEC)
#define SLOTS 6					/* the last minute */
#define TAKES_OVER (10 * USECS_PER_SEC)
#define FIRST_PASS USECS_PER_SEC	/* what the first look stands for */

/* of one kind of cause, connection-seconds */
typedef struct Sum
{
	PgpsCause	cause;			/* as seen last */
	double		total;
	double		recent[SLOTS];
	double		culprits_lead;	/* of its culprit over all others */
} Sum;

/* of one alert */
typedef struct Track
{
	PgpsAlertKey key;
	TimestampTz noted_at;
	int64		slot;			/* number of the newest one */
	PgpsCauseKind shown;
	PgpsCauseKind leader;
	TimestampTz leads_since;
	Sum		   *sums[PGPS_NCAUSES]; /* NULL = never seen */
} Track;

static HTAB *tracks = NULL;
static MemoryContext context = NULL;

static void
make_tracks(void)
{
	HASHCTL		control = {
		.keysize = sizeof(PgpsAlertKey),
		.entrysize = sizeof(Track)
	};

	if (tracks != NULL)
		return;
	context = AllocSetContextCreate(TopMemoryContext, "pgpool_stats causes",
									ALLOCSET_DEFAULT_SIZES);
	control.hcxt = context;
	tracks = hash_create("pgpool_stats causes", 16, &control,
						 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Forget what is older than a minute. */
static void
turn_slots(Track *track, TimestampTz now)
{
	int64		slot = now / SLOT_LENGTH;
	int			kind;

	for (kind = 0; kind < PGPS_NCAUSES; kind++)
	{
		Sum		   *sum = track->sums[kind];
		int64		i;

		if (sum == NULL)
			continue;
		if (slot < track->slot || slot - track->slot >= SLOTS)
			memset(sum->recent, 0, sizeof(sum->recent));
		else
		{
			for (i = track->slot + 1; i <= slot; i++)
				sum->recent[pgps_floor_mod(i, SLOTS)] = 0;
		}
	}
	track->slot = slot;
}

/*
 * Take over what is seen now.  The culprit is the one with most
 * connection-seconds, if any has more than half of them.
 */
static void
note_cause(Sum *sum, const PgpsCause *now, double seconds)
{
	PgpsCause	before = sum->cause;

	sum->cause = *now;
	if (!pgps_party_is_known(&before.culprit))
	{
		sum->culprits_lead = seconds;
		return;
	}
	if (pgps_same_party(&before.culprit, &now->culprit))
	{
		sum->culprits_lead += seconds;
		return;
	}
	if (pgps_party_is_known(&now->culprit))
	{
		sum->culprits_lead -= seconds;
		if (sum->culprits_lead < 0)
		{
			sum->culprits_lead = seconds;
			return;
		}
	}
	sum->cause.looked_at = before.looked_at;
	sum->cause.behind = before.behind;
	sum->cause.culprit = before.culprit;
	sum->cause.state = before.state;
	sum->cause.state_since = before.state_since;
	sum->cause.between = before.between;
}

static double
recent_sum(const Sum *sum)
{
	double		all = 0;
	int			i;

	for (i = 0; sum != NULL && i < SLOTS; i++)
		all += sum->recent[i];
	return all;
}

static void
choose_shown(Track *track, TimestampTz now)
{
	PgpsCauseKind leader = PGPS_CAUSE_NONE;
	int			kind;

	for (kind = 1; kind < PGPS_NCAUSES; kind++)
	{
		if (recent_sum(track->sums[kind]) > recent_sum(track->sums[leader]))
			leader = kind;
	}
	if (recent_sum(track->sums[leader]) == 0)
		return;					/* what it was stays, as something of then */
	if (leader != track->leader)
	{
		track->leader = leader;
		track->leads_since = now;
	}
	if (track->shown == PGPS_CAUSE_NONE ||
		pgps_elapsed(track->leads_since, now) >= TAKES_OVER)
		track->shown = leader;
}

/*
 * Add to an alert what holds its connections up now, by kind, and set its
 * cause.
 */
void
pgps_note_causes(PgpsAlert *alert, const PgpsCause *causes, TimestampTz now)
{
	PgpsAlertKey key;
	Track	   *track;
	double		seconds = FIRST_PASS / (double) USECS_PER_SEC;
	bool		found;
	int			kind;

	make_tracks();
	pgps_alert_key(&key, alert->rule, &alert->subject);
	track = hash_search(tracks, &key, HASH_ENTER, &found);
	if (!found)
	{
		memset((char *) track + sizeof(PgpsAlertKey), 0,
			   sizeof(Track) - sizeof(PgpsAlertKey));
		track->leads_since = now;
	}
	else
		seconds = Min(pgps_elapsed(track->noted_at, now), SLOT_LENGTH) /
			(double) USECS_PER_SEC;
	track->noted_at = now;
	turn_slots(track, now);

	for (kind = 0; kind < PGPS_NCAUSES; kind++)
	{
		double		amount = causes[kind].count * seconds;

		if (causes[kind].count <= 0)
			continue;
		if (track->sums[kind] == NULL)
			track->sums[kind] = MemoryContextAllocZero(context, sizeof(Sum));
		note_cause(track->sums[kind], &causes[kind], amount);
		track->sums[kind]->cause.seen_at = now;
		track->sums[kind]->total += amount;
		track->sums[kind]->recent[pgps_floor_mod(track->slot, SLOTS)] += amount;
	}
	choose_shown(track, now);
	if (track->shown != PGPS_CAUSE_NONE)
		alert->cause = track->sums[track->shown]->cause;
}

/*
 * The cause with most connection-seconds since the alert began; NULL if that is
 * none that we know.
 */
const PgpsCause *
pgps_main_cause(const PgpsAlert *alert, double *seconds)
{
	PgpsAlertKey key;
	const Track *track;
	const Sum  *most = NULL;
	int			kind;

	if (tracks == NULL)
		return NULL;
	pgps_alert_key(&key, alert->rule, &alert->subject);
	track = hash_search(tracks, &key, HASH_FIND, NULL);
	for (kind = 0; track != NULL && kind < PGPS_NCAUSES; kind++)
	{
		const Sum  *sum = track->sums[kind];

		if (sum != NULL && (most == NULL || sum->total > most->total))
			most = sum;
	}
	if (most == NULL || most->cause.kind == PGPS_CAUSE_NONE)
		return NULL;
	*seconds = most->total;
	return &most->cause;
}

/* What was not noted at this pass is over. */
void
pgps_forget_causes(TimestampTz now)
{
	HASH_SEQ_STATUS all;
	Track	   *track;
	int			kind;

	if (tracks == NULL)
		return;
	hash_seq_init(&all, tracks);
	while ((track = hash_seq_search(&all)) != NULL)
	{
		if (track->noted_at == now)
			continue;
		for (kind = 0; kind < PGPS_NCAUSES; kind++)
		{
			if (track->sums[kind] != NULL)
				pfree(track->sums[kind]);
		}
		hash_search(tracks, &track->key, HASH_REMOVE, NULL);
	}
}
