/*-------------------------------------------------------------------------
 *
 * cores.c
 *	  How many CPU cores the server may use.
 *
 * A container sees all cores of its machine but gets no more time than the
 * quota of its control group, or of one around it.  Of either version of
 * control groups, which Linux mounts under /sys/fs/cgroup.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "storage/fd.h"

#include "base/settings.h"
#include "server/cores.h"

#define CGROUPS "/sys/fs/cgroup"

/* First line of a file; false if there is none. */
static bool
read_line(const char *path, char *line, int size)
{
	FILE	   *file = AllocateFile(path, "r");
	bool		ok;

	if (file == NULL)
		return false;
	ok = fgets(line, size, file) != NULL;
	FreeFile(file);
	return ok;
}

/* Quota of one group in cores; 0 = none of its own */
static double
quota_of(const char *group, bool unified)
{
	char		line[100];
	char		path[MAXPGPATH + 64];
	double		quota = 0,
				period = 0;

	if (unified)
	{
		/* "max 100000" has no quota */
		snprintf(path, sizeof(path), CGROUPS "%s/cpu.max", group);
		if (!read_line(path, line, sizeof(line)) ||
			sscanf(line, "%lf %lf", &quota, &period) != 2)
			return 0;
	}
	else
	{
		/* -1 is none */
		snprintf(path, sizeof(path), CGROUPS "/cpu%s/cpu.cfs_quota_us", group);
		if (!read_line(path, line, sizeof(line)))
			return 0;
		quota = atof(line);
		snprintf(path, sizeof(path), CGROUPS "/cpu%s/cpu.cfs_period_us", group);
		if (!read_line(path, line, sizeof(line)))
			return 0;
		period = atof(line);
	}
	return quota > 0 && period > 0 ? quota / period : 0;
}

/* The least quota of a group and all around it; 0 = none */
static double
least_quota(char *group, bool unified)
{
	double		least = 0;

	for (;;)
	{
		double		quota = quota_of(group, unified);
		char	   *slash = strrchr(group, '/');

		if (quota > 0 && (least == 0 || quota < least))
			least = quota;
		if (slash == NULL)
			return least;
		*slash = '\0';
	}
}

/*
 * Is it a line of /proc/self/cgroup about CPU time?  Such are "0::/group" and
 * "3:cpu,cpuacct:/group".  Sets where the group begins.
 */
static bool
is_about_cpu(char *line, bool *unified, char **group)
{
	char	   *controllers = strchr(line, ':');
	char	   *p;

	if (controllers == NULL)
		return false;
	controllers++;
	*group = strchr(controllers, ':');
	if (*group == NULL)
		return false;
	*(*group)++ = '\0';
	(*group)[strcspn(*group, "\n")] = '\0';
	*unified = controllers[0] == '\0';
	if (*unified)
		return true;
	for (p = strtok(controllers, ","); p != NULL; p = strtok(NULL, ","))
	{
		if (strcmp(p, "cpu") == 0)
			return true;
	}
	return false;
}

static double
cgroup_quota(void)
{
	FILE	   *file = AllocateFile("/proc/self/cgroup", "r");
	char		line[MAXPGPATH];
	double		least = 0;

	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL)
	{
		bool		unified;
		char	   *group;
		double		quota;

		if (!is_about_cpu(line, &unified, &group))
			continue;
		quota = least_quota(group, unified);
		if (quota > 0 && (least == 0 || quota < least))
			least = quota;
	}
	FreeFile(file);
	return least;
}

/* Cores: as the setting says, or the quota, or what the system has */
double
pgps_cpu_count(void)
{
	double		online = sysconf(_SC_NPROCESSORS_ONLN);
	double		quota;

	if (pgps_cpu_cores > 0)
		return pgps_cpu_cores;
	quota = cgroup_quota();
	return quota > 0 ? Min(quota, Max(online, 1)) : Max(online, 1);
}
