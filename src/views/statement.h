/*-------------------------------------------------------------------------
 *
 * statement.h
 *	  One snapshot for each statement that reads.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_STATEMENT_H
#define PGPS_STATEMENT_H

#include "fmgr.h"

#include "analysis/snapshot.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "server/rejections.h"
#include "views/why.h"

extern const PgpsSnapshot *pgps_snapshot(FunctionCallInfo fcinfo,
										 PgpsHistograms histograms);
extern const PgpsPoolCopy *pgps_pool_list(FunctionCallInfo fcinfo,
										  PgpsHistograms histograms,
										  int *npools);
extern const PgpsSnapshot *pgps_pool_snapshot(FunctionCallInfo fcinfo,
											  PgpsHistograms histograms,
											  int32 number);
extern const PgpsPoolState *pgps_listed_pool(FunctionCallInfo fcinfo,
											 const PgpsSnapshot *snapshot,
											 int32 number);
extern const PgpsRejections *pgps_exported_rejections(FunctionCallInfo fcinfo);
extern const PgpsWhy *pgps_whys(FunctionCallInfo fcinfo);

#endif							/* PGPS_STATEMENT_H */
