/*-------------------------------------------------------------------------
 *
 * console_pools.c
 *	  The pools of a pooler, as its console tells them.
 *
 * What differs from product to product:
 *
 * - Odyssey counts idle clients as cl_waiting and knows no maxwait; those who
 *	 wait are in the state "queue" in SHOW CLIENTS.
 * - Statistics are kept by database; with several users in one, nobody knows
 *	 whose they are, and they have a row of their own.
 * - Pgpool-II has no pool for a database and user, only processes that serve
 *	 anybody; each of them may hold one connection for the two.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "base/names.h"
#include "dialects/list.h"
#include "dialects/figures.h"
#include "poolers/console_work.h"

#define MAX_POOLS 500			/* of one pooler; what is more is left out */

static PgpsConsolePool *
add_pool(PgpsWork *work, const char *database, const char *user)
{
	PgpsConsolePool *pool = &work->pools[work->npools++];

	memset(pool, 0, sizeof(PgpsConsolePool));
	pool->database = database;
	pool->user = user;
	return pool;
}

/* Number of Odyssey's clients of a pool that wait for a server connection */
static int64
count_queue(const PgpsTable *clients, const PgpsConsolePool *pool)
{
	int			i;
	int64		n = 0;

	for (i = 0; i < clients->nrows; i++)
		n += pgps_is_cell(clients, i, "database", pool->database) &&
			pgps_is_cell(clients, i, "user", pool->user) &&
			pgps_is_cell(clients, i, "state", "queue");
	return n;
}

static void
correct_odyssey(const PgpsWork *work, PgpsConsolePool *pool)
{
	const PgpsTable *clients = work->console->tables[PGPS_SHOW_CLIENTS];
	PgpsValues *values = &pool->stats.values;

	pgps_unset(values, PGPS_MAX_WAIT);
	if (clients == NULL)
	{
		pgps_unset(values, PGPS_WAITING);
		return;
	}
	pgps_set(values, PGPS_WAITING, count_queue(clients, pool));
	if (pgps_known(values, PGPS_CLIENTS))
		values->value[PGPS_CLIENTS] += values->value[PGPS_WAITING];
}

/* How many connections may it open?  As its database says, or in general */
static void
read_capacity(const PgpsWork *work, PgpsConsolePool *pool)
{
	static const PgpsDialect *const dialects[] = {
		&pgps_pgbouncer_databases, NULL
	};
	static const PgpsField fields[] = {
		PGPS_POOL_SIZE, PGPS_MAX_OVERFLOW, PGPS_MIN_SIZE, PGPS_MAX_SIZE,
		PGPS_UNLIMITED
	};
	const PgpsTable *databases = work->console->tables[PGPS_SHOW_DATABASES];
	const PgpsDialect *dialect = pgps_dialect_of(databases, dialects);
	int			row = pgps_table_row(databases, "name", pool->database);
	PgpsValues *values = &pool->stats.values;
	PgpsValues	told = {0};
	PgpsFigures figures;
	int32		limit;
	int			i;

	if (dialect == NULL || row < 0)
		return;
	pgps_read_row(&figures, databases, row, dialect);
	(void) pgps_work_out(&figures, dialect);
	pgps_figures_to_values(&told, &figures);
	for (i = 0; i < lengthof(fields); i++)
	{
		if (pgps_known(&told, fields[i]) && !pgps_known(values, fields[i]))
			pgps_set(values, fields[i], told.value[fields[i]]);
	}

	/* all users of the database together */
	limit = pgps_count_in(databases, row, "max_connections");
	pool->shared_cap = Max(limit, 0);
	if (limit > 0 && limit < pgps_get(values, PGPS_MAX_SIZE, PG_INT64_MAX))
	{
		pgps_set(values, PGPS_MAX_SIZE, limit);
		pgps_set(values, PGPS_UNLIMITED, 0);
	}
}

/* What a row of SHOW STATS has counted */
static void
read_counters(PgpsConsolePool *pool, const PgpsTable *stats, int row,
			  const PgpsDialect *dialect)
{
	PgpsFigures figures;
	PgpsValues	told = {0};
	int			f;

	pgps_read_row(&figures, stats, row, dialect);
	(void) pgps_work_out(&figures, dialect);
	pgps_figures_to_values(&told, &figures);
	for (f = PGPS_FIRST_COUNTER; f < PGPS_NFIELDS; f++)
	{
		if (pgps_known(&told, f))
			pgps_set(&pool->stats.values, f, told.value[f]);
	}
}

