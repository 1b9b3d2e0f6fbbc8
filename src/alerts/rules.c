/*-------------------------------------------------------------------------
 *
 * rules.c
 *	  The alert rules: what they are about, their levels, who is excepted.
 *
 * Pure: no shared memory, no lock, no clock.  How a rule's value is found is
 * in conditions.c and limit_conditions.c.
 *
 * The setting alert_rules is a list of entries, later ones win:
 *
 *	  rule[@target]: off
 *	  rule[@target]: [warning N] [critical N] [clear N] [for T]
 *
 * A target is pool[/database], role/name, database/name, pooler/name or server,
 * where pool and names are globs (*, ?).  An entry that cannot be understood is shown
 * with what is wrong and has no effect: a reload never fails because of it.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"

#include "alerts/rules.h"

#define NONE PGPS_NO_LEVEL
#define MINUTES(n) ((n) * USECS_PER_MINUTE)

/* in the order of PgpsRule; levels: enabled, warning, critical, clear, for */
static const PgpsRuleInfo rules[PGPS_RULES] = {
	{"pool_exhausted", "s", false, {true, 0, 300, NONE, 10 * USECS_PER_SEC},
	"An instance has lent out all it may, and callers wait or it cannot tell; critical at once when callers wait",
	"See what its connections do in the view connections, and leaks; more instances or a larger pool only if the server has room."},
	{"pool_full", "percent", false, {true, 100, NONE, 90, MINUTES(5)},
	"An instance has lent out this share of its maximum, nobody waits yet",
	"Watch waiting and mean_wait_time; raise pool_size if callers begin to wait."},
	{"callers_waiting", "callers", false, {true, 1, NONE, NONE, MINUTES(2)},
	"Callers queue for a connection of an instance",
	"Look for long transactions in the view connections; compare sizing."},
	{"mean_wait", "ms", true, {true, 500, 5000, NONE, MINUTES(5)},
	"Mean time that callers of an instance waited within for_time",
	"Look for long transactions in the view connections; compare sizing."},
	{"timeouts", "timeouts", true, {true, 1, 10, NONE, MINUTES(5)},
	"Callers of an instance gave up within for_time",
	"These were failed requests: see what held the connections in history and connections."},
	{"errors_increasing", "errors", true, {true, 5, NONE, NONE, MINUTES(5)},
	"Failed checkouts and connects of an instance within for_time",
	"See rejections, and the log of the application."},
	{"leak", "connections", false, {true, 1, NONE, NONE, 0},
	"Connections lent out that the server has seen nothing on for leak_after",
	"See the view leaks."},
	{"silent", "s", false, {true, 0, NONE, NONE, 0},
	"An instance works, but its report is late; critical when it holds its maximum",
	"It may be exhausted and unable to report: see its log, and connections."},
	{"over_capacity", "connections", false, {true, 1, NONE, NONE, MINUTES(1)},
	"Connections that an instance holds beyond its maximum",
	"Several pools under one label, or connections made beside the pool."},
	{"unclaimed", "connections", false, {true, 2, NONE, NONE, MINUTES(10)},
	"Connections of an instance that its report does not speak of",
	"Another pool under the same label, or connections that the pool has lost."},
	{"fork_sharing", "instances", false, {true, 1, 1, NONE, 0},
	"Two processes of one host use the same connection",
	"Results go to the wrong process: make the pool after the fork."},
	{"shared_instance", "instances", false, {true, 1, NONE, NONE, 0},
	"Several processes report under one instance name",
	"Give each process an instance of its own, such as host:pid."},
	{"no_pooling", "connections/min", true, {true, 60, NONE, NONE, MINUTES(5)},
	"New connections that hardly run anything, by the minute, within for_time",
	"The application connects anew for every request: use a pool."},
	{"idle_in_transaction", "s", false, {true, 300, NONE, NONE, 0},
	"The oldest connection that waits inside a transaction",
	"It holds its locks and keeps vacuum from cleaning up: see connections and pg_locks."},
	{"refused", "connections", true, {true, 1, 1, NONE, MINUTES(5)},
	"Connections refused by a limit within for_time",
	"See rejections for who, and history for who held the slots then."},
	{"connections", "percent", false, {true, 80, 90, 70, 0},
	"Connections in use of what is usable; of limits below 10 only when used up",
	"See pools ORDER BY connections DESC."},
	{"over_committed", "connections", false, {true, 1, NONE, NONE, MINUTES(1)},
	"Connections that all pools together may ask for beyond what is usable",
	"See budget and sizing: make pools smaller, or put a pooler in between."},
	{"pooler_down", "s", false, {true, NONE, 15, NONE, 0},
	"Time since a polled pooler last answered",
	"See the view poolers for the error. What its clients see is another matter: ask one."},
	{"registry_full", "reports", true, {true, 1, NONE, NONE, MINUTES(5)},
	"Reports and connections without a row of their own within for_time",
	"Raise pgpool_stats.max_pools or max_instances, or let instances have stable names."},
	{"collector_down", "s", false, {true, NONE, 10, NONE, 0},
	"Time since the collector's last pass; at least five sample_intervals",
	"See the server log. Until it is back, the other alerts are not evaluated."}
};

