/*-------------------------------------------------------------------------
 *
 * guard.c
 *	  How much memory the poller may take.
 *
 * libpq allocates a message as soon as it has read the length, which a faulty
 * server may give as a gigabyte, and it keeps all parameters that a server
 * sends.  So the process limits its private writable memory (RLIMIT_DATA):
 * beyond that malloc() fails, which libpq reports like any other error.  And
 * after each call we look how much memory one connection has taken, so that it
 * is closed long before it takes what others need.
 *
 * The memory in use is read from /proc.  On a system without /proc, only bytes
 * and rows are bounded (link.c).
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "poller/link.h"

#define FOR_ALL ((Size) 64 * 1024 * 1024)
#define FOR_EACH ((Size) 4 * 1024 * 1024)

static int	statm = -1;

/* Size of data and stack of this process; 0 = unknown */
Size
guard_memory(void)
{
	char		buf[128];
	unsigned long size,
				resident,
				share,
				code,
				lib,
				data;
	ssize_t		length;

	if (statm < 0)
		statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	length = statm < 0 ? -1 : pread(statm, buf, sizeof(buf) - 1, 0);
	if (length <= 0)
		return 0;
	buf[length] = '\0';

	if (sscanf(buf, "%lu %lu %lu %lu %lu %lu", &size, &resident, &share,
			   &code, &lib, &data) != 6)
		return 0;
	return data * (Size) sysconf(_SC_PAGESIZE);
}

/* Set the limit of memory for so many poolers. */
void
guard_limit(int poolers)
{
#ifdef RLIMIT_DATA
	static Size base = 0;
	static int	limited_for = -1;
	struct rlimit limit;

	if (poolers == limited_for)
		return;
	limited_for = poolers;
	if (base == 0)
		base = guard_memory();
	if (base > 0 && getrlimit(RLIMIT_DATA, &limit) == 0)
	{
		limit.rlim_cur = Min(limit.rlim_max,
							 (rlim_t) (base + FOR_ALL + poolers * FOR_EACH));
		(void) setrlimit(RLIMIT_DATA, &limit);
	}
#endif
}
