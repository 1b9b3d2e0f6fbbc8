/*-------------------------------------------------------------------------
 *
 * connections.c
 *	  The functions behind the views connections and rejections.
 *
 * Privileges and Datums only, as in views.c.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_database.h"
#include "catalog/pg_db_role_setting.h"
#include "mb/pg_wchar.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "analysis/budget.h"
#include "analysis/leaks.h"
#include "analysis/snapshot.h"
#include "base/compat.h"
#include "base/settings.h"
#include "base/shmem.h"
#include "server/rejections.h"
#include "views/row.h"
#include "views/views.h"

PG_FUNCTION_INFO_V1(pgps_get_connections);
PG_FUNCTION_INFO_V1(pgps_get_rejections);

/* The words of pg_stat_activity */
static const char *
state_name(BackendState state)
{
	switch (state)
	{
		case STATE_IDLE:
			return "idle";
		case STATE_RUNNING:
			return "active";
		case STATE_IDLEINTRANSACTION:
			return "idle in transaction";
		case STATE_FASTPATH:
			return "fastpath function call";
		case STATE_IDLEINTRANSACTION_ABORTED:
			return "idle in transaction (aborted)";
		case STATE_DISABLED:
			return "disabled";
		default:
			return NULL;
	}
}

static void
put_connection(PgpsRow *row, const PgpsSnapshot *snapshot,
			   const PgpsBackend *backend, const PgpsPoolView *pool,
			   const PgpsInstanceView *view, const char *suspect)
{
	const char *via = pgps_pooler_between(snapshot, backend);

	pgps_put_int4(row, backend->pid);
	pgps_put_time(row, backend->backend_start);
	pgps_put_text(row, pool->data->key.name);
	pgps_put_text(row, view->data->name);
	pgps_put_name(row, pgps_database_name(pool->data));
	pgps_put_name(row, pgps_role_name(pool->data));
	pgps_put_text(row, pgps_source_name(backend->labelled ? PGPS_SOURCE_LABEL :
										PGPS_SOURCE_DISCOVERY));
	pgps_put_text(row, via);
	pgps_put_bool(row, via != NULL || backend->several);
	pgps_put_text(row, pgps_printable(backend->application_name));
	pgps_put_address(row, backend->client_addr);
	if (backend->client_port >= 0)
		pgps_put_int4(row, backend->client_port);
	else
		pgps_put_null(row);
	pgps_put_text(row, state_name(backend->state));
	pgps_put_time(row, backend->state_change);
	pgps_put_time(row, backend->xact_start);
	pgps_put_int8(row, backend->xacts);
	pgps_put_float8(row, backend->total_xact_time / 1000.0);
	pgps_put_float8(row, backend->max_xact_time / 1000.0);
	pgps_put_text(row, suspect);
	pgps_row_end(row);
}

/*
 * What speaks against each backend of the snapshot.  Only of those that are
 * surely leaked: who reads this may end them.
 */
static const char **
find_suspects(const PgpsSnapshot *snapshot)
{
	const char **suspects = palloc0(Max(snapshot->nbackends, 1) * sizeof(char *));
	int			nleaks;
	PgpsLeak   *leaks = pgps_find_leaks(snapshot, &nleaks);
	int			i,
				j;

	for (i = 0; i < nleaks; i++)
	{
		if (leaks[i].at_least < leaks[i].candidates)
			continue;
		for (j = 0; j < leaks[i].candidates; j++)
			suspects[leaks[i].suspects[j].backend - snapshot->backends] =
				leaks[i].kind == PGPS_LEAK_LENT ? "leak" : "idle in transaction";
	}
	return suspects;
}

/* application_name in the reader's encoding; bytes it has not become "?" */
char *
pgps_printable(const char *text)
{
	char		clean[NAMEDATALEN];

	pgps_clean_text(clean, sizeof(clean), text);
	return pstrdup(clean);
}

Datum
pgps_get_connections(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	PgpsSnapshot *snapshot;
	const char **suspects;
	bool		sees_all;
	int			i;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo);
	snapshot = pgps_take_snapshot(PGPS_NO_HISTOGRAMS);
	suspects = find_suspects(snapshot);
	sees_all = pgps_sees_all();
	for (i = 0; i < snapshot->nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];
		const PgpsInstanceView *view = pgps_instance_of(snapshot, backend);

		if (view != NULL && pgps_may_see(view->pool->data->key.roleid, sees_all))
			put_connection(&row, snapshot, backend, view->pool, view,
						   suspects[i]);
	}
	return (Datum) 0;
}

