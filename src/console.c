/*-------------------------------------------------------------------------
 *
 * console.c
 *	  What a pooler's console answers, made into rows of the registry.
 *
 * Called by the poller with the answers of one poll.  Columns are found by
 * name, and their words are those of the dialects (dialect_poolers.c).  What
 * differs from product to product:
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

#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "console.h"
#include "dialect_table.h"
#include "figures.h"
#include "names.h"
#include "poolers.h"
#include "registry.h"

#define MAX_POOLS 500			/* of one pooler; what is more is left out */

/* one pool of a pooler */
typedef struct ConsolePool
{
	const char *database;		/* as the pooler calls it */
	const char *user;			/* NULL = all of the database */
	Oid			dbid;			/* here; InvalidOid = not known here */
	Oid			roleid;
	NameData	datname;
	NameData	usename;
	const char *pool_mode;
	int32		shared_cap;		/* of all pools of its database; 0 = none */
	PgpsValues	counted;		/* of its counters, for other rows so far */
	int			listed;			/* server connections it lists ... */
	int			here;			/* ... of those, seen here */
	PgpsStats	stats;
} ConsolePool;

/* one poll on its way into the registry */
typedef struct Work
{
	const PgpsConsole *console;
	PgpsProduct product;
	PgpsPooler	pooler;
	int			npools;
	int			room;
	ConsolePool *pools;
	int			nbackends;
	PgpsBackend *backends;		/* by pid */
	int			npids;
	int		   *pids;			/* those held by the pooler */
} Work;

/*-------------------------------------------------------------------------
 * Tables
 *-------------------------------------------------------------------------
 */

static int
find_column(const PgpsTable *table, const char *name, Size length)
{
	int			i;

	for (i = 0; i < table->ncols; i++)
	{
		if (strlen(table->columns[i]) == length &&
			pg_strncasecmp(table->columns[i], name, length) == 0)
			return i;
	}
	return -1;
}

/* NULL if the column is not there, or null */
static const char *
cell(const PgpsTable *table, int row, const char *column)
{
	int			c = table ? find_column(table, column, strlen(column)) : -1;

	return c < 0 || row < 0 || row >= table->nrows ? NULL :
		table->cells[row * table->ncols + c];
}

static bool
is_cell(const PgpsTable *table, int row, const char *column, const char *value)
{
	const char *text = cell(table, row, column);

	return text !=NULL && strcmp(text, value) == 0;
}

/* The row in which a column has a value; -1 if there is none. */
static int
find_row(const PgpsTable *table, const char *column, const char *value)
{
	int			i;

	for (i = 0; table != NULL && i < table->nrows; i++)
	{
		if (is_cell(table, i, column, value))
			return i;
	}
	return -1;
}

/* A count out of a table; -1 if it is none. */
static int32
count_in(const PgpsTable *table, int row, const char *column)
{
	const char *text = cell(table, row, column);
	char	   *end;
	long		value;

	if (text == NULL)
		return -1;
	errno = 0;
	value = strtol(text, &end, 10);
	return errno == 0 && end != text &&*end == '\0' && value >= 0 &&
		value <= PG_INT32_MAX ? (int32) value : -1;
}

/* Are the columns there that a dialect is known by? */
static bool
speaks(const PgpsTable *table, const PgpsDialect *dialect)
{
	int			i;

	for (i = 0; i < PGPS_DETECT_KEYS && dialect->detected_by[i] != NULL; i++)
	{
		const char *p = dialect->detected_by[i];
		Size		length = strcspn(p, "|");

		while (find_column(table, p, length) < 0)
		{
			if (p[length] == '\0')
				return false;
			p += length + 1;
			length = strcspn(p, "|");
		}
	}
	return true;
}

/* The dialect of a table, most specific first; NULL if it is none of ours. */
static const PgpsDialect *
dialect_of(const PgpsTable *table, const PgpsDialect *const *dialects)
{
	for (; table != NULL && *dialects != NULL; dialects++)
	{
		if (speaks(table, *dialects))
			return *dialects;
	}
	return NULL;
}

