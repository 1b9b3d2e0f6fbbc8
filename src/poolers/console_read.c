/*-------------------------------------------------------------------------
 *
 * console_read.c
 *	  What a pooler's console says, as plain rows.
 *
 * What differs from product to product:
 *
 * - Odyssey counts idle clients as cl_waiting and knows no maxwait; those who
 *	 wait are in the state "queue" in SHOW CLIENTS.
 * - Statistics are kept by database, or by database and user.
 * - PgDog has a row for each server of a pool, and so have PgCat's statistics.
 * - Pgpool-II has no pool for a database and user, only processes that serve
 *	 anybody; each of them may hold one connection for the two.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/int.h"

#include "base/text.h"
#include "dialects/list.h"
#include "poolers/console_read.h"

int
pgps_console_pool(const PgpsConsoleRows *rows, int from, const char *database,
				  const char *user)
{
	int			i;

	for (i = from; database != NULL && i < rows->npools; i++)
	{
		if (strcmp(rows->pools[i].database, database) == 0 &&
			(user == NULL || strcmp(rows->pools[i].user, user) == 0))
			return i;
	}
	return -1;
}

/* Room for a pool of each row of a table, up to the limit */
static PgpsConsolePool *
make_room(const PgpsTable *table)
{
	return palloc(Min(table->nrows + 1, PGPS_MAX_POOLER_POOLS) * sizeof(PgpsConsolePool));
}

/* The name of the pool that a row is about */
static PgpsConsolePool
pool_of_row(const PgpsTable *table, int row, const char *user_column,
			const PgpsDialect *dialect)
{
	PgpsConsolePool pool = {
		.database = pgps_cell(table, row, "database"),
		.user = pgps_cell(table, row, user_column),
		.dialect = dialect->name,
		.cancels = -1
	};

	return pool;
}

/* Set the names of role and database on the server. */
static void
read_server_names(PgpsConsolePool *pool, const PgpsTable *databases)
{
	int			row = pgps_table_row(databases, "name", pool->database);

	pool->server_database = pgps_cell(databases, row, "database");
	pool->server_user = pgps_cell(databases, row, "force_user");
}

/* The figures of a row, in the words of a dialect */
static PgpsValues
values_of_row(const PgpsTable *table, int row, const PgpsDialect *dialect)
{
	PgpsFigures figures;
	PgpsValues	values = {0};

	pgps_read_row(&figures, table, row, dialect);
	(void) pgps_work_out(&figures, dialect);
	pgps_figures_to_values(&values, &figures);
	return values;
}

/* Several rows of one pool are of its servers: PgDog, statistics of PgCat. */
static void
add_values(PgpsValues *sum, const PgpsValues *values)
{
	int			f;

	for (f = 0; f < PGPS_NFIELDS; f++)
	{
		int64		so_far = pgps_get(sum, f, 0);

		if (!pgps_known(values, f))
			continue;
		if (f == PGPS_MAX_WAIT || f == PGPS_UNLIMITED)
			so_far = Max(so_far, values->value[f]);
		else if (pg_add_s64_overflow(so_far, values->value[f], &so_far))
			so_far = PG_INT64_MAX;
		pgps_set(sum, f, f < PGPS_FIRST_COUNTER && f != PGPS_MAX_WAIT ?
				 pgps_cut_count(so_far) : so_far);
	}
}

/* Who waits at Odyssey is in the list of its clients only. */
static void
count_queue(PgpsConsolePool *pool, const PgpsTable *clients)
{
	PgpsValues *values = &pool->values;
	int64		waiting = 0;
	int			i;

	if (clients == NULL)
		return;
	for (i = 0; i < clients->nrows; i++)
		waiting += pgps_is_cell(clients, i, "database", pool->database) &&
			pgps_is_cell(clients, i, "user", pool->user) &&
			pgps_is_cell(clients, i, "state", "queue");
	pgps_set(values, PGPS_WAITING, waiting);
	if (pgps_known(values, PGPS_CLIENTS))
		values->value[PGPS_CLIENTS] += waiting;
}

