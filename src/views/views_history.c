/*-------------------------------------------------------------------------
 *
 * views_history.c
 *	  The function behind the view history.
 *
 * Privileges and Datums only, as in views.c.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "analysis/history.h"
#include "base/shmem.h"
#include "views/row.h"
#include "views/views.h"

PG_FUNCTION_INFO_V1(pgps_get_history);

static void
put_bucket(PgpsRow *row, const PgpsPool *pool, PgpsPeriod period,
		   const PgpsBucket *bucket)
{
	pgps_put_text(row, pool->key.name);
	pgps_put_name(row, pgps_database_name(pool));
	pgps_put_name(row, pgps_role_name(pool));
	pgps_put_time(row, bucket->start);
	pgps_put_interval(row, pgps_period_length(period));
	pgps_put_int4(row, bucket->instances);
	pgps_put_int4(row, bucket->min_connections);
	pgps_put_int4(row, bucket->max_connections);
	pgps_put_known4(row, bucket->min_checked_out);
	pgps_put_known4(row, bucket->max_checked_out);
	pgps_put_int4(row, bucket->max_in_xact);
	pgps_put_known4(row, bucket->max_waiting);
	pgps_put_pct(row, bucket->max_used < 0 ? -1 : bucket->max_used / 10.0);
	pgps_put_known8(row, bucket->count[PGPS_COUNT_CHECKOUTS]);
	pgps_put_known8(row, bucket->count[PGPS_COUNT_WAITS]);
	pgps_put_known_ms(row, bucket->count[PGPS_COUNT_WAIT_TIME]);
	pgps_put_known8(row, bucket->count[PGPS_COUNT_TIMEOUTS]);
	pgps_put_known8(row, bucket->count[PGPS_COUNT_ERRORS]);
	pgps_put_known8(row, bucket->count[PGPS_COUNT_CONNECTS]);
	pgps_put_known8(row, bucket->count[PGPS_COUNT_REJECTED]);
	pgps_put_known8(row, bucket->count[PGPS_COUNT_XACTS]);
	pgps_put_known_ms(row, bucket->count[PGPS_COUNT_XACT_TIME]);
	pgps_row_end(row);
}

Datum
pgps_get_history(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	PgpsSnapshot *snapshot;
	PgpsBucket *buckets;
	bool		sees_all;
	int			i,
				b;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo);
	snapshot = pgps_take_snapshot(PGPS_NO_HISTOGRAMS);
	sees_all = pgps_sees_all();
	buckets = palloc(PGPS_NTEN_MINUTES * sizeof(PgpsBucket));
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolView *pool = &snapshot->pools[i];
		PgpsPeriod	period;

		if (!pgps_may_see(pool->data->key.roleid, sees_all))
			continue;
		for (period = 0; period < PGPS_PERIODS; period++)
		{
			int			n = pgps_history_read(pool->copy, period,
											  snapshot->taken_at, buckets);

			for (b = 0; b < n; b++)
				put_bucket(&row, pool->data, period, &buckets[b]);
		}
	}
	return (Datum) 0;
}
