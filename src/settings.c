/*-------------------------------------------------------------------------
 *
 * settings.c
 *	  The settings of pgpool_stats: the only DefineCustom* calls.
 *
 * The prefix is not reserved with MarkGUCPrefixReserved().  Labels come with
 * the connection string, and with a reserved prefix a typo there, or a label
 * that only a newer version knows, would be a refused connection.
 *
 * For the same reason all labels are strings: an integer setting refuses the
 * connection on an empty value before any hook of ours runs.  What is not
 * usable in a label is repaired where it is read (identity.c).
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>
#include <sys/socket.h>

#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inet.h"
#include "utils/varlena.h"

#include "compat.h"
#include "identity.h"
#include "pooler_list.h"
#include "settings.h"

int			pgps_max_pools = 512;
int			pgps_max_instances = 1024;
int			pgps_max_rejections = 1024;
int			pgps_max_instances_per_role = 0;
int			pgps_track = PGPS_TRACK_ALL;
int			pgps_sample_interval = 1000;
int			pgps_stale_after = 180;
int			pgps_expire_after = 3600;
int			pgps_leak_after = 600;
double		pgps_target_wait_probability = 0.01;
int			pgps_effective_spindle_count = 1;
int			pgps_cpu_cores = 0;
bool		pgps_save = true;
int			pgps_save_interval = 60;
char	   *pgps_alert_rules = "";
bool		pgps_log_alerts = true;
char	   *pgps_notify_database = "";
int			pgps_poll_interval = 5000;
int			pgps_poll_timeout = 2000;
bool		pgps_strict_reports = false;
bool		pgps_relabel = false;
char	   *pgps_label_pool = "";
char	   *pgps_label_instance = "";
char	   *pgps_label_pool_size = "";
char	   *pgps_label_max_overflow = "";
char	   *pgps_label_app_version = "";

static char *pooler_addresses = "";
static char *poolers = "";

/* pooler_addresses as its check hook understood it */
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

static const struct config_enum_entry track_options[] = {
	{"all", PGPS_TRACK_ALL, false},
	{"labelled", PGPS_TRACK_LABELLED, false},
	{"none", PGPS_TRACK_NONE, false},
	{NULL, 0, false}
};

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

static bool
check_pooler_addresses(char **newval, void **extra, GucSource source)
{
	char	   *copy = pstrdup(*newval);
	List	   *items;
	ListCell   *lc;
	Networks   *networks;
	bool		ok;

	ok = SplitGUCList(copy, ',', &items);
	if (!ok)
		GUC_check_errdetail("List syntax is invalid.");
	else
	{
		networks = pgps_guc_alloc(offsetof(Networks, network) +
								  list_length(items) * sizeof(Network));
		if (networks == NULL)
			ok = false;
		else
		{
			networks->count = 0;
			foreach(lc, items)
			{
				char	   *item = lfirst(lc);

				if (!parse_network(item, &networks->network[networks->count]))
				{
					GUC_check_errdetail("\"%s\" is not an address or a network such as 10.0.0.5 or 10.0.0.0/8.",
										item);
					ok = false;
					break;
				}
				networks->count++;
			}
			if (ok)
				*extra = networks;
			else
				pgps_guc_free(networks);
		}
	}
	list_free(items);
	pfree(copy);
	return ok;
}

static void
assign_pooler_addresses(const char *newval, void *extra)
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

/*
 * Bytes that are not printable ASCII are replaced and long texts cut: what is
 * too long to be a host and a pid loses its beginning.
 */
static bool
check_label(char **newval, void **extra, GucSource source)
{
	char		clean[PGPS_INSTANCE_LEN];

	/* *newval is our own copy: it may be changed in place */
	pgps_clean_tail(clean, sizeof(clean), *newval);
	strcpy(*newval, clean);
	return true;
}

/*
 * Runs in any process, also while a transaction is undone: only leave word.
 */
static void
assign_label(const char *newval, void *extra)
{
	pgps_relabel = true;
}

static void
define_label(const char *name, const char *description, char **variable)
{
	DefineCustomStringVariable(name, description,
							   "Given with the connection string, by ALTER ROLE ... SET or by SET.",
							   variable, "", PGC_USERSET, GUC_REPORT,
							   check_label, assign_label, NULL);
}

/*
 * Define all settings.  Those that fix the size of shared memory exist only
 * while the server starts.
 */
