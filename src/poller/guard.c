/*-------------------------------------------------------------------------
 *
 * guard.c
 *	  How much memory a call of libpq may take.
 *
 * libpq makes room for a whole message as soon as its length is told, which
 * may be a lie of a gigabyte, and keeps whatever parameters a server invents.
 * So the process may grow by so much and no more while libpq works: beyond
 * that its malloc() fails, which libpq reports as any other error.
 *
 * The limit is that of private writable memory (RLIMIT_DATA), and how much
 * there is comes from /proc; where either is not there, this does nothing.
 * Outside of these calls the limit is the one the process started with.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "link.h"

#define MAX_GROWTH ((Size) 4 * 1024 * 1024) /* in one call */

static int	statm = -1;
static Size page_size = 0;
static struct rlimit usual;

void
guard_init(void)
{
#ifdef RLIMIT_DATA
	page_size = sysconf(_SC_PAGESIZE);
	if (getrlimit(RLIMIT_DATA, &usual) == 0)
		statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
#endif
}

/* Data and stack of this process; 0 = unknown */
static Size
data_size(void)
{
	char text[	128];
	unsigned long size,
				resident,
				share,
				code,
				lib,
				data;
	ssize_t		length;

	if (statm < 0)
		return 0;
	length = pread(statm, text, sizeof(text) - 1, 0);
	if (length <= 0)
		return 0;
	text[		length] = '\0';

	if (sscanf(text, "%lu %lu %lu %lu %lu %lu", &size, &resident, &share,
			   &code, &lib, &data) != 6)
		return 0;
	return data * page_size;
}

/* From here on memory is scarce.  Returns how much there is. */
Size
guard_begin(void)
{
	Size		before = data_size();

#ifdef RLIMIT_DATA
	if (before > 0)
	{
		struct rlimit limit = usual;

		limit.rlim_cur = Min(usual.rlim_cur, (rlim_t) (before + MAX_GROWTH));
		(void) setrlimit(RLIMIT_DATA, &limit);
	}
#endif
	return before;
}

/* No longer.  Returns by how much memory has grown. */
Size
guard_end(Size before)
{
	Size		after;

	if (before == 0)
		return 0;
#ifdef RLIMIT_DATA
	(void) setrlimit(RLIMIT_DATA, &usual);
#endif
	after = data_size();
	return after > before ? after - before : 0;
}