/* Read one row; a value that cannot be leaves its figure unknown. */
static void
read_row(PgpsFigures *figures, const PgpsTable *table, int row,
		 const PgpsDialect *dialect)
{
	const PgpsDialectKey *key;

	memset(figures, 0, sizeof(PgpsFigures));
	for (key = dialect->keys; key->key != NULL; key++)
	{
		const char *text = cell(table, row, key->key);
		JsonbValue	value;

		if (text == NULL || key->unit == PGPS_UNIT_NONE)
			continue;
		value.type = jbvString;
		value.val.string.val = unconstify(char *, text);
		value.val.string.len = strlen(text);
		(void) pgps_read_figure(figures, dialect, key, &value);
	}
}

/*-------------------------------------------------------------------------
 * The pooler itself
 *-------------------------------------------------------------------------
 */

/* Which product answers?  "PgBouncer 1.18.0", "odyssey 1.5.2 release, ..." */
PgpsProduct
pgps_console_product(const PgpsConsole *console)
{
	const char *version = cell(console->tables[PGPS_SHOW_VERSION], 0, "version");

	if (cell(console->tables[PGPS_SHOW_POOL_VERSION], 0, "pool_version") != NULL)
		return PGPS_PRODUCT_PGPOOL;
	if (version == NULL)
		return PGPS_PRODUCT_UNKNOWN;
	if (pg_strncasecmp(version, "pgbouncer ", 10) == 0)
		return PGPS_PRODUCT_PGBOUNCER;
	if (pg_strncasecmp(version, "odyssey ", 8) == 0)
		return PGPS_PRODUCT_ODYSSEY;
	return PGPS_PRODUCT_OTHER;
}

static void
read_version(Work *work)
{
	static const char *const names[] = {
		[PGPS_PRODUCT_PGBOUNCER] = "PgBouncer",
		[PGPS_PRODUCT_ODYSSEY] = "Odyssey",
		[PGPS_PRODUCT_PGPOOL] = "Pgpool-II"
	};
	PgpsPooler *pooler = &work->pooler;
	bool		pgpool = work->product == PGPS_PRODUCT_PGPOOL;
	const char *text = pgpool ?
		cell(work->console->tables[PGPS_SHOW_POOL_VERSION], 0, "pool_version") :
		cell(work->console->tables[PGPS_SHOW_VERSION], 0, "version");
	char	   *words = pstrdup(text);
	Size		length = strcspn(words, " ");

	if (work->product == PGPS_PRODUCT_OTHER)
		pgps_clean_text(pooler->product, sizeof(pooler->product),
						pnstrdup(words, length));
	else
		strlcpy(pooler->product, names[work->product], sizeof(pooler->product));
	if (!pgpool)
	{
		words += length + (words[length] != '\0');
		length = strcspn(words, " ,");
	}
	pgps_clean_text(pooler->version, sizeof(pooler->version),
					pnstrdup(words, length));
}

/* SHOW LISTS has a row for each figure; some products a column. */
static int32
count_in_lists(const PgpsTable *lists, const char *name)
{
	int			row = find_row(lists, "list", name);

	return row >= 0 ? count_in(lists, row, "items") : count_in(lists, 0, name);
}

static int32
count_in_config(const PgpsTable *config, const char *name)
{
	return count_in(config, find_row(config, "key", name), "value");
}

static int32
count_in_status(const PgpsTable *status, const char *name)
{
	return count_in(status, find_row(status, "item", name), "value");
}

static void
read_totals(Work *work)
{
	const PgpsTable *const *tables = work->console->tables;

	work->pooler.clients = count_in_lists(tables[PGPS_SHOW_LISTS],
										  "used_clients");
	work->pooler.max_client_conn = count_in_config(tables[PGPS_SHOW_CONFIG],
												   "max_client_conn");
	work->pooler.max_db_connections = count_in_config(tables[PGPS_SHOW_CONFIG],
													  "max_db_connections");
}

/*-------------------------------------------------------------------------
 * Its pools
 *-------------------------------------------------------------------------
 */

static ConsolePool *
add_pool(Work *work, const char *database, const char *user)
{
	ConsolePool *pool = &work->pools[work->npools++];

	memset(pool, 0, sizeof(ConsolePool));
	pool->database = database;
	pool->user = user;
	return pool;
}

