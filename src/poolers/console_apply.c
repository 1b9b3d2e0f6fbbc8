/*-------------------------------------------------------------------------
 *
 * console_apply.c
 *	  From the rows of a pooler's console to the registry.
 *
 * Names become roles and databases here, the server connections that the
 * pooler lists become backends, and each row a report.  Called by the poller
 * with the answers of one poll.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/names.h"
#include "base/text.h"
#include "dialects/fields.h"
#include "dialects/stats.h"
#include "poolers/console.h"
#include "poolers/console_read.h"
#include "poolers/pooler_list.h"
#include "poolers/poolers.h"
#include "registry/backends.h"
#include "registry/carry.h"
#include "registry/identity.h"
#include "registry/registry.h"
#include "registry/told.h"

/*-------------------------------------------------------------------------
 * Reports
 *-------------------------------------------------------------------------
 */

/*
 * Look up role and database of a name on this server; one that is not here
 * stays invalid.
 */
static void
identify_pool(PgpsReport *report, const PgpsConsolePool *pool)
{
	const char *database = pool->server_database;
	const char *user = pool->server_user;

	if (database == NULL || !OidIsValid(pgps_database_named(database)))
		database = pool->database;
	if (user == NULL || !OidIsValid(pgps_role_named(user)))
		user = pool->user;
	report->key.dbid = pgps_database_named(database);
	if (OidIsValid(report->key.dbid))
		namestrcpy(&report->datname, database);
	if (pool->user != NULL)
		report->key.roleid = pgps_role_named(user);
	if (OidIsValid(report->key.roleid))
		namestrcpy(&report->usename, user);
	pgps_clean_tail(report->instance, PGPS_INSTANCE_LEN, pool->user == NULL ?
					pool->database :
					psprintf("%s/%s", pool->database, pool->user));
}

static void
make_report(PgpsReport *report, const PgpsConsolePool *pool,
			const PgpsPooler *pooler)
{
	PgpsStats  *stats = palloc0(sizeof(PgpsStats));

	strlcpy(stats->dialect, pool->dialect, PGPS_DIALECT_LEN);
	snprintf(stats->app_version, sizeof(stats->app_version), "%s %s",
			 pooler->product, pooler->version);
	stats->values = pool->values;

	memset(report, 0, sizeof(PgpsReport));
	strlcpy(report->key.name, pooler->name, PGPS_POOL_LEN);
	identify_pool(report, pool);
	report->reporter.id = hash_bytes_extended((const unsigned char *) pooler->name,
											  strlen(pooler->name), 0);
	report->source = PGPS_SOURCE_POOLER;
	report->pool_mode = pool->pool_mode;
	report->shared_cap = pool->shared_cap;
	report->told.state = pool->state;
	report->told.cancels = pool->cancels;
	if (pool->waiting_app != NULL)
		pgps_discovered_pool(report->told.waiting_app, pool->waiting_app,
							 NameStr(report->usename));
	report->shared_by = hash_bytes((const unsigned char *) pool->database,
								   strlen(pool->database)) ^ report->reporter.id;
	report->seen_here = -1;
	report->stats = stats;
}

/*
 * Where do the counters of a database go?  To its only pool.  If it has
 * several, or once had, they go to a row of the database itself, which
 * continues the pool's counters.
 */
static void
assign_counters(const PgpsConsoleRows *rows, const PgpsConsolePool *counters,
				PgpsReport *reports, int *nreports)
{
	PgpsConsolePool whole = *counters;
	PgpsReport *own = &reports[*nreports];
	PgpsReport *only = NULL;
	PgpsValues *counted = palloc0(sizeof(PgpsValues));
	PgpsValues	ignored = {0};
	int			n = 0;
	int			i,
				f;

	for (i = -1; (i = pgps_console_pool(rows, i + 1, counters->database,
										counters->user)) >= 0; n++)
	{
		only = &reports[i];
		(void) pgps_registry_counted(&only->key, only->instance, counted);
	}
	whole.user = NULL;
	make_report(own, &whole, &rows->pooler);
	if (n != 1 || pgps_registry_counted(&own->key, own->instance, &ignored))
	{
		own->counted = counted;
		(*nreports)++;
		return;
	}
	for (f = PGPS_FIRST_COUNTER; f < PGPS_NFIELDS; f++)
	{
		if (pgps_known(&counters->values, f))
			pgps_set(&only->stats->values, f, counters->values.value[f]);
	}
}

/* Backends that are server connections of a pooler */

