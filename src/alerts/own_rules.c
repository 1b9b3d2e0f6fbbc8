/*-------------------------------------------------------------------------
 *
 * own_rules.c
 *	  Alert rules about this extension: a registry without room, a collector
 *	  that is down.
 *
 * Levels are written as enabled, warning, critical, clear, for_time.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"

#include "alerts/alerts.h"
#include "alerts/findings.h"
#include "alerts/overrides.h"
#include "alerts/rules.h"
#include "base/settings.h"
#include "registry/peaks.h"
#include "registry/registry.h"

#define COLLECTOR_PASSES 5		/* that may be missed */

static void
look_at_overflow(PgpsLook *look)
{
	PgpsFinding found = {0};
	PgpsLevels	levels;

	found.subject = pgps_make_subject(PGPS_SCOPE_SERVER, NULL);
	levels = pgps_levels(look->rule, found.subject, look->overrides);
	found.value = pgps_overflow_rise(look->now - levels.for_time);
	if (found.value > 0)
		pgps_add_finding(look, &found);
}

const PgpsRule pgps_rule_registry_full = {
	.name = "registry_full",
	.unit = "reports",
	.windowed = true,
	.levels = {true, 1, PGPS_NO_LEVEL, PGPS_NO_LEVEL, 5 * USECS_PER_MINUTE},
	.trends = PGPS_TREND_OVERFLOWED,
	.about = "registry full",
	.description = "Reports and connections without a row of their own within for_time",
	.hint = "Raise pgpool_stats.max_pools, max_discovered_pools or max_instances, or let pools and instances have stable names.",
	.look = look_at_overflow,
	.sentence = "%.0f reports or connections without a row in the last %s",
	.sentence_of_one = "%.0f report or connection without a row in the last %s"
};

/* The collector cannot report itself: see pgps_collector_alert(). */
const PgpsRule pgps_rule_collector_down = {
	.name = "collector_down",
	.unit = "s",
	.levels = {true, PGPS_NO_LEVEL, 10, PGPS_NO_LEVEL, 0},
	.description = "Time since the collector's last pass; at least five sample_intervals",
	.hint = "See the server log. Until it is back, the other alerts are not evaluated."
};

/* Is it down?  Worked out by whoever looks at the alerts. */
bool
pgps_collector_alert(PgpsAlert *alert, TimestampTz now)
{
	PgpsRegistryInfo info;
	PgpsLevels	levels;
	TimestampTz last;

	pgps_registry_info(&info);
	memset(alert, 0, sizeof(PgpsAlert));
	alert->rule = pgps_find_rule(pgps_rule_collector_down.name);
	alert->subject.scope = PGPS_SCOPE_SERVER;
	levels = pgps_levels(alert->rule, &alert->subject,
						 pgps_overrides_of(alert->rule,
										   pgps_parse_overrides(pgps_alert_rules)));
	last = Max(info.last_pass, info.started_at);
	alert->value = Max(now - last, 0) / (double) USECS_PER_SEC;
	alert->threshold = Max(levels.critical,
						   COLLECTOR_PASSES * pgps_sample_interval / 1000.0);
	alert->severity = PGPS_SEVERITY_CRITICAL;
	alert->firing = true;
	alert->since = last;
	snprintf(alert->message, PGPS_MESSAGE_LEN,
			 "pgpool_stats collector: no pass for %s",
			 pgps_duration_text(now - last));
	return levels.enabled && alert->value > alert->threshold;
}
