/*-------------------------------------------------------------------------
 *
 * transactions.h
 *	  When this session is in a transaction, and where it counts.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_TRANSACTIONS_H
#define PGPS_TRANSACTIONS_H

#include "datatype/timestamp.h"

#include "base/local.h"

/* what there is to know of the session's transaction; none of it = nothing runs */
#define PGPS_XACT_COUNTED (1 << 0)	/* a statement of it was seen */
#define PGPS_XACT_UNSEEN (1 << 1)	/* none was, but its end was */
#define PGPS_XACT_FAILED (1 << 2)	/* and its block is open until the client
									 * sends ROLLBACK */

/* its end starts another one: COMMIT AND CHAIN, ROLLBACK AND CHAIN */
#define PGPS_XACT_CHAIN_IF_COMMITTED (1 << 3)
#define PGPS_XACT_CHAIN (1 << 4)

/* it is that in which the session starts, which counts for nobody */
#define PGPS_XACT_STARTS (1 << 6)

/* a utility runs that ends and starts transactions, all for one statement */
#define PGPS_XACT_LONG_UTILITY (1 << 5)

/* we are told when it is over */
#define PGPS_XACT_WATCHED (1 << 7)

extern PGPS_LOCAL int pgps_xact;

extern PGPS_LOCAL void pgps_place(bool connect);
extern PGPS_LOCAL void pgps_statement(void);
extern PGPS_LOCAL void pgps_watch_xact(void);
extern PGPS_LOCAL void pgps_long_utility_begins(void);
extern PGPS_LOCAL void pgps_long_utility_ends(void);

/* it ends */
extern PGPS_LOCAL void pgps_xact_ends_unseen(void);
extern PGPS_LOCAL void pgps_xact_fails(void);
extern PGPS_LOCAL void pgps_xact_ends_with_session(TimestampTz now);

#endif							/* PGPS_TRANSACTIONS_H */
