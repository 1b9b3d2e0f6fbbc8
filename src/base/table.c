/*-------------------------------------------------------------------------
 *
 * table.c
 *	  Hash tables in a process's own memory.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/table.h"

/*
 * A table in the current memory context, for about so many entries.  Keys are
 * compared as bytes: those between fields must be zeroed.
 */
HTAB *
pgps_make_table(const char *name, long expected, Size keysize, Size entrysize)
{
	HASHCTL		control = {
		.keysize = keysize,
		.entrysize = entrysize,
		.hcxt = CurrentMemoryContext
	};

	return hash_create(name, Max(expected, 16), &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}