/* All users of a database, or all pools of a user, may have so many. */
static void
cut_size(PgpsValues *values, int32 limit)
{
	if (limit > 0 && limit < pgps_get(values, PGPS_MAX_SIZE, PG_INT64_MAX))
	{
		pgps_set(values, PGPS_MAX_SIZE, limit);
		pgps_set(values, PGPS_UNLIMITED, 0);
	}
}

/*
 * What is configured for its user stands over what its database says.  PgBouncer
 * 1.24 shows it for the users listed after that one as well.
 */
static void
read_user_capacity(PgpsValues *values, const PgpsTable *users, int row)
{
	int32		size = pgps_count_in(users, row, "pool_size");
	int32		reserve = pgps_count_in(users, row, "reserve_pool_size");

	if (size > 0)
		pgps_set(values, PGPS_POOL_SIZE, size);
	if (reserve >= 0)
		pgps_set(values, PGPS_MAX_OVERFLOW, reserve);
	if (size > 0 || (reserve >= 0 && pgps_known(values, PGPS_POOL_SIZE)))
	{
		pgps_set(values, PGPS_MAX_SIZE,
				 pgps_cut_count(values->value[PGPS_POOL_SIZE] +
								pgps_get(values, PGPS_MAX_OVERFLOW, 0)));
		pgps_set(values, PGPS_UNLIMITED, 0);
	}
}

/*
 * How many connections may it open?  As its user or its database says, or in
 * general
 */
static void
read_capacity(PgpsConsolePool *pool, const PgpsConsole *console)
{
	const PgpsTable *databases = console->tables[PGPS_SHOW_DATABASES];
	const PgpsTable *users = console->tables[PGPS_SHOW_USERS];
	static const PgpsField fields[] = {
		PGPS_POOL_SIZE, PGPS_MAX_OVERFLOW, PGPS_MIN_SIZE, PGPS_MAX_SIZE,
		PGPS_UNLIMITED
	};
	int			row = pgps_table_row(databases, "name", pool->database);
	int			user = pgps_table_row(users, "name", pool->user);
	PgpsValues *values = &pool->values;
	PgpsValues	of_database;
	int			i;

	if (row < 0 || !pgps_speaks(databases, &pgps_pgbouncer_databases))
		return;
	of_database = values_of_row(databases, row, &pgps_pgbouncer_databases);
	for (i = 0; i < lengthof(fields); i++)
	{
		if (pgps_known(&of_database, fields[i]) &&
			!pgps_known(values, fields[i]))
			pgps_set(values, fields[i], of_database.value[fields[i]]);
	}
	if (pgps_is_pgbouncer(console, 26))
		read_user_capacity(values, users, user);

	/* for all users of the database together */
	pool->shared_cap = Max(pgps_count_in(databases, row, "max_connections"), 0);
	cut_size(values, pool->shared_cap);
	cut_size(values, pgps_count_in(users, user, "max_user_connections"));
}

/* Read a row for each pool; the console's own row is left out. */
static void
read_pools(PgpsConsoleRows *rows, const PgpsConsole *console,
		   PgpsProduct product)
{
	static const PgpsDialect *const dialects[] = {
		&pgps_pgdog_pools, &pgps_pgbouncer_pools, NULL
	};
	const PgpsTable *table = console->tables[PGPS_SHOW_POOLS];
	const PgpsDialect *dialect = pgps_dialect_of(table, dialects);
	int			i,
				same;

	if (dialect == NULL)
		return;
	rows->pools = make_room(table);
	for (i = 0; i < table->nrows; i++)
	{
		PgpsConsolePool pool = pool_of_row(table, i, "user", dialect);

		if (pool.database == NULL || pool.user == NULL ||
			strcmp(pool.database, console->database) == 0)
			continue;
		pool.values = values_of_row(table, i, dialect);
		if (product == PGPS_PRODUCT_ODYSSEY)
		{
			pgps_unset(&pool.values, PGPS_MAX_WAIT);
			pgps_unset(&pool.values, PGPS_WAITING);
		}
		same = pgps_console_pool(rows, 0, pool.database, pool.user);
		if (same >= 0)
		{
			add_values(&rows->pools[same].values, &pool.values);
			continue;
		}
		if (rows->npools == PGPS_MAX_POOLER_POOLS)
		{
			rows->pooler.pools_left_out++;
			continue;
		}
		pool.pool_mode = pgps_cell(table, i, "pool_mode");
		if (product == PGPS_PRODUCT_ODYSSEY)
			count_queue(&pool, console->tables[PGPS_SHOW_CLIENTS]);
		read_server_names(&pool, console->tables[PGPS_SHOW_DATABASES]);
		read_capacity(&pool, console);
		rows->pools[rows->npools++] = pool;
	}
}

