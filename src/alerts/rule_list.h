/*-------------------------------------------------------------------------
 *
 * rule_list.h
 *	  All alert rules: each NAME is a descriptor pgps_rule_NAME.
 *
 * The view rules shows them in this order, and alerts that are alike are
 * sorted by it.  There is no #ifndef: rules.h and rules.c each include this
 * with a PGPS_RULE of their own.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
PGPS_RULE(pool_exhausted)
PGPS_RULE(pool_full)
PGPS_RULE(callers_waiting)
PGPS_RULE(mean_wait)
PGPS_RULE(timeouts)
PGPS_RULE(errors_increasing)
PGPS_RULE(leak)
PGPS_RULE(silent)
PGPS_RULE(over_capacity)
PGPS_RULE(unclaimed)
PGPS_RULE(fork_sharing)
PGPS_RULE(shared_instance)
PGPS_RULE(no_pooling)
PGPS_RULE(idle_in_transaction)
PGPS_RULE(refused)
PGPS_RULE(connections)
PGPS_RULE(over_committed)
PGPS_RULE(pooler_down)
PGPS_RULE(registry_full)
PGPS_RULE(collector_down)
