/*-------------------------------------------------------------------------
 *
 * guc.c
 *	  Defining the settings of pgpool_stats: the only DefineCustom* calls.
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
#include "main/guc.h"
#include "poolers/addresses.h"
#include "poolers/pooler_list.h"
#include "registry/identity.h"

/* known in their files as what their check hooks made of them */
static char *pooler_addresses = "";
static char *poolers = "";

static const struct config_enum_entry track_options[] = {
	{"all", PGPS_TRACK_ALL, false},
	{"labelled", PGPS_TRACK_LABELLED, false},
	{"none", PGPS_TRACK_NONE, false},
	{NULL, 0, false}
};

static void
define_label(const char *name, const char *description, char **variable)
{
	DefineCustomStringVariable(name, description,
							   "Given with the connection string, by ALTER ROLE ... SET or by SET.",
							   variable, "", PGC_USERSET, GUC_REPORT,
							   pgps_check_label, pgps_assign_label, NULL);
}

/*
 * Define all settings.  Those that fix the size of shared memory exist only
 * while the server starts.
 */
void
pgps_define_settings(bool preloading)
{
	if (preloading)
	{
		DefineCustomIntVariable("pgpool_stats.max_pools",
								"Number of pools that are kept.",
								NULL,
								&pgps_max_pools, 512, 8, 65536,
								PGC_POSTMASTER, 0, NULL, NULL, NULL);
		DefineCustomIntVariable("pgpool_stats.max_discovered_pools",
								"Number of pools that are made of connections without a label.",
								"One role may take half of them.",
								&pgps_max_discovered_pools, 128, 2, 65536,
								PGC_POSTMASTER, 0, NULL, NULL, NULL);
		DefineCustomIntVariable("pgpool_stats.max_instances",
								"Number of pool instances without a connection here that are kept.",
								"One for each possible client connection comes on top.",
								&pgps_max_instances, 1024, 8, 262144,
								PGC_POSTMASTER, 0, NULL, NULL, NULL);
		DefineCustomIntVariable("pgpool_stats.max_rejections",
								"Number of rows in the view rejections that are kept.",
								"A row is one origin in one minute.",
								&pgps_max_rejections, 1024, 16, 262144,
								PGC_POSTMASTER, 0, NULL, NULL, NULL);
	}

	DefineCustomIntVariable("pgpool_stats.max_instances_per_role",
							"Number of max_instances that one role may take.",
							"0 means half of them.",
							&pgps_max_instances_per_role, 0, 0, 262144,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("pgpool_stats.track",
							 "Which client connections belong to a pool.",
							 "\"labelled\" leaves out those without the setting pgpool_stats.pool.",
							 &pgps_track, PGPS_TRACK_ALL, track_options,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pgpool_stats.sample_interval",
							"Time between two passes of the collector.",
							NULL,
							&pgps_sample_interval, 1000, 100, 60000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("pgpool_stats.stale_after",
							"Age at which a report is late, at the least.",
							"A report is not late before three times its instance's own interval.",
							&pgps_stale_after, 180, 1, INT_MAX / 1000,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("pgpool_stats.expire_after",
							"Time after which an instance without connection and report is forgotten.",
							"Its counters stay in its pool.",
							&pgps_expire_after, 3600, 1, INT_MAX / 1000,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("pgpool_stats.leak_after",
							"Time without a statement after which a connection that is lent out has leaked.",
							"The same for one that is idle in a transaction.",
							&pgps_leak_after, 600, 1, INT_MAX / 1000,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomStringVariable("pgpool_stats.pooler_addresses",
							   "Addresses and networks from which only connection poolers connect.",
							   "A comma-separated list such as \"10.0.0.5, 10.1.0.0/16\".",
							   &pooler_addresses, "",
							   PGC_SIGHUP, GUC_LIST_INPUT,
							   pgps_check_pooler_addresses,
							   pgps_assign_pooler_addresses, NULL);
	DefineCustomRealVariable("pgpool_stats.target_wait_probability",
							 "Share of checkouts that may have to wait with the size that is suggested.",
							 NULL,
							 &pgps_target_wait_probability, 0.01, 0.000001, 0.5,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pgpool_stats.effective_spindle_count",
							"Disks that can serve requests at once, for the number of connections the server bears.",
							NULL,
							&pgps_effective_spindle_count, 1, 0, 1000,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pgpool_stats.cpu_cores",
							"CPU cores of the server, for the number of connections it bears.",
							"0 means the quota of its control group, or what the system has.",
							&pgps_cpu_cores, 0, 0, 65536,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("pgpool_stats.poolers",
							   "Connection strings of the consoles of connection poolers, to be polled.",
							   "Separated by semicolons; the password is to be in a password or service file.",
							   &poolers, "",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY,
							   pgps_check_poolers, pgps_assign_poolers, NULL);
	DefineCustomIntVariable("pgpool_stats.poll_interval",
							"Time between two polls of a pooler.",
							NULL,
							&pgps_poll_interval, 5000, 100, 3600000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("pgpool_stats.poll_timeout",
							"Time in which a pooler must have answered.",
							NULL,
							&pgps_poll_timeout, 2000, 10, 600000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomBoolVariable("pgpool_stats.save",
							 "Keep pools and counters over a restart.",
							 NULL,
							 &pgps_save, true,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pgpool_stats.save_interval",
							"Time between two saves.",
							"A crash loses what was counted since the last one.",
							&pgps_save_interval, 60, 1, INT_MAX / 1000,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);

	DefineCustomStringVariable("pgpool_stats.alert_rules",
							   "Levels of the alert rules, for all or for some pools and limits.",
							   "Entries such as \"pool_full@nightly-*: off; mean_wait: warning 2s for 10min\"; later ones win.",
							   &pgps_alert_rules, "",
							   PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("pgpool_stats.log_alerts",
							 "Log alerts when they are raised and cleared.",
							 NULL,
							 &pgps_log_alerts, true,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("pgpool_stats.notify_database",
							   "Database in which alerts are sent by NOTIFY.",
							   "The channel is pgpool_stats; empty sends none.",
							   &pgps_notify_database, "",
							   PGC_SIGHUP, 0, NULL, NULL, NULL);

	DefineCustomBoolVariable("pgpool_stats.strict_reports",
							 "Raise an error for whatever a report does not say right.",
							 "For tests of an application; off, such a field is unknown.",
							 &pgps_strict_reports, false,
							 PGC_USERSET, 0, NULL, NULL, NULL);

	define_label("pgpool_stats.pool",
				 "Name of the client pool this connection belongs to.",
				 &pgps_label_pool);
	define_label("pgpool_stats.instance",
				 "Which copy of the pool it is: host:pid of the application.",
				 &pgps_label_instance);
	define_label("pgpool_stats.pool_size",
				 "Configured size of the pool.",
				 &pgps_label_pool_size);
	define_label("pgpool_stats.max_overflow",
				 "Connections the pool may open beyond its size; \"unlimited\" or -1 for any number.",
				 &pgps_label_max_overflow);
	define_label("pgpool_stats.app_version",
				 "Version of the application.",
				 &pgps_label_app_version);
}
