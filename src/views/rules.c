/*-------------------------------------------------------------------------
 *
 * rules.c
 *	  The function behind the view rules.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "nodes/pg_list.h"

#include "alerts/overrides.h"
#include "alerts/rules.h"
#include "base/settings.h"
#include "views/row.h"

PG_FUNCTION_INFO_V1(pgps_get_rules);

#define RULE_COLUMNS(C) \
	C(rule, text, entry->rule) \
	C(target, text, entry->target ? entry->target : "*") \
	C(warning, float8, entry->levels.warning) \
	C(critical, float8, entry->levels.critical) \
	C(clear, float8, entry->levels.clear) \
	C(unit, text, unit) \
	C(for_time, interval, entry->levels.for_time) \
	C(enabled, bool, entry->levels.enabled && entry->error == NULL) \
	C(origin, text, origin) \
	C(description, text, entry->text) \
	C(error, text, entry->error)

/* What an entry does not say stays as it was: null. */
static void
put_rule(PgpsRow *row, const PgpsOverride *entry, const char *unit,
		 const char *origin)
{
	PGPS_PUT_ROW(RULE_COLUMNS);
}

/* as if it stood in the setting */
static void
put_default(PgpsRow *row, const PgpsRule *rule)
{
	PgpsOverride entry = {
		.text = rule->description,
		.rule = rule->name,
		.levels = rule->levels
	};

	put_rule(row, &entry, rule->unit, "default");
}

static void
put_override(PgpsRow *row, const PgpsOverride *entry)
{
	int			rule = pgps_find_rule(entry->rule);

	put_rule(row, entry, rule >= 0 ? pgps_rules[rule]->unit : NULL, "setting");
}

Datum
pgps_get_rules(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(RULE_COLUMNS);
	int			rule;
	ListCell   *lc;

	for (rule = 0; rule < pgps_nrules; rule++)
		put_default(row, pgps_rules[rule]);
	foreach(lc, pgps_parse_overrides(pgps_alert_rules))
		put_override(row, lfirst(lc));
	return (Datum) 0;
}
