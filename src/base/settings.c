/*-------------------------------------------------------------------------
 *
 * settings.c
 *	  The settings pgpool_stats.* as C variables, with their defaults.
 *
 * They are defined in main/guc.c.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/settings.h"

int			pgps_max_pools = 512;
int			pgps_max_discovered_pools = 128;
int			pgps_max_instances = 1024;
int			pgps_max_rejections = 1024;
int			pgps_max_instances_per_role = 0;
int			pgps_track = PGPS_TRACK_ALL;
int			pgps_sample_interval = 1000;
int			pgps_stale_after = 180;
int			pgps_expire_after = 3600;
int			pgps_leak_after = 600;
double		pgps_target_wait_probability = 0.01;
int			pgps_effective_spindle_count = 1;
int			pgps_cpu_cores = 0;
bool		pgps_save = true;
int			pgps_save_interval = 60;
char	   *pgps_alert_rules = "";
bool		pgps_log_alerts = true;
char	   *pgps_notify_database = "";
int			pgps_poll_interval = 5000;
int			pgps_poll_timeout = 2000;
bool		pgps_strict_reports = false;
bool		pgps_relabel = false;
char	   *pgps_label_pool = "";
char	   *pgps_label_instance = "";
char	   *pgps_label_pool_size = "";
char	   *pgps_label_max_overflow = "";
char	   *pgps_label_app_version = "";
