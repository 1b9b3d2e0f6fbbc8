/*-------------------------------------------------------------------------
 *
 * backends.h
 *	  A slot for each possible client backend.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_BACKENDS_H
#define PGPS_BACKENDS_H

#include "datatype/timestamp.h"

#include "identity.h"

#define PGPS_NO_INSTANCE (-1)

/* what a report means for the connection it came on */
typedef enum PgpsBinding
{
	PGPS_KEEP,					/* it stays where it is */
	PGPS_BIND,					/* it is one of the reported instance */
	PGPS_UNBIND					/* others report on it, too: it is nobody's */
} PgpsBinding;

/* one client backend as a reader sees it */
typedef struct PgpsBackend
{
	int			pid;
	Oid			roleid;			/* the role that logged in */
	Oid			dbid;
	int32		instance;		/* entry it belongs to, or PGPS_NO_INSTANCE */
	bool		labelled;
	char		client_addr[PGPS_ADDR_LEN];
	bool		in_xact;
	bool		idle_in_xact;
	TimestampTz last_query;		/* start of its current or last query */
} PgpsBackend;

extern Size pgps_backends_size(void);
extern void pgps_backends_init(void *area);

extern bool pgps_backend_joined(void);
extern void pgps_backend_claim(const PgpsIdentity *identity);
extern void pgps_backend_set_instance(int32 instance);
extern int32 pgps_backend_instance(void);
extern PgpsBinding pgps_backend_note_report(uint64 reported);
extern bool pgps_backend_unbind(void);
extern void pgps_backend_release(void);

extern int	pgps_backends_copy(PgpsBackend *backends);
extern int	pgps_client_processes(void);

#endif							/* PGPS_BACKENDS_H */