/* Number of Odyssey's clients of a pool that wait for a server connection */
static int64
count_queue(const PgpsTable *clients, const ConsolePool *pool)
{
	int			i;
	int64		n = 0;

	for (i = 0; i < clients->nrows; i++)
		n += is_cell(clients, i, "database", pool->database) &&
			is_cell(clients, i, "user", pool->user) &&
			is_cell(clients, i, "state", "queue");
	return n;
}

static void
correct_odyssey(const Work *work, ConsolePool *pool)
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
read_capacity(const Work *work, ConsolePool *pool)
{
	static const PgpsDialect *const dialects[] = {
		&pgps_pgbouncer_databases, NULL
	};
	static const PgpsField fields[] = {
		PGPS_POOL_SIZE, PGPS_MAX_OVERFLOW, PGPS_MIN_SIZE, PGPS_MAX_SIZE,
		PGPS_UNLIMITED
	};
	const PgpsTable *databases = work->console->tables[PGPS_SHOW_DATABASES];
	const PgpsDialect *dialect = dialect_of(databases, dialects);
	int			row = find_row(databases, "name", pool->database);
	PgpsValues *values = &pool->stats.values;
	PgpsValues	told = {0};
	PgpsFigures figures;
	int32		limit;
	int			i;

	if (dialect == NULL || row < 0)
		return;
	read_row(&figures, databases, row, dialect);
	(void) pgps_work_out(&figures, dialect);
	pgps_figures_to_values(&told, &figures);
	for (i = 0; i < lengthof(fields); i++)
	{
		if (pgps_known(&told, fields[i]) && !pgps_known(values, fields[i]))
			pgps_set(values, fields[i], told.value[fields[i]]);
	}

	/* all users of the database together */
	limit = count_in(databases, row, "max_connections");
	pool->shared_cap = Max(limit, 0);
	if (limit > 0 && limit < pgps_get(values, PGPS_MAX_SIZE, PG_INT64_MAX))
	{
		pgps_set(values, PGPS_MAX_SIZE, limit);
		pgps_set(values, PGPS_UNLIMITED, 0);
	}
}