const PgpsRuleInfo *
pgps_rule(PgpsRule rule)
{
	return &rules[rule];
}

bool
pgps_is_rule(const char *name)
{
	PgpsRule	rule;

	for (rule = 0; rule < PGPS_RULES; rule++)
	{
		if (strcmp(rules[rule].name, name) == 0)
			return true;
	}
	return false;
}

const char *
pgps_severity_name(PgpsSeverity severity)
{
	static const char *const names[] = {"ok", "warning", "critical"};

	return names[severity];
}

/*-------------------------------------------------------------------------
 * Targets
 *-------------------------------------------------------------------------
 */

/*
 * "*" stands for any text, "?" for any character; case matters.  Only the
 * last "*" ever has to take more: the time is bounded by the product of the
 * lengths, whatever somebody wrote.
 */
static bool
glob_matches(const char *glob, const char *text)
{
	const char *after_star = NULL;
	const char *taken = NULL;

	while (*text != '\0')
	{
		if (*glob == '*')
		{
			after_star = ++glob;
			taken = text;
		}
		else if (*glob == '?' || *glob == *text)
			glob++, text ++;

		else if (after_star != NULL)
		{
			glob = after_star;
			text = ++taken;
		}
		else
			return false;
	}
	while (*glob == '*')
		glob++;
	return *glob == '\0';
}

/* "text" is kept: it must live as long as the target. */
void
pgps_parse_target(PgpsTarget *target, const char *text)
{
	const char *slash = strchr(text, '/');

	memset(target, 0, sizeof(PgpsTarget));
	target->scope = PGPS_SCOPE_POOL;
	if (strcmp(text, "*") == 0)
		return;
	if (strcmp(text, "server") == 0)
		target->scope = PGPS_SCOPE_SERVER;
	else if (strncmp(text, "role/", 5) == 0)
	{
		target->scope = PGPS_SCOPE_ROLE;
		target->name = text +5;
	}
	else if (strncmp(text, "database/", 9) == 0)
	{
		target->scope = PGPS_SCOPE_DATABASE;
		target->name = text +9;
	}
	else if (strncmp(text, "pooler/", 7) == 0)
	{
		target->scope = PGPS_SCOPE_POOLER;
		target->name = text +7;
	}
	else if (slash != NULL)
	{
		target->name = pnstrdup(text, slash - text);
		target->database = slash + 1;
	}
	else
		target->name = text;
}

