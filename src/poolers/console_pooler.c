/*-------------------------------------------------------------------------
 *
 * console_pooler.c
 *	  What a pooler's console says of the pooler itself.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/text.h"
#include "poolers/console.h"
#include "poolers/console_read.h"
#include "poolers/poolers.h"

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

/* Pgpool-II answers its version, the others their name and version. */
static void
read_version(PgpsPooler *pooler, const PgpsConsole *console)
{
	PgpsProduct product = pgps_console_product(console);
	static const char *const names[] = {
		[PGPS_PRODUCT_PGBOUNCER] = "PgBouncer",
		[PGPS_PRODUCT_ODYSSEY] = "Odyssey",
		[PGPS_PRODUCT_PGPOOL] = "Pgpool-II"
	};
	const char *words = product == PGPS_PRODUCT_PGPOOL ?
		pgps_cell(console->tables[PGPS_SHOW_POOL_VERSION], 0, "pool_version") :
		pgps_cell(console->tables[PGPS_SHOW_VERSION], 0, "version");
	Size		length = strcspn(words, " ");

	if (product == PGPS_PRODUCT_OTHER)
		pgps_clean_text(pooler->product, sizeof(pooler->product),
						pnstrdup(words, length));
	else
		strlcpy(pooler->product, names[product], sizeof(pooler->product));
	if (product != PGPS_PRODUCT_PGPOOL)
	{
		words += length + (words[length] != '\0');
		length = strcspn(words, " ,");
	}
	pgps_clean_text(pooler->version, sizeof(pooler->version),
					pnstrdup(words, length));
}

static int32
count_in_config(const PgpsTable *config, const char *name)
{
	return pgps_count_in(config, pgps_table_row(config, "key", name), "value");
}

/*
 * What it is, how it is configured, and what all its databases do together; of
 * Pgpool-II only what it is.
 */
void
pgps_read_pooler(PgpsPooler *pooler, const PgpsConsole *console)
{
	const PgpsTable *config = console->tables[PGPS_SHOW_CONFIG];
	const PgpsTable *stats = console->tables[PGPS_SHOW_STATS];

	read_version(pooler, console);
	pooler->clients = pgps_count_in_lists(console->tables[PGPS_SHOW_LISTS],
										  "used_clients");
	pooler->max_client_conn = count_in_config(config, "max_client_conn");
	pooler->max_db_connections = count_in_config(config, "max_db_connections");
	pooler->query_wait_timeout = count_in_config(config, "query_wait_timeout");
	pooler->bytes_received = pgps_sum_of(stats, "total_received", console->database);
	pooler->bytes_sent = pgps_sum_of(stats, "total_sent", console->database);
	pooler->client_parses = pgps_sum_of(stats, "total_client_parse_count", console->database);
	pooler->server_parses = pgps_sum_of(stats, "total_server_parse_count", console->database);
	pooler->binds = pgps_sum_of(stats, "total_bind_count", console->database);
}