/*-------------------------------------------------------------------------
 * Rejections
 *-------------------------------------------------------------------------
 */

/* The label among the settings of one pg_db_role_setting row, or NULL */
static char *
label_setting(Relation rel, Oid roleid, Oid dbid)
{
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	char	   *label = NULL;

	ScanKeyInit(&keys[0], Anum_pg_db_role_setting_setdatabase,
				BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(dbid));
	ScanKeyInit(&keys[1], Anum_pg_db_role_setting_setrole,
				BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(roleid));
	scan = systable_beginscan(rel, DbRoleSettingDatidRolidIndexId, true, NULL,
							  2, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		static const char prefix[] = "pgpool_stats.pool=";
		bool		isnull;
		Datum		config = heap_getattr(tuple, Anum_pg_db_role_setting_setconfig,
										  RelationGetDescr(rel), &isnull);
		Datum	   *items;
		int			n = 0,
					i;

		if (!isnull)
			deconstruct_array(DatumGetArrayTypeP(config), TEXTOID, -1, false,
							  TYPALIGN_INT, &items, NULL, &n);
		for (i = 0; i < n; i++)
		{
			char	   *item = TextDatumGetCString(items[i]);

			if (strncmp(item, prefix, strlen(prefix)) == 0)
				label = item + strlen(prefix);
		}
	}
	systable_endscan(scan);
	return label;
}

/*
 * The label that a role's connections to a database get by ALTER ROLE or
 * ALTER DATABASE, or NULL.
 */
char *
pgps_role_label(Oid roleid, Oid dbid)
{
	Relation	rel = table_open(DbRoleSettingRelationId, AccessShareLock);
	char	   *label;

	/* in the order in which they win */
	label = label_setting(rel, roleid, dbid);
	if (label == NULL)
		label = label_setting(rel, roleid, InvalidOid);
	if (label == NULL)
		label = label_setting(rel, InvalidOid, dbid);
	table_close(rel, AccessShareLock);
	return label;
}

/* What the limit is that refused; -1 if it is not known any more */
static int
usable_of(const PgpsOrigin *origin, Oid roleid, Oid dbid)
{
	PgpsLimit	limit;

	switch (origin->reason)
	{
		case PGPS_REASON_ROLE:
			return OidIsValid(roleid) && pgps_role_limit(roleid, &limit) ?
				limit.usable : -1;
		case PGPS_REASON_DATABASE:
			return OidIsValid(dbid) && pgps_database_limit(dbid, &limit) ?
				limit.usable : -1;
		case PGPS_REASON_SERVER:
		case PGPS_REASON_BACKLOG:
			return MaxConnections;
		default:
			return pgps_server_usable(roleid);
	}
}

static void
put_rejection(PgpsRow *row, const PgpsRejection *r, Oid roleid, Oid dbid)
{
	const PgpsOrigin *origin = &r->origin;
	int			usable = usable_of(origin, roleid, dbid);
	char	   *label = NULL;

	if (!origin->labelled && OidIsValid(roleid))
		label = pgps_role_label(roleid, dbid);

	pgps_put_time(row, r->first_rejected);
	pgps_put_time(row, r->last_rejected);
	pgps_put_int8(row, r->count);
	pgps_put_text(row, pgps_reason_name(origin->reason));
	if (usable >= 0)
		pgps_put_int4(row, usable);
	else
		pgps_put_null(row);
	pgps_put_text(row, label ? pgps_printable(label) : origin->pool);
	pgps_put_text(row, origin->instance);
	pgps_put_name(row, origin->datname);
	pgps_put_name(row, origin->usename);
	pgps_put_text(row, origin->application_name);
	pgps_put_address(row, origin->client_addr);
	pgps_row_end(row);
}

/*
 * Oldest first.  Who a refused connection says it is has not been proved;
 * a role sees what was refused under its name.
 */
Datum
pgps_get_rejections(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	PgpsRejections *rejections;
	bool		sees_all;
	int			i;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo);
	rejections = pgps_rejections_copy();
	sees_all = pgps_sees_all();
	for (i = 0; i < rejections->nrejections; i++)
	{
		const PgpsRejection *r = &rejections->rejections[i];
		Oid			roleid = get_role_oid(r->origin.usename, true);

		if (pgps_may_see(roleid, sees_all))
			put_rejection(&row, r, roleid,
						  get_database_oid(r->origin.datname, true));
	}
	return (Datum) 0;
}
