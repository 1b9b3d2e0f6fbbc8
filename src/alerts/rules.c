/*-------------------------------------------------------------------------
 *
 * rules.c
 *	  The alert rules: all of them, in order.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "alerts/rules.h"

const PgpsRule *const pgps_rules[] = {
#define PGPS_RULE(name) &pgps_rule_##name,
#include "alerts/rule_list.h"
#undef PGPS_RULE
};

const int	pgps_nrules = lengthof(pgps_rules);

/* Its number; -1 if there is none of that name. */
int
pgps_find_rule(const char *name)
{
	int			rule;

	for (rule = 0; rule < pgps_nrules; rule++)
	{
		if (strcmp(pgps_rules[rule]->name, name) == 0)
			return rule;
	}
	return -1;
}

const char *
pgps_severity_name(PgpsSeverity severity)
{
	static const char *const names[] = {"ok", "warning", "critical"};

	return names[severity];
}
