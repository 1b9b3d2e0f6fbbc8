/*
 * A disk that takes 5 ms for a read while the file SLOW is there: of one that is fast, or a
 * cache, whoever reads is on a CPU for much of the time.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static void wait_for_disk(void)
{
	struct timespec t = {0, 5000000};

	if (access(getenv("SLOW"), F_OK) == 0)
		nanosleep(&t, NULL);
}

#define READ(name, buffer, size) \
	ssize_t name(int file, buffer, size, off_t offset) \
	{ \
		ssize_t (*next)(int, buffer, size, off_t) = dlsym(RTLD_NEXT, #name); \
		wait_for_disk(); \
		return next(file, b, n, offset); \
	}
READ(pread, void *b, size_t n)
READ(pread64, void *b, size_t n)
READ(preadv, const struct iovec *b, int n)
READ(preadv64, const struct iovec *b, int n)