/* Which role and database are that here? */
static void
resolve(const PgpsWork *work, PgpsConsolePool *pool)
{
	const PgpsTable *databases = work->console->tables[PGPS_SHOW_DATABASES];
	int			row = pgps_table_row(databases, "name", pool->database);
	const char *database = pgps_cell(databases, row, "database");
	const char *user = pgps_cell(databases, row, "force_user");

	if (database == NULL || !OidIsValid(pgps_database_named(database)))
		database = pool->database;
	if (user == NULL || !OidIsValid(pgps_role_named(user)))
		user = pool->user;
	pool->dbid = pgps_database_named(database);
	if (pool->user != NULL)
		pool->roleid = pgps_role_named(user);
	if (OidIsValid(pool->dbid))
		namestrcpy(&pool->datname, database);
	if (OidIsValid(pool->roleid))
		namestrcpy(&pool->usename, user);
}

void
pgps_name_console_pool(const PgpsWork *work, const PgpsConsolePool *pool, PgpsPoolKey *key,
					   char *instance)
{
	memset(key, 0, sizeof(PgpsPoolKey));
	key->roleid = pool->roleid;
	key->dbid = pool->dbid;
	strlcpy(key->name, work->pooler.name, PGPS_POOL_LEN);
	pgps_clean_tail(instance, PGPS_INSTANCE_LEN, pool->user == NULL ?
					pool->database :
					psprintf("%s/%s", pool->database, pool->user));
}

/*
 * Whose are the statistics of a database?  Its only pool's; with several, or
 * once there were several, they are in a row of the database itself, which
 * goes on from where the pool's stood.
 */
static void
read_statistics(PgpsWork *work, const PgpsTable *stats, int row,
				const PgpsDialect *dialect)
{
	const char *database = pgps_cell(stats, row, "database");
	const char *user = pgps_cell(stats, row, "user");
	PgpsConsolePool *only = NULL;
	PgpsConsolePool whole = {.database = database};
	PgpsPoolKey key;
	char		instance[PGPS_INSTANCE_LEN];
	PgpsValues	counted = {0};
	PgpsValues	ignored = {0};
	int			n = 0,
				i;

	if (database == NULL)
		return;
	for (i = 0; i < work->npools; i++)
	{
		PgpsConsolePool *pool = &work->pools[i];

		if (pool->user != NULL && strcmp(pool->database, database) == 0 &&
			(user == NULL || strcmp(pool->user, user) == 0))
		{
			only = pool;
			n++;
			pgps_name_console_pool(work, pool, &key, instance);
			(void) pgps_registry_counted(&key, instance, &counted);
		}
	}
	if (n == 0)
		return;
	resolve(work, &whole);
	pgps_name_console_pool(work, &whole, &key, instance);
	if (n == 1 && !pgps_registry_counted(&key, instance, &ignored))
		read_counters(only, stats, row, dialect);
	else if (work->npools < work->room)
	{
		PgpsConsolePool *pool = add_pool(work, database, NULL);

		strlcpy(pool->stats.dialect, dialect->name, PGPS_DIALECT_LEN);
		pool->dbid = whole.dbid;
		pool->datname = whole.datname;
		pool->counted = counted;
		read_counters(pool, stats, row, dialect);
	}
}

