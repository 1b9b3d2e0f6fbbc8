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
#include "storage/lockdefs.h"
#include "utils/hsearch.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "analysis/budget.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/table.h"
#include "registry/backends.h"
#include "registry/registry.h"

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
 * The same for planned pools.  The slots reserved for superusers are for
 * emergencies: not even the pool of a superuser is planned with them.
 */
int
pgps_server_plannable(Oid roleid)
{
	return Min(pgps_server_usable(roleid),
			   MaxConnections - SuperuserReservedConnections);
}

/* Is so much of a limit used? */
static bool
reaches_pct(int used, int limit, int pct)
{
	return used * INT64CONST(100) >= (int64) limit * pct;
}

static PgpsLimitStatus
server_status(int usable, int used)
{
	if (used >= usable)
		return PGPS_LIMIT_CRITICAL;
	if (usable < PGPS_SMALL_LIMIT)
		return PGPS_LIMIT_OK;
	if (reaches_pct(used, usable, CRITICAL_PCT))
		return PGPS_LIMIT_CRITICAL;
	return reaches_pct(used, usable, WARNING_PCT) ? PGPS_LIMIT_WARNING :
		PGPS_LIMIT_OK;
}

/* Has a limit rejected a connection in the last minutes? */
static bool
was_just_rejected(const PgpsRejected *rejected)
{
	return rejected->count > 0 &&
		pgps_elapsed(rejected->last_rejected, GetCurrentTimestamp()) < RECENTLY;
}

/* The server's own status; can be called in any process */
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
 * The limit of a role or database may be meant to be reached: when it is used
 * up, it is full, not critical.
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
		reaches_pct(limit->used, limit->conn_limit, WARNING_PCT))
		return PGPS_LIMIT_WARNING;
	return PGPS_LIMIT_OK;
}

/* Of a row of pg_authid or pg_database */
static void
fill_limit(PgpsLimit *limit, PgpsScope scope, HeapTuple tuple)
{
	Oid			roleid = InvalidOid;

	memset(limit, 0, sizeof(PgpsLimit));
	limit->scope = scope;
	if (scope == PGPS_SCOPE_ROLE)
	{
		Form_pg_authid form = (Form_pg_authid) GETSTRUCT(tuple);

		limit->oid = roleid = form->oid;
		limit->name = form->rolname;
		limit->conn_limit = form->rolsuper ? -1 : form->rolconnlimit;
	}
	else
	{
		Form_pg_database form = (Form_pg_database) GETSTRUCT(tuple);

		limit->oid = form->oid;
		limit->name = form->datname;
		limit->conn_limit = form->datconnlimit;
	}
	limit->usable = pgps_server_usable(roleid);
	limit->reserved = MaxConnections - limit->usable;
	if (limit->conn_limit != -1)
		limit->usable = Min(limit->usable, Max(limit->conn_limit, 0));
}

/* The limit of a role or database; false if there is none of that oid. */
bool
pgps_own_limit(PgpsScope scope, Oid oid, PgpsLimit *limit)
{
	HeapTuple	tuple = SearchSysCache1(scope == PGPS_SCOPE_ROLE ?
										AUTHOID : DATABASEOID,
										ObjectIdGetDatum(oid));

	if (!HeapTupleIsValid(tuple))
		return false;
	fill_limit(limit, scope, tuple);
	ReleaseSysCache(tuple);
	return true;
}

