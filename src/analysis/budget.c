/*-------------------------------------------------------------------------
 *
 * budget.c
 *	  The limits of the server, its databases and its roles, and what is used
 *	  of them.
 *
 * Limits count client backends only.  Walsenders, autovacuum and background
 * workers have slots of their own.  Superusers are exempt from role and
 * database limits.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "analysis/budget.h"
#include "base/compat.h"

#define WARNING_PCT 80
#define CRITICAL_PCT 90
#define RECENTLY (5 * USECS_PER_MINUTE)

const char *
pgps_scope_name(PgpsScope scope)
{
	static const char *const names[] = {
		"server", "database", "role", "pooler", "pool"
	};

	return names[scope];
}

const char *
pgps_limit_status_name(PgpsLimitStatus status)
{
	static const char *const names[] = {"ok", "full", "warning", "critical"};

	return names[status];
}

/*
 * How many of max_connections a role can use; InvalidOid: any ordinary one.
 * Needs a transaction for a valid role.
 */
int
pgps_server_usable(Oid roleid)
{
	if (OidIsValid(roleid) && superuser_arg(roleid))
		return MaxConnections;
	if (OidIsValid(roleid) && pgps_may_use_reserved(roleid))
		return MaxConnections - SuperuserReservedConnections;
	return Max(MaxConnections - SuperuserReservedConnections -
			   ReservedConnections, 0);
}

/*
 * The same for what is planned: the superusers' reserve is for emergencies,
 * not even a superuser's pool is planned with it.
 */
int
pgps_server_plannable(Oid roleid)
{
	return Min(pgps_server_usable(roleid),
			   MaxConnections - SuperuserReservedConnections);
}

static PgpsLimitStatus
server_status(int usable, int used)
{
	if (used >= usable)
		return PGPS_LIMIT_CRITICAL;
	if (usable < PGPS_SMALL_LIMIT)
		return PGPS_LIMIT_OK;
	if (used * 100 >= usable * CRITICAL_PCT)
		return PGPS_LIMIT_CRITICAL;
	return used * 100 >= usable * WARNING_PCT ? PGPS_LIMIT_WARNING : PGPS_LIMIT_OK;
}

/* Has a limit rejected somebody in the last minutes? */
static bool
was_just_rejected(const PgpsRejected *rejected)
{
	return rejected->count > 0 &&
		GetCurrentTimestamp() - rejected->last_rejected < RECENTLY;
}

/* The server's own status, for any process */
PgpsLimitStatus
pgps_server_status(const PgpsRejections *rejections)
{
	PgpsRejected rejected = pgps_rejected(rejections, pgps_server_hash());

	if (was_just_rejected(&rejected))
		return PGPS_LIMIT_CRITICAL;
	return server_status(pgps_server_usable(InvalidOid),
						 pgps_client_processes());
}

/*
 * A limit of its own that is used up is often meant so: that is full, not
 * critical.
 */
static PgpsLimitStatus
own_limit_status(const PgpsLimit *limit)
{
	if (was_just_rejected(&limit->rejected))
		return PGPS_LIMIT_CRITICAL;
	if (limit->conn_limit < 0)
		return PGPS_LIMIT_OK;
	if (limit->used >= limit->conn_limit)
		return PGPS_LIMIT_FULL;
	if (limit->conn_limit >= PGPS_SMALL_LIMIT &&
		limit->used * 100 >= limit->conn_limit * WARNING_PCT)
		return PGPS_LIMIT_WARNING;
	return PGPS_LIMIT_OK;
}

static void
fill_role_limit(PgpsLimit *limit, Form_pg_authid form)
{
	memset(limit, 0, sizeof(PgpsLimit));
	limit->scope = PGPS_SCOPE_ROLE;
	limit->oid = form->oid;
	limit->name = form->rolname;
	limit->conn_limit = form->rolsuper ? -1 : form->rolconnlimit;
	limit->usable = pgps_server_usable(form->oid);
	limit->reserved = MaxConnections - limit->usable;
	if (limit->conn_limit >= 0)
		limit->usable = Min(limit->usable, limit->conn_limit);
}

static void
fill_database_limit(PgpsLimit *limit, Form_pg_database form)
{
	memset(limit, 0, sizeof(PgpsLimit));
	limit->scope = PGPS_SCOPE_DATABASE;
	limit->oid = form->oid;
	limit->name = form->datname;
	limit->conn_limit = form->datconnlimit;
	limit->usable = pgps_server_usable(InvalidOid);
	limit->reserved = MaxConnections - limit->usable;
	if (limit->conn_limit != -1)
		limit->usable = Min(limit->usable, Max(limit->conn_limit, 0));
}

/* The limit of a role; false if there is no such role. */
bool
pgps_role_limit(Oid roleid, PgpsLimit *limit)
{
	HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(roleid));

	if (!HeapTupleIsValid(tuple))
		return false;
	fill_role_limit(limit, (Form_pg_authid) GETSTRUCT(tuple));
	ReleaseSysCache(tuple);
	return true;
}