/* Of a role or database that is meant, its pools are meant, too. */
bool
pgps_target_matches(const PgpsTarget *target, const PgpsSubject *subject)
{
	if (target->scope == PGPS_SCOPE_POOL)
	{
		if (target->name == NULL)
			return true;
		return subject->scope == PGPS_SCOPE_POOL &&
			glob_matches(target->name, subject->pool) &&
			(target->database == NULL ||
			 glob_matches(target->database, NameStr(subject->datname)));
	}
	if (target->scope == PGPS_SCOPE_SERVER)
		return subject->scope == PGPS_SCOPE_SERVER;
	if (target->scope == PGPS_SCOPE_POOLER)
		return subject->scope == PGPS_SCOPE_POOLER &&
			glob_matches(target->name, subject->pool);
	if (subject->scope != target->scope && subject->scope != PGPS_SCOPE_POOL)
		return false;
	return glob_matches(target->name, target->scope == PGPS_SCOPE_ROLE ?
						NameStr(subject->usename) : NameStr(subject->datname));
}

/*-------------------------------------------------------------------------
 * The setting
 *-------------------------------------------------------------------------
 */

/* A copy without spaces around it */
static char *
trim(const char *text, Size len)
{
	while (len > 0 && isspace((unsigned char) *text))
		text	  ++,
					len--;

	while (len > 0 && isspace((unsigned char) text[len - 1]))
		len--;
	return pnstrdup(text, len);
}

