/*-------------------------------------------------------------------------
 *
 * text.c
 *	  Text that somebody else wrote: what may be a name, and cleaning.
 *
 * What we keep is printable ASCII, so that a client of any encoding can read it.
 *
 * Nothing here raises or allocates: it runs while a connection starts.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/text.h"

static inline bool
is_printable(char c)
{
	return c >= ' ' && c <= '~';
}

/* May this be the name of a pool?  Printable ASCII, 1 to 63 bytes. */
bool
pgps_is_valid_name(const char *name)
{
	const char *p;

	for (p = name; *p != '\0'; p++)
	{
		if (!is_printable(*p))
			return false;
	}
	return p > name && p - name < PGPS_POOL_LEN;
}

/*
 * Copy text, clipped to size - 1 bytes, with "?" for what is not printable
 * ASCII, and padded with zeros.
 */
void
pgps_clean_text(char *dest, Size size, const char *source)
{
	Size		i;

	memset(dest, 0, size);
	for (i = 0; i < size - 1 && source[i] != '\0'; i++)
		dest[i] = is_printable(source[i]) ? source[i] : '?';
}

/*
 * The same, of a pool's name.  Names in parentheses are ours: "(server)" and
 * "(other)" are what they say, whoever calls himself so.
 */
void
pgps_clean_pool(char *dest, const char *source)
{
	pgps_clean_text(dest, PGPS_POOL_LEN, source);
	if (dest[0] == '(')
		dest[0] = '?';
}

/*
 * Copy text, but of text that is too long the end is kept: in "host:pid" the
 * pid distinguishes two processes.
 */
void
pgps_clean_tail(char *dest, Size size, const char *source)
{
	Size		len = strlen(source);

	pgps_clean_text(dest, size, len < size ? source : source + len - (size - 1));
}
