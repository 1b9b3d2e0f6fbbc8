/*-------------------------------------------------------------------------
 *
 * utilities.c
 *	  Kinds of utility statements.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/nodes.h"
#include "nodes/parsenodes.h"

#include "base/compat.h"
#include "server/utilities.h"

/* May it end and start transactions in its middle? */
bool
pgps_is_long_utility(const Node *stmt)
{
	return IsA(stmt, VacuumStmt) || nodeTag(stmt) == PGPS_T_CLUSTER ||
		IsA(stmt, ReindexStmt) ||
		(IsA(stmt, IndexStmt) && ((const IndexStmt *) stmt)->concurrent) ||
		(IsA(stmt, DropStmt) && ((const DropStmt *) stmt)->concurrent) ||
		IsA(stmt, AlterTableStmt);	/* DETACH PARTITION CONCURRENTLY */
}

/* Does it belong to no transaction of the client's? */
bool
pgps_is_setting(const Node *stmt)
{
	return stmt != NULL &&
		(IsA(stmt, VariableSetStmt) || IsA(stmt, VariableShowStmt) ||
		 IsA(stmt, DiscardStmt));
}
