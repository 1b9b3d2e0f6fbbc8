/*-------------------------------------------------------------------------
 *
 * space.h
 *	  Entries of one kind in shared memory: an array of fixed size with a hash
 *	  index.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_SPACE_H
#define PGPS_SPACE_H

#define PGPS_NONE (-1)

/* first in each entry: the next one of its hash chain, or of the free ones */
typedef int32 PgpsNext;			/* its number + 1; 0 = none */

/* shared: those below "high_water" have been used */
typedef struct PgpsSpace
{
	int32		capacity;
	int32		high_water;
	PgpsNext	first_free;		/* of those given up */
	int32		used;
} PgpsSpace;

/* the same as this process sees it */
typedef struct PgpsTable
{
	PgpsSpace  *space;
	char	   *entries;
	Size		size;			/* of one */
	PgpsNext   *index;			/* first of each hash chain */
} PgpsTable;

extern int32 pgps_table_take(const PgpsTable *table, uint32 hash, bool *fresh);
extern void pgps_table_give_up(const PgpsTable *table, uint32 hash, int32 i);

/* The next one of a chain, or of the free ones */
static inline PgpsNext *
pgps_table_next(const PgpsTable *table, int32 i)
{
	return (PgpsNext *) (table->entries + i * table->size);
}

/* Where the chain of a hash begins */
static inline PgpsNext *
pgps_table_chain(const PgpsTable *table, uint32 hash)
{
	return &table->index[hash % table->space->capacity];
}

#endif							/* PGPS_SPACE_H */