/* All roles or all databases */
static List *
scan_limits(PgpsScope scope)
{
	Relation	rel = table_open(scope == PGPS_SCOPE_ROLE ?
								 AuthIdRelationId : DatabaseRelationId,
								 AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	List	   *result = NIL;

	while ((tuple = systable_getnext(scan)) != NULL)
	{
		PgpsLimit  *limit = palloc(sizeof(PgpsLimit));

		fill_limit(limit, scope, tuple);
		result = lappend(result, limit);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/* what the snapshot has of a limit */
typedef struct UseKey
{
	PgpsScope	scope;
	Oid			oid;			/* InvalidOid for the server */
} UseKey;

typedef struct Use
{
	UseKey		key;
	int			used;			/* connections */
	bool		pools;			/* there are some */
	const PgpsPeak *peak;		/* or NULL */
} Use;

static Use *
find_use(HTAB *uses, PgpsScope scope, Oid oid)
{
	UseKey		key = {scope, oid};
	bool		found;
	Use		   *use = hash_search(uses, &key, HASH_ENTER, &found);

	if (!found)
	{
		memset(use, 0, sizeof(Use));
		use->key = key;
	}
	return use;
}

/* Look at everything once, however many limits there are. */
static HTAB *
find_uses(const PgpsSnapshot *snapshot)
{
	HTAB	   *uses = pgps_make_table("pgpool_stats limits", 64,
									   sizeof(UseKey), sizeof(Use));
	int			i;

	for (i = 0; i < snapshot->nbackends; i++)
	{
		CHECK_FOR_INTERRUPTS();
		find_use(uses, PGPS_SCOPE_ROLE, snapshot->backends[i].roleid)->used++;
		find_use(uses, PGPS_SCOPE_DATABASE, snapshot->backends[i].dbid)->used++;
	}
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolKey *key = &snapshot->pools[i].data->key;

		CHECK_FOR_INTERRUPTS();
		find_use(uses, PGPS_SCOPE_ROLE, key->roleid)->pools = true;
		find_use(uses, PGPS_SCOPE_DATABASE, key->dbid)->pools = true;
	}
	for (i = 0; i < snapshot->npeaks; i++)
	{
		const PgpsPeak *peak = &snapshot->peaks[i];

		CHECK_FOR_INTERRUPTS();
		find_use(uses, peak->scope, peak->oid)->peak = peak;
	}
	return uses;
}

/* The peak of a limit, and how many connections it rejected */
static void
add_events(PgpsLimit *limit, const Use *use, const PgpsRejections *rejections)
{
	const char *name = NameStr(limit->name);
	uint64		hash;

	if (use->peak != NULL)
	{
		limit->peak_used = use->peak->peak;
		limit->peak_used_at = use->peak->peak_at;
	}

	hash = limit->scope == PGPS_SCOPE_ROLE ? pgps_role_hash(name) :
		limit->scope == PGPS_SCOPE_DATABASE ? pgps_database_hash(name) :
		pgps_server_hash();
	limit->rejected = pgps_rejected(rejections, hash);

	/* when the server rejected a connection, all its slots were in use */
	if (limit->scope == PGPS_SCOPE_SERVER && limit->rejected.count > 0 &&
		limit->peak_used < limit->usable)
	{
		limit->peak_used = limit->usable;
		limit->peak_used_at = limit->rejected.last_rejected;
	}

	/* what else rejects on behalf of the server, whatever is free */
	if (limit->scope == PGPS_SCOPE_SERVER)
	{
		PgpsRejected others = pgps_rejected(rejections,
											pgps_other_limits_hash());

		limit->rejected.count += others.count;
		limit->rejected.last_rejected = Max(limit->rejected.last_rejected,
											others.last_rejected);
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
	HTAB	   *uses = find_uses(snapshot);
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
	add_events(server, find_use(uses, PGPS_SCOPE_SERVER, InvalidOid),
			   snapshot->rejections);
	server->committed = pgps_committed(commitments, PGPS_SCOPE_SERVER,
									   InvalidOid);
	result = list_make1(server);

	candidates = list_concat(scan_limits(PGPS_SCOPE_DATABASE),
							 scan_limits(PGPS_SCOPE_ROLE));
	list_sort(candidates, compare_limits);
	foreach(lc, candidates)
	{
		PgpsLimit  *limit = lfirst(lc);
		const Use  *use = find_use(uses, limit->scope, limit->oid);
		int			on_server;

		CHECK_FOR_INTERRUPTS();
		limit->used = use->used;
		add_events(limit, use, snapshot->rejections);

		/* shown only with a limit, a connection or a pool */
		if (limit->conn_limit == -1 && limit->used == 0 &&
			limit->rejected.count == 0 && !use->pools)
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