bool
pgps_database_limit(Oid dbid, PgpsLimit *limit)
{
	HeapTuple	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(dbid));

	if (!HeapTupleIsValid(tuple))
		return false;
	fill_database_limit(limit, (Form_pg_database) GETSTRUCT(tuple));
	ReleaseSysCache(tuple);
	return true;
}

/* All roles or all databases */
static List *
scan_limits(PgpsScope scope)
{
	bool		role = scope == PGPS_SCOPE_ROLE;
	Relation	rel = table_open(role ? AuthIdRelationId : DatabaseRelationId,
								 AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	List	   *result = NIL;

	while ((tuple = systable_getnext(scan)) != NULL)
	{
		PgpsLimit  *limit = palloc(sizeof(PgpsLimit));

		if (role)
			fill_role_limit(limit, (Form_pg_authid) GETSTRUCT(tuple));
		else
			fill_database_limit(limit, (Form_pg_database) GETSTRUCT(tuple));
		result = lappend(result, limit);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/* Does anything but its existence make a role or database worth a row? */
static bool
is_involved(const PgpsSnapshot *snapshot, const PgpsLimit *limit)
{
	int			i;

	if (limit->conn_limit != -1 || limit->used > 0 || limit->rejected.count > 0)
		return true;
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolKey *key = &snapshot->pools[i].data->key;

		if ((limit->scope == PGPS_SCOPE_ROLE ? key->roleid : key->dbid) ==
			limit->oid)
			return true;
	}
	return false;
}

/* The peak of a limit, and how often it rejected somebody */
static void
add_events(PgpsLimit *limit, const PgpsSnapshot *snapshot)
{
	const char *name = NameStr(limit->name);
	uint64		hash;
	int			i;

	for (i = 0; i < snapshot->npeaks; i++)
	{
		if (snapshot->peaks[i].scope == limit->scope &&
			snapshot->peaks[i].oid == limit->oid)
		{
			limit->peak_used = snapshot->peaks[i].peak;
			limit->peak_used_at = snapshot->peaks[i].peak_at;
		}
	}

	hash = limit->scope == PGPS_SCOPE_ROLE ? pgps_role_hash(name) :
		limit->scope == PGPS_SCOPE_DATABASE ? pgps_database_hash(name) :
		pgps_server_hash();
	limit->rejected = pgps_rejected(snapshot->rejections, hash);

	/* whoever is rejected by the server has found all its slots in use */
	if (limit->scope == PGPS_SCOPE_SERVER && limit->rejected.count > 0 &&
		limit->peak_used < limit->usable)
	{
		limit->peak_used = limit->usable;
		limit->peak_used_at = limit->rejected.last_rejected;
	}
}

static int
compare_limits(const ListCell *a, const ListCell *b)
{
	const PgpsLimit *x = lfirst(a);
	const PgpsLimit *y = lfirst(b);

	if (x->scope != y->scope)
		return x->scope < y->scope ? -1 : 1;
	return strcmp(NameStr(x->name), NameStr(y->name));
}

/*
 * The rows of the budget: the server, then the databases and the roles that
 * have a limit, a connection or a pool.  Needs a transaction.
 */
List *
pgps_limits(const PgpsSnapshot *snapshot)
{
	PgpsCommitments *commitments = pgps_commitments(snapshot, NIL);
	PgpsLimit  *server = palloc0(sizeof(PgpsLimit));
	List	   *result;
	List	   *candidates;
	ListCell   *lc;

	server->scope = PGPS_SCOPE_SERVER;
	server->conn_limit = MaxConnections;
	server->usable = pgps_server_usable(InvalidOid);
	server->reserved = MaxConnections - server->usable;
	server->used = pgps_client_processes();
	server->starting = Max(server->used - snapshot->nbackends, 0);
	server->headroom = Max(server->usable - server->used, 0);
	server->binding = PGPS_SCOPE_SERVER;
	server->status = pgps_server_status(snapshot->rejections);
	add_events(server, snapshot);
	server->committed = pgps_committed(commitments, PGPS_SCOPE_SERVER,
									   InvalidOid);
	result = list_make1(server);

	candidates = list_concat(scan_limits(PGPS_SCOPE_DATABASE),
							 scan_limits(PGPS_SCOPE_ROLE));
	list_sort(candidates, compare_limits);
	foreach(lc, candidates)
	{
		PgpsLimit  *limit = lfirst(lc);
		int			on_server;
		int			i;

		for (i = 0; i < snapshot->nbackends; i++)
		{
			const PgpsBackend *backend = &snapshot->backends[i];

			limit->used += (limit->scope == PGPS_SCOPE_ROLE ?
							backend->roleid : backend->dbid) == limit->oid;
		}
		add_events(limit, snapshot);
		if (!is_involved(snapshot, limit))
			continue;

		on_server = MaxConnections - limit->reserved - server->used;
		limit->headroom = limit->conn_limit == -1 ? on_server :
			Min(on_server, Max(limit->conn_limit, 0) - limit->used);
		limit->binding = limit->headroom < on_server ? limit->scope :
			PGPS_SCOPE_SERVER;
		limit->headroom = Max(limit->headroom, 0);
		limit->status = own_limit_status(limit);
		limit->committed = pgps_committed(commitments, limit->scope, limit->oid);
		result = lappend(result, limit);
	}
	return result;
}
