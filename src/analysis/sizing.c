/*-------------------------------------------------------------------------
 *
 * sizing.c
 *	  How many connections a pool needs.
 *
 * Little's law: callers per second, times how long each has a connection, is
 * the number of connections that are lent out on average, whatever the
 * distributions.  Erlang C is the probability that a caller finds all of them
 * lent out, if callers come at random and the times of use are distributed
 * exponentially.  Callers that come all at once need more, so the suggestion
 * is never below the most that were lent out at once.
 *
 * Instances do not share connections, so each is sized by itself: what counts
 * are the busiest ten minutes of the busiest instance in a day.  Without a
 * report only the time in transactions is known.  That gives a lower bound, as
 * connections are also held between transactions.
 *
 * Pure functions: no shared memory, no lock, no clock.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "analysis/sizing.h"
#include "base/settings.h"

/* about a day: the history has no more, and a restart may cost some of it */
#define ENOUGH (23 * USECS_PER_HOUR + 30 * USECS_PER_MINUTE)

/* a bucket that was watched for less is not representative */
#define SHORT_WATCH USECS_PER_MINUTE

/*
 * The next step of the recursion for Erlang B: the probability that all of so
 * many connections are lent out if nobody waits, from that of one less.
 */
static inline double
erlang_b(double b, int connections, double load)
{
	return load * b / (connections + load * b);
}

/* Erlang C from Erlang B */
static inline double
erlang_c(double b, int connections, double load)
{
	double		use = load / connections;

	return use >= 1 ? 1 : b / (1 - use * (1 - b));
}

/*
 * Probability that a caller has to wait, with so many connections of which
 * "load" are lent out on average; -1 if that is more than any server has.
 * With more connections than that nobody waits, long before the last of them
 * is counted: both numbers are only reported.
 */
double
pgps_wait_probability(int connections, double load)
{
	double		b = 1;
	int			c;

	if (load >= connections)
		return 1;
	if (!(load <= PGPS_MAX_CONNECTIONS))
		return -1;
	for (c = 1; c <= connections && b > 0; c++)
	{
		CHECK_FOR_INTERRUPTS();
		b = erlang_b(b, c, load);
	}
	return erlang_c(b, connections, load);
}

/*
 * The fewest connections with which the probability to wait is at most this;
 * -1 if no server has them.
 */
static int
connections_for(double load, double probability)
{
	double		b = 1;
	int			c;

	for (c = 1; c <= PGPS_MAX_CONNECTIONS && load <= PGPS_MAX_CONNECTIONS; c++)
	{
		CHECK_FOR_INTERRUPTS();
		b = erlang_b(b, c, load);
		if (erlang_c(b, c, load) <= probability)
			return c;
	}
	return -1;
}

static int
compare_ints(const void *a, const void *b)
{
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	return (x > y) - (x < y);
}

/*
 * Is the load of a bucket known by this basis?  Without an instance there was
 * no load.
 */
static bool
is_load_known(const PgpsBucket *bucket, PgpsBasis basis)
{
	return bucket->instances == 0 || bucket->busiest[basis].load >= 0;
}

/* The basis is the client if the pool still reports, else the server. */
static PgpsBasis
choose_basis(const PgpsBucket *buckets, int nbuckets)
{
	int			i;

	for (i = nbuckets - 1; i >= 0; i--)
	{
		if (buckets[i].instances > 0 && buckets[i].watched > 0)
			return buckets[i].busiest[PGPS_BASIS_CLIENT].load >= 0 ?
				PGPS_BASIS_CLIENT : PGPS_BASIS_SERVER;
	}
	return PGPS_BASIS_SERVER;
}

