/*-------------------------------------------------------------------------
 *
 * overrides.c
 *	  The setting alert_rules, and the levels that follow from it.
 *
 * Pure: no shared memory, no lock, no clock.  The setting is a list of entries,
 * later ones win:
 *
 *	  rule[@target]: off
 *	  rule[@target]: [warning N] [critical N] [clear N] [for T]
 *
 * An entry that cannot be understood is shown with what is wrong and has no
 * effect: a reload never fails because of it.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "alerts/overrides.h"

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
	char	   *head;
	int			rule;

	entry->text = text;
	entry->rule = text;

	entry->levels.warning = entry->levels.critical = PGPS_NO_LEVEL;
	entry->levels.clear = PGPS_NO_LEVEL;
	entry->levels.for_time = -1;

	if (colon == NULL)
	{
		entry->error = "expected rule[@target]: off, or levels";
		return entry;
	}
	head = pgps_trimmed(text, colon - text);
	at = strchr(head, '@');
	entry->rule = at ? pgps_trimmed(head, at - head) : head;
	if (at != NULL)
	{
		entry->target = pgps_trimmed(at + 1, strlen(at + 1));
		pgps_parse_target(&entry->what, entry->target);
	}
	else
		entry->what.scope = PGPS_SCOPE_POOL;

	rule = pgps_find_rule(entry->rule);
	if (rule < 0 && strcmp(entry->rule, "*") != 0)
		entry->error = psprintf("there is no rule \"%s\"", entry->rule);
	else if (at != NULL && entry->target[0] == '\0')
		entry->error = "nothing follows \"@\"";
	else
		entry->error = parse_levels(entry, pstrdup(colon + 1),
									rule < 0 ? NULL : pgps_rules[rule]->unit);
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
		char	   *text = pgps_trimmed(setting, len);

		if (text[0] != '\0')
			result = lappend(result, parse_override(text));
		setting += len + (setting[len] == ';');
	}
	return result;
}

/* Those of them that are about a rule and can be used */
List *
pgps_overrides_of(int rule, const List *overrides)
{
	List	   *result = NIL;
	const ListCell *lc;

	foreach(lc, overrides)
	{
		PgpsOverride *entry = lfirst(lc);

		if (entry->error == NULL &&
			(strcmp(entry->rule, "*") == 0 ||
			 strcmp(entry->rule, pgps_rules[rule]->name) == 0))
			result = lappend(result, entry);
	}
	return result;
}

/*
 * The levels of a rule for one subject, by the overrides of that rule; what
 * an entry does not say remains.
 */
PgpsLevels
pgps_levels(int rule, const PgpsSubject *subject, const List *overrides)
{
	PgpsLevels	levels = pgps_rules[rule]->levels;
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
pgps_longest_window(int rule, const List *overrides)
{
	int64		window = pgps_rules[rule]->levels.for_time;
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
