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
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "alerts/alerts.h"
#include "alerts/rules.h"
#include "base/settings.h"
#include "base/shmem.h"
#include "registry/patterns.h"
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

static void
put_silence(PgpsRow *row, const PgpsSilence *silence)
{
	PgpsTarget	target;

	pgps_parse_target(&target, silence->target);
	PGPS_PUT_ROW(SILENCE_COLUMNS);
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
	PgpsRow    *row = PGPS_BEGIN_VIEW(SILENCE_COLUMNS);
	PgpsSilences *silences = pgps_silences_copy(GetCurrentTimestamp());
	int			i;

	for (i = 0; i < silences->n; i++)
	{
		const PgpsSilence *silence = &silences->silences[i];

		if (is_operator() || pgps_may_see(silence->owner))
			put_silence(row, silence);
	}
	return (Datum) 0;
}

/*
 * Check an argument: it must be there, fit, and not reach over a line.  Names
 * of roles and databases are compared as bytes, in whatever encoding.
 */
static void
take_text(char *dest, Size size, text *arg, const char *name)
{
	char	   *value = text_to_cstring(arg);
	const char *p;
	bool		plain = true;

	for (p = value; *p != '\0'; p++)
		plain &= (unsigned char) *p >= ' ' && *p != 0x7f;
	if (value[0] == '\0' || strlen(value) >= size || !plain)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid %s: \"%s\"", name, value),
				 errdetail("It must be 1 to %d bytes without control characters.",
						   (int) size - 1)));
	strlcpy(dest, value, size);
}

/* What fits of a remark, in whole characters and on one line */
static void
take_remark(char *dest, Size size, text *arg)
{
	char	   *value = text_to_cstring(arg);
	char	   *p;

	for (p = value; *p != '\0'; p++)
	{
		if ((unsigned char) *p < ' ' || *p == 0x7f)
			*p = '?';
	}
	strlcpy(dest, value,
			Min(size, pg_mbcliplen(value, strlen(value), size - 1) + 1));
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
				 errmsg("invalid for_time: \"%s\"",
						DatumGetCString(DirectFunctionCall1(interval_out,
															IntervalPGetDatum(for_time)))),
				 errdetail("A silence lasts for a time above 0, such as 1 hour.")));
	return until;
}

/* Raise if there was no room. */
static void
complain(PgpsSilenceRoom room, const PgpsSilence *silence)
{
	switch (room)
	{
		case PGPS_SILENCE_HAS_ROOM:
			break;
		case PGPS_SILENCE_ROLE_FULL:
			ereport(ERROR,
					(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
					 errmsg("role \"%s\" has %d silences already",
							NameStr(silence->created_by), PGPS_MAX_OWN_SILENCES),
					 errdetail("Roles outside pg_signal_backend may have %d.",
							   PGPS_MAX_OWN_SILENCES),
					 errhint("End one with pgpool_stats.unsilence(), or silence several rules or pools at once with \"*\".")));
			break;
		case PGPS_SILENCE_FIRSTS_ONLY:
			ereport(ERROR,
					(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
					 errmsg("there is no room for one more silence of role \"%s\"",
							NameStr(silence->created_by)),
					 errdetail("The last of %d places are for other roles that have none.",
							   pgps_max_silences),
					 errhint("End one with pgpool_stats.unsilence(), or raise pgpool_stats.max_silences.")));
			break;
		case PGPS_SILENCE_ALL_FULL:
			ereport(ERROR,
					(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
					 errmsg("there is no room for one more silence"),
					 errdetail("All of %d places are taken, but for those of members of pg_signal_backend.",
							   pgps_max_silences),
					 errhint("Wait until some have ended, or raise pgpool_stats.max_silences.")));
			break;
	}
}

/* silence(rule, pool, for_time, reason) */
Datum
pgps_silence(PG_FUNCTION_ARGS)
{
	PgpsSilence silence = {0};
	TimestampTz now = GetCurrentTimestamp();

	pgps_ensure_loaded();
	PGPS_REQUIRE(0, "rule");
	PGPS_REQUIRE(1, "pool");
	PGPS_REQUIRE(2, "for_time");
	take_text(silence.rule, sizeof(silence.rule), PG_GETARG_TEXT_PP(0), "rule");
	take_text(silence.target, sizeof(silence.target), PG_GETARG_TEXT_PP(1),
			  "pool");
	silence.until = take_end(PG_GETARG_INTERVAL_P(2), now);
	if (!PG_ARGISNULL(3))
		take_remark(silence.reason, sizeof(silence.reason),
					PG_GETARG_TEXT_PP(3));
	if (strcmp(silence.rule, "*") != 0 && pgps_find_rule(silence.rule) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no rule \"%s\"", silence.rule),
				 errhint("See the view pgpool_stats.rules; \"*\" stands for all.")));

	silence.owner = GetUserId();
	silence.everything = is_operator();
	namestrcpy(&silence.created_by, GetUserNameFromId(silence.owner, false));
	silence.created_at = now;
	complain(pgps_silence_add(&silence, now), &silence);
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