static int
backend_order(const void *a, const void *b)
{
	const PgpsBackend *x = a;
	const PgpsBackend *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/*
 * The backend at the other end of a pooler's server connection.  The local
 * port of the connection is the client port of the backend.  That does not
 * suffice: so either the address must be the same as well, or the pid, which
 * alone may be that of a process of another server.  Pgpool-II lists only
 * pids: then role and database must be the same.
 */
static const PgpsBackend *
backend_of_server(const PgpsConsoleServer *server, const PgpsReport *reports,
				  const PgpsBackend *backends, int nbackends)
{
	PgpsBackend key = {.pid = server->pid};
	const PgpsBackend *backend = server->pid <= 0 ? NULL :
		bsearch(&key, backends, nbackends, sizeof(PgpsBackend), backend_order);
	bool		same = false;
	int			i;

	if (backend != NULL && server->node >= 0)
		same = server->pool >= 0 &&
			backend->roleid == reports[server->pool].key.roleid &&
			backend->dbid == reports[server->pool].key.dbid;
	else if (backend != NULL)
		same = server->is_local ? backend->client_port < 0 :
			server->port > 0 && backend->client_port == server->port;
	else if (server->pid <= 0 && server->local_addr != NULL && server->port > 0)
	{
		for (i = 0; i < nbackends && !same; i++)
		{
			backend = &backends[i];
			same = backend->client_port == server->port &&
				strcmp(backend->client_addr, server->local_addr) == 0;
		}
	}
	return same ? backend : NULL;
}

/*
 * The node of Pgpool-II that this server is: the one with most backends here
 */
static int
our_node(const PgpsConsoleRows *rows, const PgpsBackend *const *found)
{
	int			matches[PGPS_MAX_NODES] = {0};
	int			most = 0;
	int			node = -1;
	int			i;

	for (i = 0; i < rows->nservers; i++)
	{
		if (rows->servers[i].node >= 0 && found[i] != NULL)
			matches[rows->servers[i].node]++;
	}
	for (i = 0; i < PGPS_MAX_NODES; i++)
	{
		if (matches[i] > most)
		{
			most = matches[i];
			node = i;
		}
	}
	return node;
}

/*
 * Bind the backends to the pooler whose server connections they are, and note
 * which of its pools have any here, and where they come from.
 */
static void
bind_servers(int number, PgpsConsoleRows *rows, PgpsReport *reports)
{
	const PgpsBackend **found = palloc((rows->nservers + 1) * sizeof(PgpsBackend *));
	int		   *pids = palloc((rows->nservers + 1) * sizeof(int));
	PgpsBackend *backends;
	int			nbackends;
	int			npids = 0;
	int			node;
	int			i;

	backends = pgps_registry_backends(&nbackends);
	qsort(backends, nbackends, sizeof(PgpsBackend), backend_order);
	for (i = 0; i < rows->nservers; i++)
		found[i] = backend_of_server(&rows->servers[i], reports, backends,
									 nbackends);
	node = our_node(rows, found);
	for (i = 0; i < rows->nservers; i++)
	{
		const PgpsConsoleServer *server = &rows->servers[i];

		if (server->node != node)
			continue;
		if (server->pool >= 0)
			reports[server->pool].seen_here = Max(reports[server->pool].seen_here,
												  found[i] != NULL);
		if (found[i] != NULL)
		{
			pids[npids++] = found[i]->pid;
			rows->pooler.comes_from_known = true;
			strlcpy(rows->pooler.comes_from, found[i]->client_addr, PGPS_ADDR_LEN);
		}
	}
	pgps_pooler_bind(number, pids, npids);
}

/*
 * Pools that are no longer listed have nothing any more.  They are looked for
 * only when others are listed than before.
 */
static void
end_unlisted(const PgpsConsole *console, const PgpsConsoleRows *rows,
			 TimestampTz now)
{
	static uint64 listed[PGPS_MAX_POOLERS];
	uint64		hash = hash_bytes_extended((const unsigned char *) console->name,
										   strlen(console->name), 0);
	int			i;

	for (i = 0; i < rows->npools; i++)
	{
		const PgpsConsolePool *pool = &rows->pools[i];

		/* in whatever order */
		hash += hash_bytes_extended((const unsigned char *) pool->database, strlen(pool->database),
									hash_bytes((const unsigned char *) pool->user, strlen(pool->user)));
	}
	if (listed[console->number] != hash)
		pgps_registry_unlisted(console->name, now);
	listed[console->number] = hash;
}

/*
 * Take the answers of one poll.  False if they are not those of a pooler.
 * May raise when memory runs out.
 */
bool
pgps_console_take(const PgpsConsole *console)
{
	TimestampTz now = GetCurrentTimestamp();
	PgpsConsoleRows *rows = pgps_console_read(console);
	PgpsReport *reports;
	int			nreports;
	bool		has_row;
	int			i;

	if (rows == NULL)
		return false;
	nreports = rows->npools;
	reports = palloc((rows->npools + rows->ncounters + 1) * sizeof(PgpsReport));
	for (i = 0; i < rows->npools; i++)
		make_report(&reports[i], &rows->pools[i], &rows->pooler);
	for (i = 0; i < rows->ncounters; i++)
		assign_counters(rows, &rows->counters[i], reports, &nreports);
	bind_servers(console->number, rows, reports);
	for (i = 0; i < nreports; i++)
		(void) pgps_registry_report(&reports[i], now, &has_row);
	end_unlisted(console, rows, now);

	if (!rows->pooler.comes_from_known)
		strlcpy(rows->pooler.comes_from, console->address, PGPS_ADDR_LEN);
	rows->pooler.reachable = true;
	rows->pooler.last_poll = now;
	rows->pooler.poll_time = now - console->started_at;
	if (console->is_one_of_several)
		strlcpy(rows->pooler.error, "one of several processes, if others listen at its port (so_reuseport), and they were not reached",
				PGPS_ERROR_LEN);
	pgps_pooler_answered(console->number, &rows->pooler);
	return true;
}
