/*-------------------------------------------------------------------------
 *
 * console_servers.c
 *	  Which connections here are the server connections of a pooler?
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "poolers/console_work.h"

static int
compare_backends(const void *a, const void *b)
{
	const PgpsBackend *x = a;
	const PgpsBackend *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid ? 1 : 0;
}

void
pgps_find_backends(PgpsWork *work)
{
	work->backends = pgps_registry_backends(&work->nbackends);
	work->pids = palloc(Max(work->nbackends, 1) * sizeof(int));
	qsort(work->backends, work->nbackends, sizeof(PgpsBackend),
		  compare_backends);
}

static PgpsBackend *
backend_of_pid(const PgpsWork *work, int pid)
{
	PgpsBackend key = {.pid = pid};

	return pid <= 0 ? NULL :
		bsearch(&key, work->backends, work->nbackends, sizeof(PgpsBackend),
				compare_backends);
}

/*
 * The backend at the other end of a server connection that the pooler lists.
 * Its port is the client's here; its address may look different from there,
 * and the pid alone may be that of a process of another server, so that one
 * of them must be the same, too.
 */
static PgpsBackend *
backend_of_server(const PgpsWork *work, const PgpsTable *servers, int row)
{
	int32		pid = pgps_count_in(servers, row, "remote_pid");
	int32		port = pgps_count_in(servers, row, "local_port");
	const char *addr = pgps_cell(servers, row, "addr");
	const char *local = pgps_cell(servers, row, "local_addr");
	bool		is_local = addr != NULL && strncmp(addr, "unix", 4) == 0;
	PgpsBackend *backend = backend_of_pid(work, pid);
	int			i;

	if (backend != NULL)
		return (is_local ? backend->client_port < 0 :
				port > 0 && backend->client_port == port) ? backend : NULL;
	for (i = 0; pid <= 0 && local != NULL && port > 0 && i < work->nbackends; i++)
	{
		backend = &work->backends[i];
		if (backend->client_port == port &&
			strcmp(backend->client_addr, local) == 0)
			return backend;
	}
	return NULL;
}

static void
hold(PgpsWork *work, const PgpsBackend *backend, PgpsConsolePool *pool)
{
	if (pool != NULL)
		pool->listed++;
	if (backend == NULL || work->npids >= work->nbackends)
		return;
	if (pool != NULL)
		pool->here++;
	work->pids[work->npids++] = backend->pid;
}

static PgpsConsolePool *
pool_of(const PgpsWork *work, const char *database, const char *user)
{
	int			i;

	for (i = 0; database != NULL && user != NULL && i < work->npools; i++)
	{
		PgpsConsolePool *pool = &work->pools[i];

		if (pool->user != NULL && strcmp(pool->user, user) == 0 &&
			strcmp(pool->database, database) == 0)
			return pool;
	}
	return NULL;
}

void
pgps_bind_servers(PgpsWork *work)
{
	const PgpsTable *servers = work->console->tables[PGPS_SHOW_SERVERS];
	int			i;

	for (i = 0; servers != NULL && i < servers->nrows; i++)
		hold(work, backend_of_server(work, servers, i),
			 pool_of(work, pgps_cell(servers, i, "database"),
					 pgps_cell(servers, i, "user")));
}

/*
 * Pgpool-II tells pids.  Of several backend nodes we are the one most of whose
 * pids are here, with the same role and database.
 */
void
pgps_bind_pgpool(PgpsWork *work)
{
	const PgpsTable *table = work->console->tables[PGPS_SHOW_POOL_POOLS];
	int			node = -1;
	int			pass,
				i;
	int			matches[128] = {0};

	for (pass = 0; pass < 2; pass++)
	{
		for (i = 0; table != NULL && i < table->nrows; i++)
		{
			int32		n = pgps_count_in(table, i, "backend_id");
			int32		pid = pgps_count_in(table, i, "pool_backendpid");
			PgpsBackend *backend = backend_of_pid(work, pid);
			PgpsConsolePool *pool = pool_of(work, pgps_cell(table, i, "database"),
											pgps_cell(table, i, "username"));
			bool		same = backend != NULL && pool != NULL &&
				backend->roleid == pool->roleid && backend->dbid == pool->dbid;

			if (n < 0 || n >= lengthof(matches) || pid <= 0)
				continue;
			if (pass == 0)
				matches[n] += same;
			else if (n == node)
				hold(work, same ? backend : NULL, pool);
		}
		for (i = 0; i < lengthof(matches); i++)
		{
			if (matches[i] > (node < 0 ? 0 : matches[node]))
				node = i;
		}
	}
}
