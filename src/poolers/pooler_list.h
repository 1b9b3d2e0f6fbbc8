/*-------------------------------------------------------------------------
 *
 * pooler_list.h
 *	  The settings pgpool_stats.poolers and pooler_addresses, taken apart.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_POOLER_LIST_H
#define PGPS_POOLER_LIST_H

#include "utils/guc.h"

#include "base/text.h"

#define PGPS_MAX_POOLERS 128

/* one pooler to poll */
typedef struct PgpsPoolerItem
{
	char		name[PGPS_POOL_LEN];
	Size		conninfo;		/* where its connection string begins */
} PgpsPoolerItem;

/* followed by the connection strings, each ended by NUL */
typedef struct PgpsPoolerList
{
	int			count;
	PgpsPoolerItem item[FLEXIBLE_ARRAY_MEMBER];
} PgpsPoolerList;

/* as this process knows the setting; NULL while it is not set */
extern PGDLLEXPORT const PgpsPoolerList *pgps_pooler_list;

static inline const char *
pgps_pooler_conninfo(const PgpsPoolerList *list, int i)
{
	return (const char *) list + list->item[i].conninfo;
}

extern bool pgps_check_poolers(char **newval, void **extra, GucSource source);
extern void pgps_assign_poolers(const char *newval, void *extra);

/* addresses.c: the setting pooler_addresses, from where only poolers connect */
extern bool pgps_is_pooler_address(const char *addr);

/* hooks of the setting */
extern bool pgps_check_pooler_addresses(char **newval, void **extra,
										GucSource source);
extern void pgps_assign_pooler_addresses(const char *newval, void *extra);

#endif							/* PGPS_POOLER_LIST_H */
