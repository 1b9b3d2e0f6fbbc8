/*-------------------------------------------------------------------------
 *
 * console_state.c
 *	  What a pooler's console says of its state, and that of its pools: that
 *	  they are paused or disabled, take no more clients, and who waits.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"

#include "poolers/console.h"
#include "poolers/console_read.h"
#include "registry/told.h"

/* the console of a pooler with more clients or users does not list them */
#define MAX_LISTED 1000

/* Is it a PgBouncer 1.minor or later? */
bool
pgps_is_pgbouncer(const PgpsConsole *console, int least)
{
	const char *version = pgps_cell(console->tables[PGPS_SHOW_VERSION], 0, "version");
	int			major,
				minor;

	return pgps_console_product(console) == PGPS_PRODUCT_PGBOUNCER &&
		sscanf(version, "%*s %d.%d", &major, &minor) == 2 &&
		(major > 1 || (major == 1 && minor >= least));
}

static bool
somebody_waits(const PgpsTable *pools)
{
	int			i;

	for (i = 0; pools != NULL && i < pools->nrows; i++)
	{
		if (pgps_count_in(pools, i, "cl_waiting") > 0)
			return true;
	}
	return false;
}

/* SHOW LISTS has a row for each figure; some products a column. */
int32
pgps_count_in_lists(const PgpsTable *lists, const char *name)
{
	int			row = pgps_table_row(lists, "list", name);

	return row >= 0 ? pgps_count_in(lists, row, "items") :
		pgps_count_in(lists, 0, name);
}

static bool
is_listed(const PgpsConsole *console, const char *what)
{
	int32		n = pgps_count_in_lists(console->tables[PGPS_SHOW_LISTS], what);

	return n >= 0 && n <= MAX_LISTED;
}

/*
 * Is it to be asked?  What a PgBouncer does not know yet would be an error, or
 * tell nothing.  The list of its clients may be long: it is, while somebody
 * waits.
 */
bool
pgps_console_wants(const PgpsConsole *console, PgpsShow show)
{
	switch (show)
	{
		case PGPS_SHOW_STATE:
			return pgps_is_pgbouncer(console, 19);
		case PGPS_SHOW_USERS:
			return pgps_is_pgbouncer(console, 24) && is_listed(console, "users");
		case PGPS_SHOW_CLIENTS:
			return pgps_console_product(console) == PGPS_PRODUCT_ODYSSEY ||
				(pgps_is_pgbouncer(console, 0) && is_listed(console, "used_clients") &&
				 somebody_waits(console->tables[PGPS_SHOW_POOLS]));
		default:
			return true;
	}
}

/*
 * Which of the processes is it that share a port?  They are told apart by
 * their files and numbers.  0 = it does not share its port.
 */
uint64
pgps_console_process(const PgpsConsole *console)
{
	static const char *const settings[] = {
		"conffile", "logfile", "peer_id", "pidfile", "unix_socket_dir"
	};
	const PgpsTable *config = console->tables[PGPS_SHOW_CONFIG];
	uint64		process = 1;
	int			i;

	if (!pgps_is_cell(config, pgps_table_row(config, "key", "so_reuseport"), "value", "1"))
		return 0;
	for (i = 0; i < lengthof(settings); i++)
	{
		const char *value = pgps_cell(config, pgps_table_row(config, "key", settings[i]), "value");

		if (value == NULL)
			value = "";
		process = hash_combine64(process, hash_bytes_extended((const unsigned char *) value, strlen(value), 0));
	}
	return Max(process, 1);
}

/*
 * Of which application are those who wait?  The one of most of them, if that
 * is more than half.
 */
static void
read_waiting(PgpsConsoleRows *rows, const PgpsTable *clients,
			 const PgpsTable *databases)
{
	int			i;

	for (i = 0; clients != NULL && i < clients->nrows; i++)
	{
		const char *app = pgps_cell(clients, i, "application_name");
		const char *user = pgps_cell(clients, i, "user");
		const char *database = pgps_cell(clients, i, "database");
		const char *forced;
		PgpsConsolePool *pool;
		int			p;

		if (app == NULL || user == NULL ||
			!pgps_is_cell(clients, i, "state", "waiting"))
			continue;

		/* it is its own here, and in SHOW POOLS that of the database's entry */
		forced = database == NULL ? NULL :
			pgps_cell(databases, pgps_table_row(databases, "name", database),
					  "force_user");
		if (forced != NULL && forced[0] != '\0')
			user = forced;
		p = pgps_console_pool(rows, 0, database, user);
		if (p < 0)
			continue;
		pool = &rows->pools[p];
		if (pool->waiting_app != NULL && strcmp(pool->waiting_app, app) != 0)
			pool->state |= PGPS_SEVERAL_WAIT;
		if (pool->lead == 0)
			pool->waiting_app = app;
		pool->lead += strcmp(pool->waiting_app, app) == 0 ? 1 : -1;
	}
}

static bool
is_on(const PgpsTable *state, const char *key)
{
	return pgps_is_cell(state, pgps_table_row(state, "key", key), "value", "yes");
}

/* Has a database or user as many clients as it may? */
static bool
has_no_room(const PgpsTable *table, int row, const char *limit_column)
{
	int32		limit = pgps_count_in(table, row, limit_column);

	return limit > 0 &&
		limit <= pgps_count_in(table, row, "current_client_connections");
}

/* All pools are read already. */
void
pgps_read_states(PgpsConsoleRows *rows, const PgpsConsole *console)
{
	const PgpsTable *state = console->tables[PGPS_SHOW_STATE];
	const PgpsTable *databases = console->tables[PGPS_SHOW_DATABASES];
	const PgpsTable *pools = console->tables[PGPS_SHOW_POOLS];
	const PgpsTable *users = console->tables[PGPS_SHOW_USERS];
	bool		all_paused = is_on(state, "paused") || is_on(state, "suspended");
	int			i;

	for (i = 0; i < rows->npools; i++)
	{
		PgpsConsolePool *pool = &rows->pools[i];
		int			row = pgps_table_row(databases, "name", pool->database);

		if (all_paused || pgps_count_in(databases, row, "paused") > 0)
			pool->state |= PGPS_PAUSED;
		if (pgps_count_in(databases, row, "disabled") > 0)
			pool->state |= PGPS_DISABLED;
		if (has_no_room(databases, row, "max_client_connections") ||
			has_no_room(users, pgps_table_row(users, "name", pool->user),
						"max_user_client_connections"))
			pool->state |= PGPS_NO_MORE_CLIENTS;
	}
	for (i = 0; pools != NULL && i < pools->nrows; i++)
	{
		const char *user = pgps_cell(pools, i, "user");
		int			p = user == NULL ? -1 :
			pgps_console_pool(rows, 0, pgps_cell(pools, i, "database"), user);

		if (p < 0)
			continue;
		if (pgps_is_cell(pools, i, "paused", "t"))
			rows->pools[p].state |= PGPS_PAUSED;
		rows->pools[p].cancels = pgps_count_in(pools, i, "cl_waiting_cancel_req");
		if (rows->pools[p].cancels < 0)
			rows->pools[p].cancels = pgps_count_in(pools, i, "cl_cancel_req");
	}
	if (console->tables[PGPS_SHOW_CLIENTS] != NULL)
		read_waiting(rows, console->tables[PGPS_SHOW_CLIENTS], databases);
}
