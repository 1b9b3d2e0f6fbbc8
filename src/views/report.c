/*-------------------------------------------------------------------------
 *
 * report.c
 *	  report(), forget() and reset(): arguments, identity, into the registry.
 *
 * A report acts on the caller's own login role, whatever role it has set, and
 * writes shared memory only: it works in a read-only transaction and on a
 * standby.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/settings.h"
#include "base/shmem.h"
#include "base/text.h"
#include "dialects/stats.h"
#include "poolers/poolers.h"
#include "registry/backends.h"
#include "registry/carry.h"
#include "registry/identity.h"
#include "registry/registry.h"
#include "server/rejections.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_report);
PG_FUNCTION_INFO_V1(pgps_forget);
PG_FUNCTION_INFO_V1(pgps_reset);

/* Raise unless the text can be a pool's name; copy it padded with zeros. */
static void
read_pool_name(char *dest, text *arg)
{
	char	   *name = text_to_cstring(arg);

	if (!pgps_is_valid_name(name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid pool name"),
				 errdetail("A pool name is 1 to %d bytes of printable ASCII.",
						   PGPS_POOL_LEN - 1)));
	pgps_clean_pool(dest, name);
}

/* The pool's key, under the role that logged in */
static void
make_key(PgpsPoolKey *key, text *pool)
{
	memset(key, 0, sizeof(PgpsPoolKey));
	key->roleid = GetAuthenticatedUserId();
	key->dbid = MyDatabaseId;
	read_pool_name(key->name, pool);
}

/* Does the process say which one it is, by its host and pid? */
static bool
is_process(const PgpsStats *stats)
{
	return stats != NULL && stats->host[0] != '\0' && stats->pid[0] != '\0';
}

/* Is one document about several processes? */
static bool
has_several_processes(List *rows)
{
	const PgpsStats *first = linitial(rows);
	ListCell   *lc;

	foreach(lc, rows)
	{
		const PgpsStats *other = lfirst(lc);

		if (strcmp(first->host, other->host) != 0 || strcmp(first->pid, other->pid) != 0)
			return true;
	}
	return false;
}

/*
 * Which instance a call is about: the argument, else host and pid of the
 * report, else the setting, else the client's address.  If one document is
 * about several pools, the name of each is appended; it stands alone if the
 * report names no instance.  If it is about several processes, the argument is
 * who forwards them: theirs is appended before.
 */
static void
choose_instance(char *dest, const char *arg, const PgpsStats *stats, bool several)
{
	char		addr[PGPS_ADDR_LEN];
	char		whole[2 * PGPS_INSTANCE_LEN + 1];
	bool		named = true;

	if (arg != NULL && arg[0] != '\0' && several && is_process(stats))
	{
		char	   *both = psprintf("%s/%s:%s", arg, stats->host, stats->pid);

		pgps_clean_tail(dest, PGPS_INSTANCE_LEN, both);
		pfree(both);
	}
	else if (arg != NULL && arg[0] != '\0')
		pgps_clean_tail(dest, PGPS_INSTANCE_LEN, arg);
	else if (stats && stats->instance[0] != '\0')
		pgps_clean_tail(dest, PGPS_INSTANCE_LEN, stats->instance);
	else if (is_process(stats))
	{
		memset(dest, 0, PGPS_INSTANCE_LEN);
		snprintf(dest, PGPS_INSTANCE_LEN, "%s:%s", stats->host, stats->pid);
	}
	else if (pgps_label_instance[0] != '\0')
		pgps_clean_tail(dest, PGPS_INSTANCE_LEN, pgps_label_instance);
	else
	{
		pgps_client_addr(addr);
		pgps_clean_text(dest, PGPS_INSTANCE_LEN,
						addr[0] != '\0' ? addr : PGPS_LOCAL_CLIENT);
		named = false;
	}

	if (stats && stats->row[0] != '\0')
	{
		snprintf(whole, sizeof(whole), "%s%s%s", named ? dest : "",
				 named ? "/" : "", stats->row);
		pgps_clean_tail(dest, PGPS_INSTANCE_LEN, whole);
	}
}

/*
 * An instance named "host:pid" identifies the process like the keys host and
 * pid.
 */
static void
split_instance(PgpsStats *stats, const char *instance)
{
	const char *colon = strrchr(instance, ':');
	Size		host_len = colon ? colon - instance : 0;

	if (stats->host[0] != '\0' || stats->pid[0] != '\0' ||
		host_len == 0 || host_len >= sizeof(stats->host) ||
		colon[1] == '\0' || strlen(colon + 1) >= sizeof(stats->pid) ||
		colon[1 + strspn(colon + 1, "0123456789")] != '\0')
		return;
	memcpy(stats->host, instance, host_len);
	strcpy(stats->pid, colon + 1);
}