/* What a row of SHOW STATS has counted */
static void
read_counters(ConsolePool *pool, const PgpsTable *stats, int row,
			  const PgpsDialect *dialect)
{
	PgpsFigures figures;
	PgpsValues	told = {0};
	int			f;

	read_row(&figures, stats, row, dialect);
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
resolve(const Work *work, ConsolePool *pool)
{
	const PgpsTable *databases = work->console->tables[PGPS_SHOW_DATABASES];
	int			row = find_row(databases, "name", pool->database);
	const char *database = cell(databases, row, "database");
	const char *user = cell(databases, row, "force_user");

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

static void
name_pool(const Work *work, const ConsolePool *pool, PgpsPoolKey *key,
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
read_statistics(Work *work, const PgpsTable *stats, int row,
				const PgpsDialect *dialect)
{
	const char *database = cell(stats, row, "database");
	const char *user = cell(stats, row, "user");
	ConsolePool *only = NULL;
	ConsolePool whole = {.database = database};
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
		ConsolePool *pool = &work->pools[i];

		if (pool->user != NULL && strcmp(pool->database, database) == 0 &&
			(user == NULL || strcmp(pool->user, user) == 0))
		{
			only = pool;
			n++;
			name_pool(work, pool, &key, instance);
			(void) pgps_registry_counted(&key, instance, &counted);
		}
	}
	if (n == 0)
		return;
	resolve(work, &whole);
	name_pool(work, &whole, &key, instance);
	if (n == 1 && !pgps_registry_counted(&key, instance, &ignored))
		read_counters(only, stats, row, dialect);
	else if (work->npools < work->room)
	{
		ConsolePool *pool = add_pool(work, database, NULL);

		strlcpy(pool->stats.dialect, dialect->name, PGPS_DIALECT_LEN);
		pool->dbid = whole.dbid;
		pool->datname = whole.datname;
		pool->counted = counted;
		read_counters(pool, stats, row, dialect);
	}
}

/* PgBouncer and its kin: a row for each pool; the console itself is one. */
static void
read_pools(Work *work)
{
	static const PgpsDialect *const dialects[] = {
		&pgps_pgdog_pools, &pgps_pgbouncer_pools, NULL
	};
	static const PgpsDialect *const stats_dialects[] = {
		&pgps_pgdog_stats, &pgps_pgcat_stats, &pgps_pgbouncer_stats, NULL
	};
	const PgpsTable *table = work->console->tables[PGPS_SHOW_POOLS];
	const PgpsDialect *dialect = dialect_of(table, dialects);
	int			i;

	if (dialect == NULL)
		return;
	/* as many again for databases with several users */
	work->room = 2 * Min(table->nrows, MAX_POOLS);
	work->pools = palloc((work->room + 1) * sizeof(ConsolePool));
	for (i = 0; i < table->nrows && work->npools < MAX_POOLS; i++)
	{
		const char *database = cell(table, i, "database");
		const char *user = cell(table, i, "user");
		PgpsFigures figures;
		ConsolePool *pool;

		if (database == NULL || user == NULL ||
			strcmp(database, work->console->database) == 0)
			continue;
		pool = add_pool(work, database, user);
		pool->pool_mode = cell(table, i, "pool_mode");
		strlcpy(pool->stats.dialect, dialect->name, PGPS_DIALECT_LEN);
		read_row(&figures, table, i, dialect);
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
	dialect = dialect_of(table, stats_dialects);
	for (i = 0; dialect != NULL && i < table->nrows; i++)
		read_statistics(work, table, i, dialect);
}

/*
 * Pgpool-II: a row for each process, slot of its cache and backend node.
 * Those of one database and user are a pool; any process may serve it.
 */
static void
read_pgpool(Work *work)
{
	const PgpsTable *table = work->console->tables[PGPS_SHOW_POOL_POOLS];
	int32		processes = count_in_status(work->console->tables[PGPS_SHOW_POOL_STATUS],
											"num_init_children");
	PgpsFigures *figures;
	PgpsValues	all = {0};
	bool	   *done;
	int			i,
				j;

	if (table == NULL || !speaks(table, &pgps_pgpool2_pools))
		return;
	figures = palloc(Max(table->nrows, 1) * sizeof(PgpsFigures));
	done = palloc0(Max(table->nrows, 1) * sizeof(bool));
	work->pools = palloc(Min(table->nrows + 1, MAX_POOLS) * sizeof(ConsolePool));
	for (i = 0; i < table->nrows && work->npools < MAX_POOLS; i++)
	{
		const char *database = cell(table, i, "database");
		const char *user = cell(table, i, "username");
		ConsolePool *pool;
		int			n = 0;

		if (done[i] || database == NULL || user == NULL ||
			database[0] == '\0' || user[0] == '\0')
			continue;
		for (j = i; j < table->nrows; j++)
		{
			if (is_cell(table, j, "database", database) &&
				is_cell(table, j, "username", user))
			{
				read_row(&figures[n++], table, j, &pgps_pgpool2_pools);
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
		read_row(&figures[i], table, i, &pgps_pgpool2_pools);
	pgps_combine_pgpool2(&all, figures, table->nrows);
	work->pooler.clients = pgps_get(&all, PGPS_CHECKED_OUT, -1);
	work->pooler.max_client_conn = processes;
}

/*-------------------------------------------------------------------------
 * Its server connections
 *-------------------------------------------------------------------------
 */

static int
compare_backends(const void *a, const void *b)
{
	const PgpsBackend *x = a;
	const PgpsBackend *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid ? 1 : 0;
}

static int
compare_pids(const void *a, const void *b)
{
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	return x < y ? -1 : x > y ? 1 : 0;
}

static void
find_backends(Work *work)
{
	work->backends = pgps_registry_backends(&work->nbackends);
	work->pids = palloc(Max(work->nbackends, 1) * sizeof(int));
	qsort(work->backends, work->nbackends, sizeof(PgpsBackend),
		  compare_backends);
}

static PgpsBackend *
backend_of_pid(const Work *work, int pid)
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
backend_of_server(const Work *work, const PgpsTable *servers, int row)
{
	int32		pid = count_in(servers, row, "remote_pid");
	int32		port = count_in(servers, row, "local_port");
	const char *addr = cell(servers, row, "addr");
	const char *local = cell(servers, row, "local_addr");
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
hold(Work *work, const PgpsBackend *backend, ConsolePool *pool)
{
	if (pool != NULL)
		pool->listed++;
	if (backend == NULL || work->npids >= work->nbackends)
		return;
	if (pool != NULL)
		pool->here++;
	work->pids[work->npids++] = backend->pid;
}

static ConsolePool *
pool_of(const Work *work, const char *database, const char *user)
{
	int			i;

	for (i = 0; database != NULL && user != NULL && i < work->npools; i++)
	{
		ConsolePool *pool = &work->pools[i];

		if (pool->user != NULL && strcmp(pool->user, user) == 0 &&
			strcmp(pool->database, database) == 0)
			return pool;
	}
	return NULL;
}

static void
bind_servers(Work *work)
{
	const PgpsTable *servers = work->console->tables[PGPS_SHOW_SERVERS];
	int			i;

	for (i = 0; servers != NULL && i < servers->nrows; i++)
		hold(work, backend_of_server(work, servers, i),
			 pool_of(work, cell(servers, i, "database"),
					 cell(servers, i, "user")));
}

/*
 * Pgpool-II tells pids.  Of several backend nodes we are the one most of whose
 * pids are here, with the same role and database.
 */
static void
bind_pgpool(Work *work)
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
			int32		n = count_in(table, i, "backend_id");
			int32		pid = count_in(table, i, "pool_backendpid");
			PgpsBackend *backend = backend_of_pid(work, pid);
			ConsolePool *pool = pool_of(work, cell(table, i, "database"),
										cell(table, i, "username"));
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

/*-------------------------------------------------------------------------
 * Into the registry
 *-------------------------------------------------------------------------
 */

static void
tell(const Work *work, ConsolePool *pool, TimestampTz now)
{
	PgpsReport	report = {0};
	const char *name = work->pooler.name;
	bool		has_row;

	name_pool(work, pool, &report.key, report.instance);
	report.usename = pool->usename;
	report.datname = pool->datname;
	report.reporter.id = hash_bytes_extended((const unsigned char *) name,
											 strlen(name), 0);
	report.source = PGPS_SOURCE_POOLER;
	report.pool_mode = pool->pool_mode;
	report.shared_cap = pool->shared_cap;
	report.shared_by = hash_bytes((const unsigned char *) pool->database,
								  strlen(pool->database)) ^ report.reporter.id;
	report.counted = &pool->counted;
	report.seen_here = pool->here > 0 ? 1 : pool->listed > 0 ? 0 : -1;
	report.stats = &pool->stats;
	snprintf(pool->stats.app_version, sizeof(pool->stats.app_version), "%s %s",
			 work->pooler.product, work->pooler.version);
	(void) pgps_registry_report(&report, now, &has_row);
}

/*
 * Take the answers of one poll.  False if they are not those of a pooler.
 * May raise when memory runs out.
 */
bool
pgps_console_take(const PgpsConsole *console)
{
	TimestampTz now = GetCurrentTimestamp();
	Work		work = {.console = console};
	int			i;

	work.product = pgps_console_product(console);
	if (work.product == PGPS_PRODUCT_UNKNOWN)
		return false;
	work.pooler.max_client_conn = work.pooler.clients = -1;
	work.pooler.max_db_connections = -1;
	strlcpy(work.pooler.name, console->name, PGPS_POOL_LEN);
	read_version(&work);
	find_backends(&work);
	if (work.product == PGPS_PRODUCT_PGPOOL)
	{
		read_pgpool(&work);
		bind_pgpool(&work);
	}
	else
	{
		read_totals(&work);
		read_pools(&work);
		bind_servers(&work);
	}

	for (i = 0; i < work.npools; i++)
		tell(&work, &work.pools[i], now);
	qsort(work.pids, work.npids, sizeof(int), compare_pids);
	pgps_pooler_bind(console->number, work.pids, work.npids);
	work.pooler.reachable = true;
	work.pooler.last_poll = now;
	work.pooler.poll_time = now - console->started_at;
	pgps_pooler_answered(console->number, &work.pooler);
	return true;
}