/* The counters read so far of what another row is about, too; or NULL */
static PgpsConsolePool *
counters_of(const PgpsConsoleRows *rows, const PgpsConsolePool *pool)
{
	int			i;

	for (i = 0; i < rows->ncounters; i++)
	{
		PgpsConsolePool *other = &rows->counters[i];

		if (strcmp(other->database, pool->database) == 0 &&
			(pool->user == NULL || (other->user != NULL &&
									strcmp(other->user, pool->user) == 0)))
			return other;
	}
	return NULL;
}

/* Read the counters of databases, or of their users, that have pools. */
static void
read_database_counters(PgpsConsoleRows *rows, const PgpsConsole *console)
{
	static const PgpsDialect *const dialects[] = {
		&pgps_pgdog_stats, &pgps_pgcat_stats, &pgps_pgbouncer_stats, NULL
	};
	const PgpsTable *table = console->tables[PGPS_SHOW_STATS];
	const PgpsDialect *dialect = pgps_dialect_of(table, dialects);
	PgpsConsolePool *same;
	int			i,
				f;

	if (dialect == NULL)
		return;
	rows->counters = make_room(table);
	for (i = 0; i < table->nrows && rows->ncounters < PGPS_MAX_POOLER_POOLS; i++)
	{
		PgpsConsolePool pool = pool_of_row(table, i, "user", dialect);

		if (pgps_console_pool(rows, 0, pool.database, pool.user) < 0)
			continue;
		read_server_names(&pool, console->tables[PGPS_SHOW_DATABASES]);
		pool.values = values_of_row(table, i, dialect);
		for (f = 0; f < PGPS_FIRST_COUNTER; f++)
			pgps_unset(&pool.values, f);
		same = counters_of(rows, &pool);
		if (same != NULL)
			add_values(&same->values, &pool.values);
		else
			rows->counters[rows->ncounters++] = pool;
	}
}

/*
 * Pgpool-II: a row for each process, slot of its cache and backend node.
 * Those of one database and user are a pool; any process may serve it.
 */