/* Work out the figures from the last day and the week's peak. */
void
pgps_work_out_sizing(PgpsSizing *sizing, const PgpsBucket *buckets,
					 int nbuckets, int peak)
{
	const PgpsBusy *busiest = NULL;
	int		   *peaks = palloc(Max(nbuckets, 1) * sizeof(int));
	int			npeaks = 0;
	int			i;

	memset(sizing, 0, sizeof(PgpsSizing));
	sizing->basis = choose_basis(buckets, nbuckets);
	sizing->load = sizing->arrivals = sizing->mean_use = -1;
	sizing->wait_probability = -1;
	sizing->cap = sizing->p99 = sizing->suggested = -1;
	sizing->peak = peak;

	for (i = 0; i < nbuckets; i++)
	{
		if (!is_load_known(&buckets[i], sizing->basis))
			continue;
		sizing->observed += buckets[i].watched;
		sizing->peak = Max(sizing->peak, buckets[i].max_lent);
		peaks[npeaks++] = buckets[i].max_lent;
	}
	sizing->enough = sizing->observed >= ENOUGH;
	for (i = 0; i < nbuckets; i++)
	{
		const PgpsBusy *load = &buckets[i].busiest[sizing->basis];

		if (load->load >= 0 && buckets[i].instances > 0 &&
			(buckets[i].watched >= SHORT_WATCH || !sizing->enough) &&
			(busiest == NULL || load->load > busiest->load))
			busiest = load;
	}
	if (npeaks > 0)
	{
		qsort(peaks, npeaks, sizeof(int), compare_ints);
		sizing->p99 = peaks[(int) ceil(npeaks * 0.99) - 1];
	}
	pfree(peaks);
	if (busiest == NULL)
		return;

	sizing->load = busiest->load;
	sizing->arrivals = busiest->arrivals;
	sizing->cap = busiest->cap;
	if (sizing->arrivals > 0)
		sizing->mean_use = 1000 * sizing->load / sizing->arrivals;
	if (!sizing->enough)
		return;
	if (sizing->cap > 0)
		sizing->wait_probability = pgps_wait_probability(sizing->cap, sizing->load);
	sizing->suggested = connections_for(sizing->load,
										pgps_target_wait_probability);
	if (sizing->suggested > 0)
		sizing->suggested = Max(sizing->suggested, sizing->peak);
}

/* The advice: one sentence with the figures that it follows from */
char *
pgps_sizing_advice(const PgpsSizing *sizing)
{
	bool		client = sizing->basis == PGPS_BASIS_CLIENT;
	StringInfoData text;

	if (sizing->no_history)
		return "no history is kept of it: see pgpool_stats.history_pools";
	if (!sizing->enough)
		return psprintf("too early: %d of 24 h",
						(int) (sizing->observed / USECS_PER_HOUR));
	if (sizing->load < 0)
		return "no instance in the last 24 h";
	if (sizing->suggested < 0)
		return psprintf("%.3g connections in use on average are more than a server can have",
						sizing->load);

	initStringInfo(&text);
	appendStringInfoString(&text, "in the busiest 10 min ");
	if (sizing->mean_use >= 0)
		appendStringInfo(&text, "%.3g %s/s of %.3g ms each are ",
						 sizing->arrivals, client ? "checkouts" : "transactions",
						 sizing->mean_use);
	appendStringInfo(&text, "%.3g %s on average", sizing->load,
					 client ? "lent out" : "in transactions");
	if (sizing->cap > 0)
		appendStringInfo(&text, ", of %d, where P(wait) is %.2g", sizing->cap,
						 sizing->wait_probability);
	appendStringInfo(&text, "; at most %d at once: ", sizing->peak);
	if (!client)
		appendStringInfo(&text, "at least %d per instance, more if connections are held between transactions",
						 sizing->suggested);
	else if (sizing->cap < 0 || sizing->suggested == sizing->cap)
		appendStringInfo(&text, "%d per instance %s", sizing->suggested,
						 sizing->cap < 0 ? "are enough" : "are right");
	else
		appendStringInfo(&text, "%d per instance %s", sizing->suggested,
						 sizing->suggested > sizing->cap ? "are needed" : "are enough");
	return text.data;
}
