/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  Differences between the server versions we support.
 *
 * Every version test of the project stands here.  The code is spelled for
 * the newest server; this file makes the older ones look like it.  It is
 * included after postgres.h and the headers whose names it adapts.  A header
 * that not every version has is included here alone: it is marked for make
 * lint, which else wants it in every file that uses what it declares.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_COMPAT_H
#define PGPS_COMPAT_H

#include "catalog/pg_authid.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/wait_event.h"

#if PG_VERSION_NUM < 150000
#error "pgpool_stats needs PostgreSQL 15 or newer"
#endif

/*
 * 19 declares get_database_oid() in catalog/pg_database.h and
 * get_database_name() in utils/lsyscache.h.
 */
#if PG_VERSION_NUM < 190000
#include "commands/dbcommands.h"	/* IWYU pragma: export */
#else
#include "catalog/pg_database.h"	/* IWYU pragma: export */
#include "utils/lsyscache.h"	/* IWYU pragma: export */
#endif

/* 16 moved JumbleState, and took VARDATA_ANY() and its like out of postgres.h */
#if PG_VERSION_NUM < 160000
#include "utils/queryjumble.h"	/* IWYU pragma: export */
#else
#include "nodes/queryjumble.h"	/* IWYU pragma: export */
#include "varatt.h"				/* IWYU pragma: export */
#endif

/* 18 took WaitEventSet out of storage/latch.h */
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"	/* IWYU pragma: export */
#endif

/* 18 lets a module state its name and version */
#if PG_VERSION_NUM < 180000
#define PGPS_MODULE_MAGIC(modname, modversion) PG_MODULE_MAGIC
#else
#define PGPS_MODULE_MAGIC(modname, modversion) \
	PG_MODULE_MAGIC_EXT(.name = (modname), .version = (modversion))
#endif

/* 18 writes pg_noreturn, and before the function */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* 17 lets an extension name its wait events */
#if PG_VERSION_NUM < 170000
#define WaitEventExtensionNew(name) ((void) (name), PG_WAIT_EXTENSION)
#endif

/* 17 takes a resource owner, or NULL, where there was a memory context */
#if PG_VERSION_NUM < 170000
#define pgps_create_wait_event_set(n) CreateWaitEventSet(TopMemoryContext, (n))
#else
#define pgps_create_wait_event_set(n) CreateWaitEventSet(NULL, (n))
#endif

/* 17 numbers backends from 0, in MyProcNumber */
#if PG_VERSION_NUM < 170000
#define MyProcNumber (MyProc->pgprocno)
#else
#include "storage/procnumber.h" /* IWYU pragma: export */
#endif

/* the same of any process */
#define pgps_proc_number(proc) ((int) ((proc) - ProcGlobal->allProcs))

/*
 * 17 clears the pid of a PGPROC whose process ended; before, it stays behind,
 * but a process owns its latch just as long.
 */
#if PG_VERSION_NUM < 170000
#define pgps_proc_pid(proc) ((proc)->procLatch.owner_pid)
#else
#define pgps_proc_pid(proc) ((proc)->pid)
#endif

/*
 * 16 split off the slots that pg_use_reserved_connections may use; the
 * variable for the superusers' own reserve was renamed with it.
 */
#if PG_VERSION_NUM < 160000
#define SuperuserReservedConnections ReservedBackends
#define ReservedConnections 0
#define pgps_may_use_reserved(roleid) ((void) (roleid), false)
#else
#define pgps_may_use_reserved(roleid) \
	has_privs_of_role((roleid), ROLE_PG_USE_RESERVED_CONNECTIONS)
#endif

/*
 * A role that must get in when others do not; before 16 there are no reserved
 * connections, and those who may end others' sessions stand for it.
 */
#if PG_VERSION_NUM < 160000
#define pgps_is_for_emergencies(roleid) \
	has_privs_of_role((roleid), ROLE_PG_SIGNAL_BACKEND)
#else
#define pgps_is_for_emergencies(roleid) pgps_may_use_reserved(roleid)
#endif

/* 19 shows a query's jumble for reading only */
#if PG_VERSION_NUM < 190000
typedef struct JumbleState PgpsJumbleState;
#else
typedef const struct JumbleState PgpsJumbleState;
#endif

/* 19 has made CLUSTER a case of REPACK */
#if PG_VERSION_NUM < 190000
#define PGPS_T_CLUSTER T_ClusterStmt
#else
#define PGPS_T_CLUSTER T_RepackStmt
#endif

/* 16 made the list of a process's locks a dlist */
#if PG_VERSION_NUM < 160000
#include "storage/shmem.h"
#else
#include "lib/ilist.h"
#endif

/*
 * A process's lock after "held", the first one for NULL; NULL at the end of the
 * list.
 */
static inline PROCLOCK *
pgps_next_proclock(PGPROC *proc, int partition, PROCLOCK *held)
{
#if PG_VERSION_NUM < 160000
	SHM_QUEUE  *head = &proc->myProcLocks[partition];

	return (PROCLOCK *) SHMQueueNext(head, held ? &held->procLink : head,
									 offsetof(PROCLOCK, procLink));
#else
	dlist_head *head = &proc->myProcLocks[partition];

	if (held ? !dlist_has_next(head, &held->procLink) : dlist_is_empty(head))
		return NULL;
	return dlist_container(PROCLOCK, procLink,
						   held ? dlist_next_node(head, &held->procLink) :
						   dlist_head_node(head));
#endif
}

/* 18 knows when the postmaster took the connection; before, when it forked */
#if PG_VERSION_NUM < 180000
#define pgps_connection_began() MyStartTimestamp
#else
#include "tcop/backend_startup.h"	/* IWYU pragma: export */
#define pgps_connection_began() (conn_timing.socket_create)
#endif

/* 17 has transaction_timeout */
#if PG_VERSION_NUM < 170000
#define ERRCODE_TRANSACTION_TIMEOUT MAKE_SQLSTATE('2', '5', 'P', '0', '4')
#endif

/* for comparing versions, not for testing features */
#define PGPS_SERVER_MAJOR (PG_VERSION_NUM / 10000)

/* 16 lets check hooks allocate from a context of their own */
#if PG_VERSION_NUM < 160000
#define pgps_guc_alloc(size) malloc(size)
#define pgps_guc_free(ptr) free(ptr)
#else
#define pgps_guc_alloc(size) guc_malloc(LOG, (size))
#define pgps_guc_free(ptr) guc_free(ptr)
#endif

#endif							/* PGPS_COMPAT_H */
