/*-------------------------------------------------------------------------
 *
 * role_label.c
 *	  The label that a role has by ALTER ROLE or ALTER DATABASE.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_db_role_setting.h"
#include "catalog/pg_type.h"
#include "storage/lockdefs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "base/text.h"
#include "registry/identity.h"
#include "views/visible.h"

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
 * The pool that a role's connections to a database belong to by ALTER ROLE or
 * ALTER DATABASE, or NULL
 */
char *
pgps_role_label(Oid roleid, Oid dbid)
{
	Relation	rel = table_open(DbRoleSettingRelationId, AccessShareLock);
	char	   *label;
	char	   *pool;

	/* in the order of precedence */
	label = label_setting(rel, roleid, dbid);
	if (label == NULL)
		label = label_setting(rel, roleid, InvalidOid);
	if (label == NULL)
		label = label_setting(rel, InvalidOid, dbid);
	table_close(rel, AccessShareLock);
	if (label == NULL)
		return NULL;
	pool = palloc(PGPS_POOL_LEN);
	pgps_labelled_pool(pool, label);
	return pool;
}
