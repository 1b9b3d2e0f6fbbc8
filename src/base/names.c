/*-------------------------------------------------------------------------
 *
 * names.c
 *	  Roles and databases by name, for a process without a transaction.
 *
 * For the poller, which gets names from poolers.  What was looked up is
 * remembered for a minute: a transaction, which reads one shared catalog, is
 * needed only for a name that is new or may have changed.
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
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "storage/lockdefs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/names.h"

#define REMEMBERED (60 * USECS_PER_SEC)
#define MAX_REMEMBERED 4096

typedef struct Named
{
	char		key[NAMEDATALEN + 1];	/* 'r' or 'd' before the name */
	Oid			oid;			/* InvalidOid = there is none */
	TimestampTz looked_up;
} Named;

static HTAB *remembered = NULL;

/*
 * Look up a role or database in its shared catalog.  The catalog is scanned:
 * its indexes cannot be relied on in a process without a database.
 */
static Oid
look_up(bool role, const char *name)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			oid = InvalidOid;
	NameData	wanted;
	ScanKeyData key;
	Relation	rel;
	SysScanDesc scan;
	HeapTuple	tuple;

	namestrcpy(&wanted, name);
	StartTransactionCommand();
	ScanKeyInit(&key, role ? Anum_pg_authid_rolname : Anum_pg_database_datname,
				BTEqualStrategyNumber, F_NAMEEQ, NameGetDatum(&wanted));
	rel = table_open(role ? AuthIdRelationId : DatabaseRelationId,
					 AccessShareLock);
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		oid = role ? ((Form_pg_authid) GETSTRUCT(tuple))->oid :
			((Form_pg_database) GETSTRUCT(tuple))->oid;
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	CommitTransactionCommand();
	MemoryContextSwitchTo(context);
	return oid;
}

static Oid
named(bool role, const char *name)
{
	char		key[NAMEDATALEN + 1] = "";
	TimestampTz now = GetCurrentTimestamp();
	Named	   *entry;
	bool		found;

	/* no role or database has such a name */
	if (name[0] == '\0' || strlen(name) >= NAMEDATALEN)
		return InvalidOid;
	key[0] = role ? 'r' : 'd';
	strlcpy(key + 1, name, NAMEDATALEN);

	/* bounds the memory that made-up names can take */
	if (remembered != NULL && hash_get_num_entries(remembered) >= MAX_REMEMBERED)
	{
		hash_destroy(remembered);
		remembered = NULL;
	}
	if (remembered == NULL)
	{
		HASHCTL		control = {
			.keysize = sizeof(key),
			.entrysize = sizeof(Named),
			.hcxt = TopMemoryContext
		};

		remembered = hash_create("pgpool_stats names", 64, &control,
								 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}

	entry = hash_search(remembered, key, HASH_FIND, &found);
	if (!found || pgps_elapsed(entry->looked_up, now) > REMEMBERED)
	{
		Oid			oid = look_up(role, name);

		entry = hash_search(remembered, key, HASH_ENTER, &found);
		entry->oid = oid;
		entry->looked_up = now;
	}
	return entry->oid;
}

Oid
pgps_role_named(const char *name)
{
	return named(true, name);
}

Oid
pgps_database_named(const char *name)
{
	return named(false, name);
}
