/*-------------------------------------------------------------------------
 *
 * grow.c
 *	  Arrays that grow, in a process's own memory.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/grow.h"

/*
 * Make sure that an array, NULL at first, has so many elements of a size.  It
 * lives as long as the process; new elements are zeroed.  Returns the array,
 * which may have moved.
 */
void *
pgps_grow(void *array, int *room, int needed, Size size)
{
	int			more;

	if (needed <= *room)
		return array;
	more = Max(needed, 2 * *room);
	array = array == NULL ?
		MemoryContextAllocHuge(TopMemoryContext, more * size) :
		repalloc_huge(array, more * size);
	memset((char *) array + *room * size, 0, (more - *room) * size);
	*room = more;
	return array;
}
