/*-------------------------------------------------------------------------
 *
 * guc.c
 *	  The settings of pgpool_stats and their variables: the only
 *	  DefineCustom* calls.
 *
 * The prefix is not reserved with MarkGUCPrefixReserved().  Labels come with
 * the connection string, and with a reserved prefix a typo there, or a label
 * that only a newer version knows, would be a rejected connection.
 *
 * For the same reason all labels are strings: an integer setting rejects the
 * connection on an empty value before any hook of ours runs.  What is not
 * usable in a label is repaired where it is read (registry/identity.c).
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "utils/guc.h"

#include "base/settings.h"
#include "main/main.h"
#include "poolers/pooler_list.h"
#include "registry/identity.h"
#include "registry/pool_limits.h"

#define INT_VARIABLE(name, by_default, ...) int pgps_##name = by_default;
#define BOOL_VARIABLE(name, by_default, ...) bool pgps_##name = by_default;
#define LABEL_VARIABLE(name, ...) char *pgps_label_##name = "";
PGPS_INT_SETTINGS(INT_VARIABLE)
PGPS_BOOL_SETTINGS(BOOL_VARIABLE)
PGPS_LABELS(LABEL_VARIABLE)

int			pgps_track = PGPS_TRACK_ALL;
double		pgps_target_wait_probability = 0.01;
char	   *pgps_alert_rules = "";
char	   *pgps_notify_database = "";
char	   *pgps_name_servers = "";
const char *pgps_placed_by = NULL;

/* raw texts; what their check hooks parsed is kept in the hooks' own files */
static char *pooler_addresses = "";
static char *poolers = "";
static char *pool_limits = "";

static const struct config_enum_entry track_options[] = {
	{"all", PGPS_TRACK_ALL, false},
	{"labelled", PGPS_TRACK_LABELLED, false},
	{"none", PGPS_TRACK_NONE, false},
	{NULL, 0, false}
};

/* Those that fix the size of shared memory exist only while it starts. */
#define DEFINE_INT(name, by_default, least, most, context, unit, what, more) \
	if (preloading || context != PGC_POSTMASTER) \
		DefineCustomIntVariable("pgpool_stats." #name, what, more, \
								&pgps_##name, by_default, least, most, \
								context, unit, NULL, NULL, NULL);

#define DEFINE_BOOL(name, by_default, context, what, more) \
	DefineCustomBoolVariable("pgpool_stats." #name, what, more, \
							 &pgps_##name, by_default, \
							 context, 0, NULL, NULL, NULL);

#define DEFINE_LABEL(name, what) \
	DefineCustomStringVariable("pgpool_stats." #name, what, \
							   "Given with the connection string, by ALTER ROLE ... SET or by SET.", \
							   &pgps_label_##name, "", PGC_USERSET, GUC_REPORT, \
							   pgps_check_label, pgps_assign_label, NULL);

/* "preloading": while the server starts */
void
pgps_define_settings(bool preloading)
{
	PGPS_INT_SETTINGS(DEFINE_INT);
	PGPS_BOOL_SETTINGS(DEFINE_BOOL);
	PGPS_LABELS(DEFINE_LABEL);
	DefineCustomEnumVariable("pgpool_stats.track",
							 "Which client connections belong to a pool.",
							 "\"labelled\" leaves out those without the setting pgpool_stats.pool, \"none\" all: pool_limits refuses none of them. "
							 "Holds for new connections; older ones stay until their label or application_name changes.",
							 &pgps_track, pgps_track, track_options,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("pgpool_stats.target_wait_probability",
							 "Share of checkouts that may have to wait with the sizes suggested in the view sizing.",
							 NULL,
							 &pgps_target_wait_probability,
							 pgps_target_wait_probability, 0.000001, 0.5,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("pgpool_stats.pooler_addresses",
							   "Addresses and networks from which only connection poolers connect.",
							   "A comma-separated list such as \"10.0.0.5, 10.1.0.0/16\".",
							   &pooler_addresses, "",
							   PGC_SIGHUP, GUC_LIST_INPUT,
							   pgps_check_pooler_addresses,
							   pgps_assign_pooler_addresses, NULL);
	DefineCustomStringVariable("pgpool_stats.poolers",
							   "Connection strings of the consoles of connection poolers, to be polled.",
							   "Separated by semicolons; the password belongs in a password or service file.",
							   &poolers, "",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY,
							   pgps_check_poolers, pgps_assign_poolers, NULL);
	DefineCustomStringVariable("pgpool_stats.name_servers",
							   "Name servers that know the hosts of poolers.",
							   "A comma-separated list such as \"10.0.0.2, 127.0.0.1:8600\"; empty means those of /etc/resolv.conf.",
							   &pgps_name_servers, "",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	DefineCustomStringVariable("pgpool_stats.alert_rules",
							   "Levels of the alert rules, for all or for some pools and limits.",
							   "Entries such as \"pool_full@nightly-*: off; mean_wait: warning 2s for 10min\"; later ones win.",
							   &pgps_alert_rules, "",
							   PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("pgpool_stats.pool_limits",
							   "Connections that a pool may have, by pools, roles or databases.",
							   "Entries such as \"nightly-*: 20; reports/shop: warn 10\"; later ones win. Beyond a number without warn, connections are refused.",
							   &pool_limits, "",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY,
							   pgps_check_pool_limits, pgps_assign_pool_limits,
							   NULL);
	DefineCustomStringVariable("pgpool_stats.notify_database",
							   "Database in which alerts are sent by NOTIFY.",
							   "The channel is pgpool_stats; empty sends none.",
							   &pgps_notify_database, "",
							   PGC_SIGHUP, 0, NULL, NULL, NULL);
}