/* Milliseconds of a unit of time; 0 if it is none. */
static double
unit_ms(const char *unit)
{
	static const struct
	{
		const char *unit;
		double		ms;
	}			units[] = {
		{"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000}
	};
	int			i;

	for (i = 0; i < lengthof(units); i++)
	{
		if (strcmp(units[i].unit, unit) == 0)
			return units[i].ms;
	}
	return 0;
}

/*
 * A number with or without a unit, in "unit" (NULL: any).  Returns what is
 * wrong with it, or NULL.
 */
static const char *
parse_number(const char *number, const char *unit, double *value)
{
	char	   *end;

	errno = 0;
	*value = strtod(number, &end);
	if (end == number || errno != 0 || isnan(*value) || *value < 0 ||
		*value > PG_INT32_MAX)
		return psprintf("\"%s\" is not a number", number);
	if (*end == '\0' || unit == NULL || strcmp(end, unit) == 0 ||
		(strcmp(unit, "percent") == 0 && strcmp(end, "%") == 0))
		return NULL;
	if (unit_ms(unit) == 0 || unit_ms(end) == 0)
		return psprintf("\"%s\" is not in %s", number, unit);
	*value *= unit_ms(end) / unit_ms(unit);
	return NULL;
}

/* What is behind the colon; returns what is wrong with it, or NULL. */
static const char *
parse_levels(PgpsOverride *entry, char *text, const char *unit)
{
	char	   *save;
	char	   *word = strtok_r(text, " \t\n", &save);

	if (word == NULL)
		return "expected \"off\", or warning, critical, clear, for";
	if (strcmp(word, "off") == 0)
		return strtok_r(NULL, " \t\n", &save) ? "nothing may follow \"off\"" : NULL;

	entry->levels.enabled = true;
	for (; word != NULL; word = strtok_r(NULL, " \t\n", &save))
	{
		char	   *number = strtok_r(NULL, " \t\n", &save);
		const char *error;
		double		value;

		if (number == NULL)
			return psprintf("nothing follows \"%s\"", word);
		if (strcmp(word, "for") == 0)
		{
			char	   *end;

			errno = 0;
			value = strtod(number, &end);
			if (end == number || errno != 0 || !(value >= 0) ||
				unit_ms(end) == 0 || value * unit_ms(end) > 1e12)
				return psprintf("\"%s\" is not a time such as 90s or 5min", number);
			entry->levels.for_time = value * unit_ms(end) * 1000;
			continue;
		}
		error = parse_number(number, unit, &value);
		if (error != NULL)
			return error;
		if (strcmp(word, "warning") == 0)
			entry->levels.warning = value;
		else if (strcmp(word, "critical") == 0)
			entry->levels.critical = value;
		else if (strcmp(word, "clear") == 0)
			entry->levels.clear = value;
		else
			return psprintf("\"%s\" is none of off, warning, critical, clear, for", word);
	}
	return NULL;
}

static PgpsOverride *
parse_override(const char *text)
{
	PgpsOverride *entry = palloc0(sizeof(PgpsOverride));
	const char *colon = strrchr(text, ':');
	const char *at;
	const char *unit = NULL;
	char	   *head;
	PgpsRule	rule;

	entry->text = text;
	entry->rule = text;

	entry->levels.warning = entry->levels.critical = NONE;
	entry->levels.clear = NONE;
	entry->levels.for_time = -1;

	if (colon == NULL)
	{
		entry->error = "expected rule[@target]: off, or levels";
		return entry;
	}
	head = trim(text, colon - text);
	at = strchr(head, '@');
	entry->rule = at ? trim(head, at - head) : head;
	if (at != NULL)
	{
		entry->target = trim(at + 1, strlen(at + 1));
		pgps_parse_target(&entry->what, entry->target);
	}
	else
		entry->what.scope = PGPS_SCOPE_POOL;

	for (rule = 0; rule < PGPS_RULES; rule++)
	{
		if (strcmp(rules[rule].name, entry->rule) == 0)
			unit = rules[rule].unit;
	}
	if (strcmp(entry->rule, "*") != 0 && unit == NULL)
		entry->error = psprintf("there is no rule \"%s\"", entry->rule);
	else if (at != NULL && entry->target[0] == '\0')
		entry->error = "nothing follows \"@\"";
	else
		entry->error = parse_levels(entry, pstrdup(colon + 1), unit);
	return entry;
}

/* The entries of alert_rules (PgpsOverride), in the current memory context */
List *
pgps_parse_overrides(const char *setting)
{
	List	   *result = NIL;

	while (*setting != '\0')
	{
		Size		len = strcspn(setting, ";");
		char	   *text = trim(setting, len);

		if (text[0] != '\0')
			result = lappend(result, parse_override(text));
		setting += len + (setting[len] == ';');
	}
	return result;
}

/* Those of them that are about a rule and can be used */
List *
pgps_overrides_of(PgpsRule rule, const List *overrides)
{
	List	   *result = NIL;
	const ListCell *lc;

	foreach(lc, overrides)
	{
		PgpsOverride *entry = lfirst(lc);

		if (entry->error == NULL &&
			(strcmp(entry->rule, "*") == 0 ||
			 strcmp(entry->rule, rules[rule].name) == 0))
			result = lappend(result, entry);
	}
	return result;
}

/*
 * The levels of a rule for one subject, by the overrides of that rule; what
 * an entry does not say remains.
 */
PgpsLevels
pgps_levels(PgpsRule rule, const PgpsSubject *subject, const List *overrides)
{
	PgpsLevels	levels = rules[rule].levels;
	const ListCell *lc;

	foreach(lc, overrides)
	{
		const PgpsOverride *entry = lfirst(lc);

		if (!pgps_target_matches(&entry->what, subject))
			continue;
		levels.enabled = entry->levels.enabled;
		if (entry->levels.warning >= 0)
			levels.warning = entry->levels.warning;
		if (entry->levels.critical >= 0)
			levels.critical = entry->levels.critical;
		if (entry->levels.clear >= 0)
			levels.clear = entry->levels.clear;
		if (entry->levels.for_time >= 0)
			levels.for_time = entry->levels.for_time;
	}
	return levels;
}

/* The longest time, in microseconds, that a windowed rule looks back */
int64
pgps_longest_window(PgpsRule rule, const List *overrides)
{
	int64		window = rules[rule].levels.for_time;
	int64		longest = 0;	/* of the exceptions */
	const ListCell *lc;

	foreach(lc, pgps_overrides_of(rule, overrides))
	{
		const PgpsOverride *entry = lfirst(lc);

		if (entry->levels.for_time >= 0 && entry->target == NULL)
			window = entry->levels.for_time;
		else if (entry->levels.for_time >= 0)
			longest = Max(longest, entry->levels.for_time);
	}
	return Max(longest, window);
}