void
pgps_define_settings(bool preloading)
{
	if (preloading)
	{
		DefineCustomIntVariable("pgpool_stats.max_pools",
								"Number of pools that are kept.",
								NULL,
								&pgps_max_pools, 512, 8, 65536,
								PGC_POSTMASTER, 0, NULL, NULL, NULL);
		DefineCustomIntVariable("pgpool_stats.max_instances",
								"Number of pool instances without a connection here that are kept.",
								"One for each possible client connection comes on top.",
								&pgps_max_instances, 1024, 8, 262144,
								PGC_POSTMASTER, 0, NULL, NULL, NULL);
		DefineCustomIntVariable("pgpool_stats.max_rejections",
								"Number of rows in the view rejections that are kept.",
								"A row is one origin in one minute.",
								&pgps_max_rejections, 1024, 16, 262144,
								PGC_POSTMASTER, 0, NULL, NULL, NULL);
	}

	DefineCustomIntVariable("pgpool_stats.max_instances_per_role",
							"Number of max_instances that one role may take.",
							"0 means half of them.",
							&pgps_max_instances_per_role, 0, 0, 262144,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("pgpool_stats.track",
							 "Which client connections belong to a pool.",
							 "\"labelled\" leaves out those without the setting pgpool_stats.pool.",
							 &pgps_track, PGPS_TRACK_ALL, track_options,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pgpool_stats.sample_interval",
							"Time between two passes of the collector.",
							NULL,
							&pgps_sample_interval, 1000, 100, 60000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("pgpool_stats.stale_after",
							"Age at which a report is late, at the least.",
							"A report is not late before three times its instance's own interval.",
							&pgps_stale_after, 180, 1, INT_MAX / 1000,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("pgpool_stats.expire_after",
							"Time after which an instance without connection and report is forgotten.",
							"Its counters stay in its pool.",
							&pgps_expire_after, 3600, 1, INT_MAX / 1000,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("pgpool_stats.leak_after",
							"Time without a statement after which a connection that is lent out has leaked.",
							"The same for one that is idle in a transaction.",
							&pgps_leak_after, 600, 1, INT_MAX / 1000,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomStringVariable("pgpool_stats.pooler_addresses",
							   "Addresses and networks from which only connection poolers connect.",
							   "A comma-separated list such as \"10.0.0.5, 10.1.0.0/16\".",
							   &pooler_addresses, "",
							   PGC_SIGHUP, GUC_LIST_INPUT,
							   check_pooler_addresses,
							   assign_pooler_addresses, NULL);
	DefineCustomRealVariable("pgpool_stats.target_wait_probability",
							 "Share of checkouts that may have to wait with the size that is suggested.",
							 NULL,
							 &pgps_target_wait_probability, 0.01, 0.000001, 0.5,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pgpool_stats.effective_spindle_count",
							"Disks that can serve requests at once, for the number of connections the server bears.",
							NULL,
							&pgps_effective_spindle_count, 1, 0, 1000,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pgpool_stats.cpu_cores",
							"CPU cores of the server, for the number of connections it bears.",
							"0 means the quota of its control group, or what the system has.",
							&pgps_cpu_cores, 0, 0, 65536,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("pgpool_stats.poolers",
							   "Connection strings of the consoles of connection poolers, to be polled.",
							   "Separated by semicolons; the password is to be in a password or service file.",
							   &poolers, "",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY,
							   pgps_check_poolers, pgps_assign_poolers, NULL);
	DefineCustomIntVariable("pgpool_stats.poll_interval",
							"Time between two polls of a pooler.",
							NULL,
							&pgps_poll_interval, 5000, 100, 3600000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("pgpool_stats.poll_timeout",
							"Time in which a pooler must have answered.",
							NULL,
							&pgps_poll_timeout, 2000, 10, 600000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomBoolVariable("pgpool_stats.save",
							 "Keep pools and counters over a restart.",
							 NULL,
							 &pgps_save, true,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pgpool_stats.save_interval",
							"Time between two saves.",
							"A crash loses what was counted since the last one.",
							&pgps_save_interval, 60, 1, INT_MAX / 1000,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);

	DefineCustomStringVariable("pgpool_stats.alert_rules",
							   "Levels of the alert rules, for all or for some pools and limits.",
							   "Entries such as \"pool_full@nightly-*: off; mean_wait: warning 2s for 10min\"; later ones win.",
							   &pgps_alert_rules, "",
							   PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("pgpool_stats.log_alerts",
							 "Log alerts when they are raised and cleared.",
							 NULL,
							 &pgps_log_alerts, true,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("pgpool_stats.notify_database",
							   "Database in which alerts are sent by NOTIFY.",
							   "The channel is pgpool_stats; empty sends none.",
							   &pgps_notify_database, "",
							   PGC_SIGHUP, 0, NULL, NULL, NULL);

	DefineCustomBoolVariable("pgpool_stats.strict_reports",
							 "Raise an error for whatever a report does not say right.",
							 "For tests of an application; off, such a field is unknown.",
							 &pgps_strict_reports, false,
							 PGC_USERSET, 0, NULL, NULL, NULL);

	define_label("pgpool_stats.pool",
				 "Name of the client pool this connection belongs to.",
				 &pgps_label_pool);
	define_label("pgpool_stats.instance",
				 "Which copy of the pool it is: host:pid of the application.",
				 &pgps_label_instance);
	define_label("pgpool_stats.pool_size",
				 "Configured size of the pool.",
				 &pgps_label_pool_size);
	define_label("pgpool_stats.max_overflow",
				 "Connections the pool may open beyond its size; \"unlimited\" or -1 for any number.",
				 &pgps_label_max_overflow);
	define_label("pgpool_stats.app_version",
				 "Version of the application.",
				 &pgps_label_app_version);
}
