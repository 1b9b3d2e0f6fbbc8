/*-------------------------------------------------------------------------
 *
 * seen.c
 *	  The networks that connections of a pool came from.
 *
 * Whoever reaches the port may claim to be of a pool.  A rejected login counts
 * for it only if one from the same network, a /24 or a /64, got in within the
 * last days.  A pool keeps the latest few.
 *
 * Written under the registry's exclusive lock.  The process of a rejected login
 * can take no lock: it reads each in one piece, and at worst it judges one
 * login by what was so a moment before.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/hashfn.h"
#include "datatype/timestamp.h"

#include "registry/entries.h"
#include "registry/known.h"
#include "registry/registry.h"
#include "registry/space.h"

#define KEPT (7 * USECS_PER_DAY)
#define LOCAL 1					/* the local socket's network; 0 = none */

/* The network of a numeric address, as a hash; empty = the local socket */
uint64
pgps_network_of(const char *addr)
{
	const char *v4 = strrchr(addr, ':');
	const char *dot = strrchr(addr, '.');
	struct in6_addr v6;
	uint64		hash;

	if (addr[0] == '\0')
		return LOCAL;
	v4 = v4 != NULL ? v4 + 1 : addr;	/* ::ffff:192.0.2.1 */
	if (dot != NULL)
		hash = hash_bytes_extended((const unsigned char *) v4, dot - v4, 4);
	else if (inet_pton(AF_INET6, addr, &v6) == 1)
		hash = hash_bytes_extended((const unsigned char *) &v6, 8, 6);
	else
		hash = 0;
	return hash > LOCAL ? hash : LOCAL + 1;
}

/*
 * A connection of a pool was made from a network.  Caller holds the lock
 * exclusively.
 */
void
pgps_note_seen(int32 pool, uint64 network, TimestampTz now)
{
	PgpsSeen   *all = pgps_pools[pool].data.seen;
	PgpsSeen   *oldest = &all[0];
	int			i;

	for (i = 0; i < PGPS_SEEN; i++)
	{
		if (all[i].network == network)
		{
			all[i].last = now;
			return;
		}
		if (all[i].last < oldest->last)
			oldest = &all[i];
	}
	pgps_change_begins(&pgps_pool_changes[pool]);
	oldest->last = now;
	oldest->network = network;
	pgps_change_ends(&pgps_pool_changes[pool]);
}

/*
 * Did a connection of a pool, by the hash of its name or of connections without
 * label, come from there?  Needs no lock.
 */
bool
pgps_was_seen(uint64 pool, const char *addr, TimestampTz now)
{
	int32		i = pgps_find_known_pool(pool);
	uint64		network;
	int			j;

	if (i == PGPS_NONE)
		return false;
	network = pgps_network_of(addr);
	for (j = 0; j < PGPS_SEEN; j++)
	{
		const volatile PgpsSeen *seen = &pgps_pools[i].data.seen[j];

		if (seen->network == network && seen->last + KEPT > now)
			return true;
	}
	return false;
}
