/*-------------------------------------------------------------------------
 *
 * settings.h
 *	  The settings pgpool_stats.* as C variables.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_SETTINGS_H
#define PGPS_SETTINGS_H

typedef enum PgpsTrack
{
	PGPS_TRACK_NONE,
	PGPS_TRACK_LABELLED,
	PGPS_TRACK_ALL
} PgpsTrack;

/* fixed at server start */
extern int	pgps_max_pools;
extern int	pgps_max_discovered_pools;
extern int	pgps_max_instances;
extern int	pgps_max_rejections;

/* reload */
extern int	pgps_max_instances_per_role;
extern int	pgps_track;
extern int	pgps_sample_interval;	/* ms */
extern int	pgps_stale_after;	/* s */
extern int	pgps_expire_after;	/* s */
extern int	pgps_leak_after;	/* s */
extern double pgps_target_wait_probability;
extern int	pgps_effective_spindle_count;
extern int	pgps_cpu_cores;		/* 0 = look */
extern bool pgps_save;
extern int	pgps_save_interval; /* s */
extern char *pgps_alert_rules;
extern bool pgps_log_alerts;
extern char *pgps_notify_database;
extern PGDLLEXPORT int pgps_poll_interval;	/* ms */
extern PGDLLEXPORT int pgps_poll_timeout;	/* ms */

/* anybody */
extern bool pgps_strict_reports;
extern bool pgps_relabel;		/* a label was assigned since it was looked at */
extern char *pgps_label_pool;
extern char *pgps_label_instance;
extern char *pgps_label_pool_size;
extern char *pgps_label_max_overflow;
extern char *pgps_label_app_version;

#endif							/* PGPS_SETTINGS_H */