/* Who reports: the process if it is known, else the connection */
static PgpsReporter
identify_reporter(const PgpsStats *stats)
{
	PgpsReporter reporter;

	reporter.claimed = is_process(stats);
	if (reporter.claimed)
		reporter.id = hash_combine64(hash_bytes_extended((const unsigned char *) stats->host,
														 strlen(stats->host), 0),
									 hash_bytes_extended((const unsigned char *) stats->pid,
														 strlen(stats->pid), 0));
	else
		reporter.id = hash_combine64(MyProcPid, MyStartTimestamp);
	return reporter;
}

/*
 * Is this connection shared by a fork?  It is when two processes of one host
 * report on it and no pooler stands between.  A pooler shows by reports of
 * several hosts, by changing labels, or because it is known.
 */
static bool
is_fork_shared(const PgpsReport *report)
{
	static char host[PGPS_POOL_LEN] = "";
	static char pid[PGPS_PID_LEN] = "";
	static bool several_hosts = false;
	const PgpsStats *stats = report->stats;

	if (!report->reporter.claimed)
		return false;
	if (host[0] == '\0')
	{
		memcpy(host, stats->host, sizeof(host));
		memcpy(pid, stats->pid, sizeof(pid));
		return false;
	}
	several_hosts |= strcmp(host, stats->host) != 0;
	return !several_hosts && strcmp(pid, stats->pid) != 0 &&
		!pgps_backend_is_relabelled() &&
		report->via[0] == '\0';
}

/*
 * report(pool text, stats jsonb, instance text DEFAULT NULL) -> boolean
 *
 * Returns true when everything reported has a row of its own.
 */
Datum
pgps_report(PG_FUNCTION_ARGS)
{
	PgpsReport	report = {0};
	TimestampTz now = GetCurrentTimestamp();
	char	   *instance = NULL;
	const char *database;
	List	   *rows;
	ListCell   *lc;
	bool		has_row;
	bool		several;
	bool		own = true;

	pgps_ensure_loaded();
	PGPS_REQUIRE(0, "pool name");
	PGPS_REQUIRE(1, "pool statistics");
	if (!PG_ARGISNULL(2))
		instance = text_to_cstring(PG_GETARG_TEXT_PP(2));

	make_key(&report.key, PG_GETARG_TEXT_PP(0));
	if (MyProcPort != NULL)
	{
		namestrcpy(&report.usename, MyProcPort->user_name);
		database = MyProcPort->database_name;
	}
	else
	{
		namestrcpy(&report.usename, GetUserNameFromId(report.key.roleid, false));
		database = get_database_name(MyDatabaseId);
	}
	namestrcpy(&report.datname, database ? database : "");
	pgps_client_addr(report.client_addr);
	pgps_identify_pooler(report.via, report.client_addr);
	report.source = PGPS_SOURCE_REPORT;
	report.seen_here = -1;

	rows = pgps_parse_stats(PG_GETARG_JSONB_P(1), pgps_strict_reports);
	several = has_several_processes(rows);
	foreach(lc, rows)
	{
		report.stats = lfirst(lc);
		choose_instance(report.instance, instance, report.stats, several);
		if (instance != NULL)
			split_instance(report.stats, instance);
		report.reporter = identify_reporter(report.stats);
		report.fork_shared = list_length(rows) == 1 && is_fork_shared(&report);
		pgps_registry_report(&report, now, &has_row);
		own &= has_row;
	}
	pgps_backend_note_report();
	PG_RETURN_BOOL(own);
}

/*
 * forget(pool text, instance text DEFAULT NULL) -> boolean
 */
Datum
pgps_forget(PG_FUNCTION_ARGS)
{
	PgpsPoolKey key;
	char		instance[PGPS_INSTANCE_LEN];

	pgps_ensure_loaded();
	PGPS_REQUIRE(0, "pool name");
	make_key(&key, PG_GETARG_TEXT_PP(0));
	choose_instance(instance,
					PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1)),
					NULL, false);
	pgps_backend_note_report();
	PG_RETURN_BOOL(pgps_registry_forget(&key, instance));
}

/*
 * reset(pool text DEFAULT NULL, usename name DEFAULT NULL) -> void
 */
Datum
pgps_reset(PG_FUNCTION_ARGS)
{
	char	   *pool = NULL;
	char	   *usename = NULL;
	Oid			roleid = InvalidOid;
	int			meant;

	pgps_ensure_loaded();
	if (!PG_ARGISNULL(0))
		pool = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (!PG_ARGISNULL(1))
	{
		usename = NameStr(*PG_GETARG_NAME(1));
		roleid = get_role_oid(usename, true);
	}

	/* the role may be dropped and its pools still there */
	if (pool == NULL && usename == NULL)
		pgps_rejections_reset();
	meant = pgps_registry_reset(pool, usename, roleid);
	if (meant == 0 && usename != NULL && !OidIsValid(roleid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" does not exist and has no pools", usename)));
	if (meant == 0 && pool != NULL)
		ereport(NOTICE,
				(usename != NULL ?
				 errmsg("role \"%s\" has no pool \"%s\"", usename, pool) :
				 errmsg("there is no pool \"%s\"", pool)));
	else if (meant == 0 && usename != NULL)
		ereport(NOTICE, (errmsg("role \"%s\" has no pools", usename)));
	PG_RETURN_VOID();
}
