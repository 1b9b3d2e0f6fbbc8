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
#include "main/main.h"
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

/*
 * Each is pgps_NAME in base/settings.h, which has its default.  Behind the
 * name stand least and most, context, unit, and what it is in one sentence
 * and, perhaps, a second.
 */
#define INT_SETTINGS(S) \
	S(max_pools, 8, 65536, PGC_POSTMASTER, 0, "Number of pools that are kept.", NULL) \
	S(max_instances, 8, 262144, PGC_POSTMASTER, 0, "Number of pool instances without a connection here that are kept.", "One for each possible client connection comes on top.") \
	S(max_rejections, 16, 262144, PGC_POSTMASTER, 0, "Number of rows in the view rejections that are kept.", "A row is one origin in one minute.") \
	S(max_instances_per_role, 0, 262144, PGC_SIGHUP, 0, "Number of max_instances that one role may take.", "0 means half of them.") \
	S(sample_interval, 100, 60000, PGC_SIGHUP, GUC_UNIT_MS, "Time between two passes of the collector.", NULL) \
	S(stale_after, 1, INT_MAX / 1000, PGC_SIGHUP, GUC_UNIT_S, "Age at which a report is late, at the least.", "A report is not late before three times its instance's own interval.") \
	S(expire_after, 1, INT_MAX / 1000, PGC_SIGHUP, GUC_UNIT_S, "Time after which an instance without connection and report is forgotten.", "Its counters stay in its pool.") \
	S(leak_after, 1, INT_MAX / 1000, PGC_SIGHUP, GUC_UNIT_S, "Time without a statement after which a connection that is lent out has leaked.", "The same for one that is idle in a transaction.") \
	S(effective_spindle_count, 0, 1000, PGC_SIGHUP, 0, "Disks that can serve requests at once, for the number of connections the server bears.", NULL) \
	S(cpu_cores, 0, 65536, PGC_SIGHUP, 0, "CPU cores of the server, for the number of connections it bears.", "0 means the quota of its control group, or what the system has.") \
	S(poll_interval, 100, 3600000, PGC_SIGHUP, GUC_UNIT_MS, "Time between two polls of a pooler.", NULL) \
	S(poll_timeout, 10, 600000, PGC_SIGHUP, GUC_UNIT_MS, "Time in which a pooler must have answered.", NULL) \
	S(save_interval, 1, INT_MAX / 1000, PGC_SIGHUP, GUC_UNIT_S, "Time between two saves.", "A crash loses what was counted since the last one.")

#define BOOL_SETTINGS(S) \
	S(save, PGC_SIGHUP, "Keep pools and counters over a restart.", NULL) \
	S(log_alerts, PGC_SIGHUP, "Log alerts when they are raised and cleared.", NULL) \
	S(strict_reports, PGC_USERSET, "Raise an error for whatever a report does not say right.", "For tests of an application; off, such a field is unknown.")

/* given with the connection string, each pgps_label_NAME */
#define LABELS(S) \
	S(pool, "Name of the client pool this connection belongs to.") \
	S(instance, "Which copy of the pool it is: host:pid of the application.") \
	S(pool_size, "Configured size of the pool.") \
	S(max_overflow, "Connections the pool may open beyond its size; \"unlimited\" or -1 for any number.") \
	S(app_version, "Version of the application.")

/* Those that fix the size of shared memory exist only while it starts. */
#define DEFINE_INT(name, least, most, context, unit, what, more) \
	if (preloading || context != PGC_POSTMASTER) \
		DefineCustomIntVariable("pgpool_stats." #name, what, more, \
								&pgps_##name, pgps_##name, least, most, \
								context, unit, NULL, NULL, NULL);

#define DEFINE_BOOL(name, context, what, more) \
	DefineCustomBoolVariable("pgpool_stats." #name, what, more, \
							 &pgps_##name, pgps_##name, \
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
	INT_SETTINGS(DEFINE_INT);
	BOOL_SETTINGS(DEFINE_BOOL);
	LABELS(DEFINE_LABEL);
	DefineCustomEnumVariable("pgpool_stats.track",
							 "Which client connections belong to a pool.",
							 "\"labelled\" leaves out those without the setting pgpool_stats.pool.",
							 &pgps_track, PGPS_TRACK_ALL, track_options,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("pgpool_stats.target_wait_probability",
							 "Share of checkouts that may have to wait with the size that is suggested.",
							 NULL,
							 &pgps_target_wait_probability, 0.01, 0.000001, 0.5,
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
							   "Separated by semicolons; the password is to be in a password or service file.",
							   &poolers, "",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY,
							   pgps_check_poolers, pgps_assign_poolers, NULL);
	DefineCustomStringVariable("pgpool_stats.alert_rules",
							   "Levels of the alert rules, for all or for some pools and limits.",
							   "Entries such as \"pool_full@nightly-*: off; mean_wait: warning 2s for 10min\"; later ones win.",
							   &pgps_alert_rules, "",
							   PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("pgpool_stats.notify_database",
							   "Database in which alerts are sent by NOTIFY.",
							   "The channel is pgpool_stats; empty sends none.",
							   &pgps_notify_database, "",
							   PGC_SIGHUP, 0, NULL, NULL, NULL);
}