static void
read_pgpool(PgpsConsoleRows *rows, const PgpsConsole *console)
{
	const PgpsTable *table = console->tables[PGPS_SHOW_POOL_POOLS];
	const PgpsTable *status = console->tables[PGPS_SHOW_POOL_STATUS];
	int32		processes = pgps_count_in(status, pgps_table_row(status, "item", "num_init_children"),
										  "value");
	PgpsFigures *figures;
	PgpsValues	all = {0};
	int			i,
				j;

	if (table == NULL || !pgps_speaks(table, &pgps_pgpool2_pools))
		return;
	figures = palloc((table->nrows + 1) * sizeof(PgpsFigures));
	rows->pools = make_room(table);
	for (i = 0; i < table->nrows; i++)
	{
		PgpsConsolePool pool = pool_of_row(table, i, "username",
										   &pgps_pgpool2_pools);
		PgpsValues *values = &pool.values;
		int			n = 0;

		if (pool.database == NULL || pool.user == NULL ||
			pool.database[0] == '\0' || pool.user[0] == '\0' ||
			pgps_console_pool(rows, 0, pool.database, pool.user) >= 0)
			continue;

		/* which of the others are one pool is not looked for */
		if (rows->npools == PGPS_MAX_POOLER_POOLS)
		{
			rows->pooler.pools_left_out = 1;
			break;
		}
		for (j = i; j < table->nrows; j++)
		{
			if (pgps_is_cell(table, j, "database", pool.database) &&
				pgps_is_cell(table, j, "username", pool.user))
				pgps_read_row(&figures[n++], table, j, &pgps_pgpool2_pools);
		}
		pgps_combine_pgpool2(values, figures, n);
		pgps_unset(values, PGPS_POOL_SIZE);
		pgps_unset(values, PGPS_MAX_SIZE);
		if (processes >= 0)
		{
			pgps_set(values, PGPS_POOL_SIZE, processes);
			pgps_set(values, PGPS_MAX_SIZE, processes);
		}
		pgps_set(values, PGPS_CLIENTS, values->value[PGPS_CHECKED_OUT]);
		rows->pools[rows->npools++] = pool;
	}

	for (i = 0; i < table->nrows; i++)
		pgps_read_row(&figures[i], table, i, &pgps_pgpool2_pools);
	pgps_combine_pgpool2(&all, figures, table->nrows);
	rows->pooler.clients = pgps_get(&all, PGPS_CHECKED_OUT, -1);
	rows->pooler.max_client_conn = processes;
}

/*
 * Pgpool-II lists the connections to its nodes, and slots without one.
 * PgBouncer lists also those that are only about to log in.
 */
static void
read_servers(PgpsConsoleRows *rows, const PgpsTable *table, bool pgpool)
{
	int			nrows = table != NULL ? table->nrows : 0;
	int			i;

	rows->servers = palloc((nrows + 1) * sizeof(PgpsConsoleServer));
	for (i = 0; i < nrows; i++)
	{
		const char *user = pgps_cell(table, i, pgpool ? "username" : "user");
		const char *addr = pgps_cell(table, i, "addr");
		PgpsConsoleServer server = {
			.pool = user == NULL ? -1 :
			pgps_console_pool(rows, 0, pgps_cell(table, i, "database"), user),
			.node = pgpool ? pgps_count_in(table, i, "backend_id") : -1,
			.pid = pgps_count_in(table, i, pgpool ? "pool_backendpid" : "remote_pid"),
			.port = pgps_count_in(table, i, "local_port"),
			.local_addr = pgps_cell(table, i, "local_addr"),
			.is_local = addr != NULL && strncmp(addr, "unix", 4) == 0
		};

		if (pgps_is_cell(table, i, "state", "login") ||
			pgps_is_cell(table, i, "state", "new"))
			continue;
		if (pgpool && (server.pid <= 0 || server.node < 0))
			continue;
		if (server.node >= PGPS_MAX_NODES)
			rows->pooler.nodes_left_out = true;
		else
			rows->servers[rows->nservers++] = server;
	}
}

PgpsConsoleRows *
pgps_console_read(const PgpsConsole *console)
{
	const PgpsTable *const *tables = console->tables;
	PgpsProduct product = pgps_console_product(console);
	PgpsConsoleRows *rows;
	PgpsPooler *pooler;

	if (product == PGPS_PRODUCT_UNKNOWN)
		return NULL;
	rows = palloc0(sizeof(PgpsConsoleRows));
	pooler = &rows->pooler;
	*pooler = pgps_unknown_pooler;
	strlcpy(pooler->name, console->name, PGPS_POOL_LEN);
	pgps_read_pooler(pooler, console);
	if (product == PGPS_PRODUCT_PGPOOL)
	{
		read_pgpool(rows, console);
		read_servers(rows, tables[PGPS_SHOW_POOL_POOLS], true);
	}
	else
	{
		read_pools(rows, console, product);
		pgps_read_states(rows, console);
		read_database_counters(rows, console);
		read_servers(rows, tables[PGPS_SHOW_SERVERS], false);
	}
	return rows;
}
