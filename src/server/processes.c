/*-------------------------------------------------------------------------
 *
 * processes.c
 *	  What the operating system says of the server's processes.
 *
 * CPU time of a process is what its CPU clock shows, which POSIX lets others
 * read: a system call, without a file.  Memory, and what children that ended
 * have used, is in the files of Linux' /proc.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>
#include <unistd.h>

#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/fd.h"
#include "storage/proc.h"

#include "base/compat.h"
#include "server/processes.h"

/*
 * To look at each page of more than this takes too long, unless they are huge
 * ones
 */
#define MUCH_MEMORY ((int64) 16 * 1024 * 1024 * 1024)

#define PATH_SIZE 40

/* CPU time of a process, microseconds; -1 if it is gone */
int64
pgps_process_cpu_time(int pid)
{
#if defined(_POSIX_CPUTIME) && _POSIX_CPUTIME >= 0
	clockid_t	clock;
	struct timespec time;

	if (clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &time) == 0)
		return time.tv_sec * USECS_PER_SEC + time.tv_nsec / 1000;
#endif
	return -1;
}

/* A figure in kB that a file of /proc has behind a word, in bytes; -1 if none */
static int64
read_kb(int pid, const char *name, const char *word)
{
	char		path[PATH_SIZE];
	char		line[200];
	int64		found = -1;
	FILE	   *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	file = AllocateFile(path, "r");
	if (file == NULL)
		return -1;
	while (found < 0 && fgets(line, sizeof(line), file) != NULL)
	{
		if (strncmp(line, word, strlen(word)) == 0)
			found = strtoll(line + strlen(word), NULL, 10) * 1024;
	}
	FreeFile(file);
	return found;
}

/*
 * Memory that a process has for itself, bytes.  What it has inherited of the
 * postmaster, unchanged, is shared by all: each has its part of it.  That takes
 * a look at each page of the process, shared buffers too; where these are many
 * it is what is in memory beyond what the postmaster has.
 */
int64
pgps_process_memory(int pid)
{
	int64		memory = -1;
	int64		inherited;

	if ((int64) NBuffers * BLCKSZ <= MUCH_MEMORY ||
		read_kb(MyProcPid, "status", "HugetlbPages:") > 0)
		memory = read_kb(pid, "smaps_rollup", "Pss_Anon:");
	if (memory >= 0)
		return memory;
	memory = read_kb(pid, "status", "RssAnon:");
	inherited = read_kb(PostmasterPid, "status", "RssAnon:");
	return memory >= 0 && inherited >= 0 ? Max(memory - inherited, 0) : -1;
}

/*
 * CPU time of the postmaster and of all its children that ended, microseconds;
 * -1 = unknown
 */
static int64
ended_cpu_time(void)
{
	char		path[PATH_SIZE];
	char		line[1000];
	unsigned long long ticks[4];
	const char *fields = NULL;
	FILE	   *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", PostmasterPid);
	file = AllocateFile(path, "r");
	if (file == NULL)
		return -1;
	if (fgets(line, sizeof(line), file) != NULL)
		fields = strrchr(line, ')');	/* its name may have one, too */
	FreeFile(file);
	if (fields == NULL ||
		sscanf(fields + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu",
			   &ticks[0], &ticks[1], &ticks[2], &ticks[3]) != 4)
		return -1;
	return (ticks[0] + ticks[1] + ticks[2] + ticks[3]) * USECS_PER_SEC /
		sysconf(_SC_CLK_TCK);
}

/*
 * CPU time of all processes of the server since it started, microseconds; -1 =
 * unknown.  Of one that ends meanwhile its own is left out, then all are asked
 * once more; the largest sum is the best.
 */
int64
pgps_all_cpu_time(void)
{
	int64		most = -1;
	int64		ended = ended_cpu_time();
	int			tries;

	for (tries = 0; tries < 3 && ended >= 0; tries++)
	{
		int64		before = ended;
		int64		sum = ended;
		uint32		i;

		for (i = 0; i < ProcGlobal->allProcCount; i++)
		{
			int			pid = pgps_proc_pid(&ProcGlobal->allProcs[i]);

			if (pid != 0)
				sum += Max(pgps_process_cpu_time(pid), 0);
		}
		most = Max(most, sum);
		ended = ended_cpu_time();
		if (ended == before)
			break;
	}
	return most;
}
