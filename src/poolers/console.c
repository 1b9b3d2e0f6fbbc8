/*-------------------------------------------------------------------------
 *
 * console.c
 *	  What a pooler's console answers, made into rows of the registry.
 *
 * Called by the poller with the answers of one poll.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/timestamp.h"

#include "poolers/console_work.h"
#include "registry/bindings.h"

/*-------------------------------------------------------------------------
 * The pooler itself
 *-------------------------------------------------------------------------
 */

/* Which product answers?  "PgBouncer 1.18.0", "odyssey 1.5.2 release, ..." */
PgpsProduct
pgps_console_product(const PgpsConsole *console)
{
	const char *version = pgps_cell(console->tables[PGPS_SHOW_VERSION], 0, "version");

	if (pgps_cell(console->tables[PGPS_SHOW_POOL_VERSION], 0, "pool_version") != NULL)
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
read_version(PgpsWork *work)
{
	static const char *const names[] = {
		[PGPS_PRODUCT_PGBOUNCER] = "PgBouncer",
		[PGPS_PRODUCT_ODYSSEY] = "Odyssey",
		[PGPS_PRODUCT_PGPOOL] = "Pgpool-II"
	};
	PgpsPooler *pooler = &work->pooler;
	bool		pgpool = work->product == PGPS_PRODUCT_PGPOOL;
	const char *text = pgpool ?
		pgps_cell(work->console->tables[PGPS_SHOW_POOL_VERSION], 0, "pool_version") :
		pgps_cell(work->console->tables[PGPS_SHOW_VERSION], 0, "version");
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
	int			row = pgps_table_row(lists, "list", name);

	return row >= 0 ? pgps_count_in(lists, row, "items") : pgps_count_in(lists, 0, name);
}

static int32
count_in_config(const PgpsTable *config, const char *name)
{
	return pgps_count_in(config, pgps_table_row(config, "key", name), "value");
}

static void
read_totals(PgpsWork *work)
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
 * Into the registry
 *-------------------------------------------------------------------------
 */

static void
tell(const PgpsWork *work, PgpsConsolePool *pool, TimestampTz now)
{
	PgpsReport	report = {0};
	const char *name = work->pooler.name;
	bool		has_row;

	pgps_name_console_pool(work, pool, &report.key, report.instance);
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
	PgpsWork	work = {.console = console};
	int			i;

	work.product = pgps_console_product(console);
	if (work.product == PGPS_PRODUCT_UNKNOWN)
		return false;
	work.pooler.max_client_conn = work.pooler.clients = -1;
	work.pooler.max_db_connections = -1;
	strlcpy(work.pooler.name, console->name, PGPS_POOL_LEN);
	read_version(&work);
	pgps_find_backends(&work);
	if (work.product == PGPS_PRODUCT_PGPOOL)
	{
		pgps_read_pgpool(&work);
		pgps_bind_pgpool(&work);
	}
	else
	{
		read_totals(&work);
		pgps_read_pools(&work);
		pgps_bind_servers(&work);
	}

	for (i = 0; i < work.npools; i++)
		tell(&work, &work.pools[i], now);
	pgps_pooler_bind(console->number, work.pids, work.npids);
	work.pooler.reachable = true;
	work.pooler.last_poll = now;
	work.pooler.poll_time = now - console->started_at;
	pgps_pooler_answered(console->number, &work.pooler);
	return true;
}
