/*-------------------------------------------------------------------------
 *
 * silences.c
 *	  The function behind the view silences; silence() and unsilence().
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "alerts/rules.h"
#include "alerts/silences.h"
#include "base/shmem.h"
#include "views/row.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_silences);
PG_FUNCTION_INFO_V1(pgps_silence);
PG_FUNCTION_INFO_V1(pgps_unsilence);

#define SILENCE_COLUMNS(C) \
	C(id, int4, silence->id) \
	C(rule, text, silence->rule) \
	C(pool, text, target.database ? target.name : silence->target) \
	C(datname, text, target.database) \
	C(until, time, silence->until) \
	C(reason, text, silence->reason) \
	C(created_by, name, NameStr(silence->created_by)) \
	C(created_at, time, silence->created_at)

static const PgpsColumn silence_columns[] = {SILENCE_COLUMNS(PGPS_COLUMN)};

static void
put_silence(PgpsRow *row, const PgpsSilence *silence)
{
	PgpsTarget	target;

	pgps_parse_target(&target, silence->target);
	SILENCE_COLUMNS(PGPS_PUT);
	pgps_row_end(row);
}

/* May the caller silence everything? */
static bool
is_operator(void)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_SIGNAL_BACKEND);
}

Datum
pgps_get_silences(PG_FUNCTION_ARGS)
{
	PgpsSilence *silences;
	PgpsRow		row;
	bool		sees_all;
	int			n;
	int			i;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo, silence_columns, lengthof(silence_columns));
	silences = palloc(PGPS_MAX_SILENCES * sizeof(PgpsSilence));
	n = pgps_silences_copy(silences, GetCurrentTimestamp());
	sees_all = pgps_sees_all() || is_operator();
	for (i = 0; i < n; i++)
	{
		if (pgps_may_see(silences[i].owner, sees_all))
			put_silence(&row, &silences[i]);
	}
	return (Datum) 0;
}

/* An argument that must be there, fit and be printable */
static void
take_text(char *dest, Size size, text *arg, const char *name)
{
	char	   *value = text_to_cstring(arg);

	pgps_clean_text(dest, size, value);
	if (value[0] == '\0' || strcmp(dest, value) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid %s: \"%s\"", name, value),
				 errdetail("It must be 1 to %d printable ASCII characters.",
						   (int) size - 1)));
}

static TimestampTz
take_end(Interval *for_time, TimestampTz now)
{
	TimestampTz until = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
																TimestampTzGetDatum(now),
																IntervalPGetDatum(for_time)));

	if (until <= now || TIMESTAMP_NOT_FINITE(until))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("for_time must be longer than 0 and finite")));
	return until;
}

/* silence(rule, pool, for_time, reason) */
Datum
pgps_silence(PG_FUNCTION_ARGS)
{
	PgpsSilence silence = {0};
	TimestampTz now = GetCurrentTimestamp();
	char	   *reason = "";
	int			i;

	pgps_ensure_loaded();
	for (i = 0; i < 3; i++)
	{
		static const char *const names[] = {"rule", "pool", "for_time"};

		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", names[i])));
	}
	take_text(silence.rule, sizeof(silence.rule), PG_GETARG_TEXT_PP(0), "rule");
	take_text(silence.target, sizeof(silence.target), PG_GETARG_TEXT_PP(1),
			  "pool");
	silence.until = take_end(PG_GETARG_INTERVAL_P(2), now);
	if (!PG_ARGISNULL(3))
		reason = text_to_cstring(PG_GETARG_TEXT_PP(3));
	pgps_clean_text(silence.reason, sizeof(silence.reason), reason);
	if (strcmp(silence.rule, "*") != 0 && pgps_find_rule(silence.rule) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no rule \"%s\"", silence.rule),
				 errhint("See the view pgpool_stats.rules; \"*\" stands for all.")));

	silence.owner = GetUserId();
	silence.everything = is_operator();
	namestrcpy(&silence.created_by, GetUserNameFromId(silence.owner, false));
	silence.created_at = now;
	silence.id = pgps_silence_add(&silence, now);
	if (silence.id == 0)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("there are %d silences already",
						silence.everything ? PGPS_MAX_SILENCES :
						PGPS_MAX_OWN_SILENCES),
				 errhint("End one with pgpool_stats.unsilence().")));
	PG_RETURN_INT32(silence.id);
}

/* unsilence(id): one's own, or any for those who may silence everything */
Datum
pgps_unsilence(PG_FUNCTION_ARGS)
{
	int32		id = PG_GETARG_INT32(0);

	pgps_ensure_loaded();
	if (!pgps_silence_end(id, is_operator() ? InvalidOid : GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no silence %d of yours", id),
				 errhint("See the view pgpool_stats.silences.")));
	PG_RETURN_VOID();
}
