/*-------------------------------------------------------------------------
 *
 * space.c
 *	  Entries of one kind in shared memory: an array of fixed size with a hash
 *	  index.
 *
 * Entries of a hash are chained, so that an entry has a number by which others
 * can refer to it.  Entries given up are a list; those above the high-water
 * mark have never been used, and their memory has not been touched: the system
 * hands it out zeroed.  Making, finding and giving up an entry cost the same
 * however many there are.
 *
 * The caller holds the registry's lock: exclusively where entries are made or
 * given up, at least in shared mode to follow a chain.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "registry/space.h"

/*
 * Take an entry for a name of that hash; PGPS_NONE if there is none left.
 * "fresh" is one that was never used.
 */
int32
pgps_table_take(const PgpsTable *table, uint32 hash, bool *fresh)
{
	PgpsSpace  *space = table->space;
	PgpsNext   *chain = pgps_table_chain(table, hash);
	int32		i = space->first_free - 1;

	*fresh = i == PGPS_NONE;
	if (*fresh)
	{
		if (space->high_water == space->capacity)
			return PGPS_NONE;
		i = space->high_water++;
	}
	else
		space->first_free = *pgps_table_next(table, i);
	space->used++;
	*pgps_table_next(table, i) = *chain;
	*chain = i + 1;
	return i;
}

void
pgps_table_give_up(const PgpsTable *table, uint32 hash, int32 i)
{
	PgpsSpace  *space = table->space;
	PgpsNext   *link = pgps_table_chain(table, hash);

	while (*link != i + 1)
		link = pgps_table_next(table, *link - 1);
	*link = *pgps_table_next(table, i);
	*pgps_table_next(table, i) = space->first_free;
	space->first_free = i + 1;
	space->used--;
}
