/*-------------------------------------------------------------------------
 *
 * addresses.c
 *	  The setting pgpool_stats.pooler_addresses: from where only poolers
 *	  connect.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/socket.h>

#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inet.h"
#include "utils/varlena.h"

#include "base/compat.h"
#include "poolers/pooler_list.h"

/* the setting as its check hook parsed it */
typedef struct Network
{
	int			family;			/* PGSQL_AF_INET or PGSQL_AF_INET6 */
	int			bits;
	unsigned char addr[16];
} Network;

typedef struct Networks
{
	int			count;
	Network		network[FLEXIBLE_ARRAY_MEMBER];
} Networks;

static Networks *pooler_networks = NULL;

/* Parse "address" or "address/bits"; false if it is neither. */
static bool
parse_network(const char *text, Network *network)
{
	memset(network, 0, sizeof(Network));
	network->family = strchr(text, ':') ? PGSQL_AF_INET6 : PGSQL_AF_INET;
	network->bits = pg_inet_net_pton(network->family, text, network->addr,
									 network->family == PGSQL_AF_INET6 ? 16 : 4);
	return network->bits >= 0;
}

bool
pgps_check_pooler_addresses(char **newval, void **extra, GucSource source)
{
	char	   *copy = pstrdup(*newval);
	List	   *items;
	ListCell   *lc;
	Networks   *networks;

	if (!SplitGUCList(copy, ',', &items))
	{
		GUC_check_errdetail("List syntax is invalid.");
		return false;
	}
	networks = pgps_guc_alloc(offsetof(Networks, network) +
							  list_length(items) * sizeof(Network));
	if (networks == NULL)
		return false;
	networks->count = 0;
	foreach(lc, items)
	{
		char	   *item = lfirst(lc);

		if (!parse_network(item, &networks->network[networks->count++]))
		{
			GUC_check_errdetail("\"%s\" is not an address or a network such as 10.0.0.5 or 10.0.0.0/8.",
								item);
			pgps_guc_free(networks);
			return false;
		}
	}
	*extra = networks;
	list_free(items);
	pfree(copy);
	return true;
}

void
pgps_assign_pooler_addresses(const char *newval, void *extra)
{
	pooler_networks = extra;
}

/* Do only poolers connect from this address (numeric text)? */
bool
pgps_is_pooler_address(const char *addr)
{
	Network		client;
	int			i;

	if (pooler_networks == NULL || pooler_networks->count == 0 ||
		!parse_network(addr, &client))
		return false;

	for (i = 0; i < pooler_networks->count; i++)
	{
		const Network *network = &pooler_networks->network[i];

		if (network->family == client.family &&
			bitncmp(network->addr, client.addr, network->bits) == 0)
			return true;
	}
	return false;
}