/* PgBouncer and its kin: a row for each pool; the console itself is one. */
void
pgps_read_pools(PgpsWork *work)
{
	static const PgpsDialect *const dialects[] = {
		&pgps_pgdog_pools, &pgps_pgbouncer_pools, NULL
	};
	static const PgpsDialect *const stats_dialects[] = {
		&pgps_pgdog_stats, &pgps_pgcat_stats, &pgps_pgbouncer_stats, NULL
	};
	const PgpsTable *table = work->console->tables[PGPS_SHOW_POOLS];
	const PgpsDialect *dialect = pgps_dialect_of(table, dialects);
	int			i;

	if (dialect == NULL)
		return;
	/* as many again for databases with several users */
	work->room = 2 * Min(table->nrows, MAX_POOLS);
	work->pools = palloc((work->room + 1) * sizeof(PgpsConsolePool));
	for (i = 0; i < table->nrows && work->npools < MAX_POOLS; i++)
	{
		const char *database = pgps_cell(table, i, "database");
		const char *user = pgps_cell(table, i, "user");
		PgpsFigures figures;
		PgpsConsolePool *pool;

		if (database == NULL || user == NULL ||
			strcmp(database, work->console->database) == 0)
			continue;
		pool = add_pool(work, database, user);
		pool->pool_mode = pgps_cell(table, i, "pool_mode");
		strlcpy(pool->stats.dialect, dialect->name, PGPS_DIALECT_LEN);
		pgps_read_row(&figures, table, i, dialect);
		(void) pgps_work_out(&figures, dialect);
		pgps_figures_to_values(&pool->stats.values, &figures);
		if (work->product == PGPS_PRODUCT_ODYSSEY)
			correct_odyssey(work, pool);
	}
	for (i = 0; i < work->npools; i++)
	{
		read_capacity(work, &work->pools[i]);
		resolve(work, &work->pools[i]);
	}

	table = work->console->tables[PGPS_SHOW_STATS];
	dialect = pgps_dialect_of(table, stats_dialects);
	for (i = 0; dialect != NULL && i < table->nrows; i++)
		read_statistics(work, table, i, dialect);
}

/*
 * Pgpool-II: a row for each process, slot of its cache and backend node.
 * Those of one database and user are a pool; any process may serve it.
 */
void
pgps_read_pgpool(PgpsWork *work)
{
	const PgpsTable *table = work->console->tables[PGPS_SHOW_POOL_POOLS];
	const PgpsTable *status = work->console->tables[PGPS_SHOW_POOL_STATUS];
	int32		processes = pgps_count_in(status, pgps_table_row(status, "item", "num_init_children"),
										  "value");
	PgpsFigures *figures;
	PgpsValues	all = {0};
	bool	   *done;
	int			i,
				j;

	if (table == NULL || !pgps_speaks(table, &pgps_pgpool2_pools))
		return;
	figures = palloc(Max(table->nrows, 1) * sizeof(PgpsFigures));
	done = palloc0(Max(table->nrows, 1) * sizeof(bool));
	work->pools = palloc(Min(table->nrows + 1, MAX_POOLS) * sizeof(PgpsConsolePool));
	for (i = 0; i < table->nrows && work->npools < MAX_POOLS; i++)
	{
		const char *database = pgps_cell(table, i, "database");
		const char *user = pgps_cell(table, i, "username");
		PgpsConsolePool *pool;
		int			n = 0;

		if (done[i] || database == NULL || user == NULL ||
			database[0] == '\0' || user[0] == '\0')
			continue;
		for (j = i; j < table->nrows; j++)
		{
			if (pgps_is_cell(table, j, "database", database) &&
				pgps_is_cell(table, j, "username", user))
			{
				pgps_read_row(&figures[n++], table, j, &pgps_pgpool2_pools);
				done[j] = true;
			}
		}
		pool = add_pool(work, database, user);
		strlcpy(pool->stats.dialect, pgps_pgpool2_pools.name, PGPS_DIALECT_LEN);
		pgps_combine_pgpool2(&pool->stats.values, figures, n);
		pgps_unset(&pool->stats.values, PGPS_POOL_SIZE);
		pgps_unset(&pool->stats.values, PGPS_MAX_SIZE);
		if (processes >= 0)
		{
			pgps_set(&pool->stats.values, PGPS_POOL_SIZE, processes);
			pgps_set(&pool->stats.values, PGPS_MAX_SIZE, processes);
		}
		pgps_set(&pool->stats.values, PGPS_CLIENTS,
				 pool->stats.values.value[PGPS_CHECKED_OUT]);
		resolve(work, pool);
	}

	for (i = 0; i < table->nrows; i++)
		pgps_read_row(&figures[i], table, i, &pgps_pgpool2_pools);
	pgps_combine_pgpool2(&all, figures, table->nrows);
	work->pooler.clients = pgps_get(&all, PGPS_CHECKED_OUT, -1);
	work->pooler.max_client_conn = processes;
}
