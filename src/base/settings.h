/*-------------------------------------------------------------------------
 *
 * settings.h
 *	  The settings pgpool_stats.* as C variables.
 *
 * The variables are in main/guc.c, which also defines the settings that are
 * alone of their kind.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_SETTINGS_H
#define PGPS_SETTINGS_H

#include "base/local.h"

/*
 * Each is pgps_NAME.  Behind the name stand default, least and most, context,
 * unit, and what it is in one sentence and, perhaps, a second.
 */
#define PGPS_INT_SETTINGS(S) \
	S(max_pools, 512, 8, 65536, PGC_POSTMASTER, 0, "Number of pools that are kept.", NULL) \
	S(max_discovered_pools, 128, 2, 65536, PGC_POSTMASTER, 0, "Number of pools that are made of connections without a label.", "One role may take half of them.") \
	S(history_pools, 256, 2, 65536, PGC_POSTMASTER, 0, "Number of pools that have history.", "One role may take half of them; the least used give way.") \
	S(max_instances, 1024, 8, 262144, PGC_POSTMASTER, 0, "Number of instances that are kept although they have no connection to this server.", "There is room for one more for each possible client connection.") \
	S(max_rejections, 1024, 16, 262144, PGC_POSTMASTER, 0, "Number of rows in the view rejections that are kept.", "A row stands for one origin in one minute; half of them are for origins whose pool is known.") \
	S(max_alerts, 1024, 16, 16384, PGC_POSTMASTER, 0, "Number of alerts that are kept.", "When there are more, the roles with most leave out their least severe ones.") \
	S(max_incidents, 1024, 16, 262144, PGC_POSTMASTER, 0, "Number of incidents that are kept.", "The oldest of those that ended give way; one role may have half of them that fire.") \
	S(max_silences, 256, 16, 16384, PGC_POSTMASTER, 0, "Number of silences that are kept.", "A quarter is for members of pg_signal_backend, a quarter for the first one of each other role.") \
	S(max_instances_per_role, 0, 0, 262144, PGC_SIGHUP, 0, "How many of max_instances one role may take.", "0 means half.") \
	S(sample_interval, 1000, 100, 60000, PGC_SIGHUP, GUC_UNIT_MS, "Time between two passes of the collector.", NULL) \
	S(load_interval, 100, 0, 10000, PGC_SIGHUP, GUC_UNIT_MS, "Time between two looks at what connections in a transaction do.", "While nobody is in one there are none; 0 turns them off.") \
	S(stale_after, 180, 1, INT_MAX / 1000, PGC_SIGHUP, GUC_UNIT_S, "Minimum age at which a report is late.", "A report is also not late before three times the report interval of its instance.") \
	S(expire_after, 3600, 1, INT_MAX / 1000, PGC_SIGHUP, GUC_UNIT_S, "Time after which an instance without connection and report is forgotten.", "Its counters stay in its pool.") \
	S(leak_after, 600, 1, INT_MAX / 1000, PGC_SIGHUP, GUC_UNIT_S, "Time without a statement after which a connection that is lent out counts as leaked.", "The same holds for a connection that is idle in a transaction.") \
	S(effective_spindle_count, 1, 0, 1000, PGC_SIGHUP, 0, "Number of disks that work in parallel; the view sizing uses it for the whole server.", NULL) \
	S(cpu_cores, 0, 0, 65536, PGC_SIGHUP, 0, "Number of CPU cores; the view sizing uses it for the whole server.", "0 means the quota of the control group, or else all cores of the machine.") \
	S(poll_interval, 5000, 100, 3600000, PGC_SIGHUP, GUC_UNIT_MS, "Time between two polls of a pooler.", NULL) \
	S(poll_timeout, 2000, 10, 600000, PGC_SIGHUP, GUC_UNIT_MS, "Time within which a pooler must answer.", NULL) \
	S(save_interval, 60, 1, INT_MAX / 1000, PGC_SIGHUP, GUC_UNIT_S, "Time between two saves.", "A crash loses what was counted since the last one.")

#define PGPS_BOOL_SETTINGS(S) \
	S(track_queries, true, PGC_SIGHUP, "Keep which queries the connections of each pool are busiest with.", "Only their ids, as compute_query_id and pg_stat_statements have them; no text.") \
	S(save, true, PGC_SIGHUP, "Keep pools and counters over a restart.", NULL) \
	S(log_alerts, true, PGC_SIGHUP, "Log alerts when they are raised and cleared.", NULL) \
	S(strict_reports, false, PGC_USERSET, "Raise an error for any part of a report that is not understood.", "For tests of an application; when off, such a field is unknown.")

/* given with the connection string; each is pgps_label_NAME */
#define PGPS_LABELS(S) \
	S(pool, "Name of the client pool this connection belongs to.") \
	S(instance, "Name of the instance of the pool: host:pid of the application process.") \
	S(pool_size, "Configured size of the pool.") \
	S(max_overflow, "Connections the pool may open beyond its size; \"unlimited\" or -1 for any number.") \
	S(app_version, "Version of the application.")

#define PGPS_DECLARE_INT(name, ...) extern PGDLLEXPORT int pgps_##name;
#define PGPS_DECLARE_BOOL(name, ...) extern bool pgps_##name;
#define PGPS_DECLARE_LABEL(name, ...) extern char *pgps_label_##name;
PGPS_INT_SETTINGS(PGPS_DECLARE_INT)
PGPS_BOOL_SETTINGS(PGPS_DECLARE_BOOL)
PGPS_LABELS(PGPS_DECLARE_LABEL)

typedef enum PgpsTrack
{
	PGPS_TRACK_NONE,
	PGPS_TRACK_LABELLED,
	PGPS_TRACK_ALL
} PgpsTrack;

extern int	pgps_track;
extern double pgps_target_wait_probability;
extern char *pgps_alert_rules;
extern char *pgps_notify_database;
extern PGDLLEXPORT char *pgps_name_servers;

/*
 * The application_name that the session was last placed by; NULL if a label was
 * assigned since.
 */
extern PGPS_LOCAL const char *pgps_placed_by;

#endif							/* PGPS_SETTINGS_H */
