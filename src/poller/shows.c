/*-------------------------------------------------------------------------
 *
 * shows.c
 *	  Which SHOW comes next: what each product is asked for, and in which order.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "poller/link.h"
#include "poolers/console.h"

/*
 * The command to send after "show"; PGPS_SHOWS = none.  The versions come
 * first: they show which product it is.
 */
PgpsShow
shows_next(const Link *link)
{
	static const PgpsShow pgbouncer[] = {
		PGPS_SHOW_CONFIG, PGPS_SHOW_STATE, PGPS_SHOW_DATABASES,
		PGPS_SHOW_LISTS, PGPS_SHOW_USERS, PGPS_SHOW_SERVERS, PGPS_SHOW_STATS,
		PGPS_SHOW_POOLS, PGPS_SHOW_CLIENTS, PGPS_SHOWS
	};
	static const PgpsShow odyssey[] = {
		PGPS_SHOW_DATABASES, PGPS_SHOW_LISTS, PGPS_SHOW_SERVERS,
		PGPS_SHOW_STATS, PGPS_SHOW_CLIENTS, PGPS_SHOW_POOLS, PGPS_SHOWS
	};
	static const PgpsShow pgpool[] = {
		PGPS_SHOW_POOL_STATUS, PGPS_SHOW_POOL_POOLS, PGPS_SHOWS
	};
	const PgpsShow *list;
	PgpsProduct product = pgps_console_product(&link->console);

	if (product == PGPS_PRODUCT_UNKNOWN)
		return link->show != link->first_show ? PGPS_SHOWS :
			link->show == PGPS_SHOW_VERSION ? PGPS_SHOW_POOL_VERSION :
			PGPS_SHOW_VERSION;
	list = product == PGPS_PRODUCT_PGPOOL ? pgpool :
		product == PGPS_PRODUCT_ODYSSEY ? odyssey : pgbouncer;
	if (link->show != PGPS_SHOW_VERSION && link->show != PGPS_SHOW_POOL_VERSION)
	{
		while (*list++ != link->show)
			;
	}
	while (*list != PGPS_SHOWS && !pgps_console_wants(&link->console, *list))
		list++;
	return *list;
}
