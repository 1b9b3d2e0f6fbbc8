/*-------------------------------------------------------------------------
 *
 * totals.c
 *	  All that is counted of an instance, or of those a pool has lost.
 *
 * Arithmetic on copies; in the registry, the caller has the lock.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "registry/registry.h"

void
pgps_totals_add(PgpsTotals *sum, const PgpsTotals *more)
{
	int			f;

	for (f = PGPS_FIRST_COUNTER; f < PGPS_NFIELDS; f++)
	{
		if (pgps_known(&more->told, f))
			pgps_set(&sum->told, f,
					 pgps_add_saturated(pgps_get(&sum->told, f, 0),
										more->told.value[f]));
	}
	sum->connects += more->connects;
	sum->disconnects += more->disconnects;
	sum->xacts.xacts += more->xacts.xacts;
	sum->xacts.total_xact_time += more->xacts.total_xact_time;
	sum->xacts.exhausted_count += more->xacts.exhausted_count;
	sum->xacts.exhausted_time += more->xacts.exhausted_time;
}

/* "less" was part of it once: nothing becomes negative. */
static void
subtract(PgpsTotals *rest, const PgpsTotals *less)
{
	int			f;

	for (f = PGPS_FIRST_COUNTER; f < PGPS_NFIELDS; f++)
		rest->told.value[f] -= pgps_get(&less->told, f, 0);
	rest->connects -= less->connects;
	rest->disconnects -= less->disconnects;
	rest->xacts.xacts -= less->xacts.xacts;
	rest->xacts.total_xact_time -= less->xacts.total_xact_time;
	rest->xacts.exhausted_count -= less->xacts.exhausted_count;
	rest->xacts.exhausted_time -= less->xacts.exhausted_time;
}

PgpsTotals
pgps_instance_totals(const PgpsInstanceCopy *instance)
{
	PgpsTotals	totals = {
		.told = instance->data.told,
		.connects = instance->data.connects,
		.disconnects = instance->data.disconnects,
		.xacts = instance->activity.totals
	};

	return totals;
}

/* Make the counters of a copy those that exporters get; see restore.c. */
void
pgps_leave_out_base(PgpsCopy *copy)
{
	int			i;

	for (i = 0; i < copy->npools; i++)
	{
		PgpsPool   *data = &copy->pools[i].data;

		subtract(&data->retired, &data->base);
	}
	for (i = 0; i < copy->ninstances; i++)
	{
		PgpsInstanceCopy *instance = &copy->instances[i];
		PgpsTotals	totals = pgps_instance_totals(instance);

		subtract(&totals, &instance->data.base);
		instance->data.told = totals.told;
		instance->data.connects = totals.connects;
		instance->data.disconnects = totals.disconnects;
		instance->activity.totals = totals.xacts;
	}
}
