/*-------------------------------------------------------------------------
 *
 * sampler.h
 *	  What connections that are in a transaction do: samples.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_SAMPLER_H
#define PGPS_SAMPLER_H

#include "registry/backends.h"

/* what a connection may be busy with; "client" waits for the client */
typedef enum PgpsLoadPart
{
	PGPS_PART_CPU,
	PGPS_PART_IO,
	PGPS_PART_LOCK,
	PGPS_PART_LWLOCK,
	PGPS_PART_CLIENT,
	PGPS_PART_OTHER,
	PGPS_PARTS
} PgpsLoadPart;

/* of a pool: how often connections in a transaction were seen */
typedef struct PgpsSamples
{
	uint32		seen;
	uint32		blind;			/* of these, with track_activities off */
	uint32		part[PGPS_PARTS];	/* of these, active; with workers */
} PgpsSamples;

extern PgpsLoadPart pgps_load_part(uint32 wait_event);

/* all of it is the collector's own */
extern void pgps_sample(void);
extern PgpsSamples pgps_take_samples(int32 pool);
extern int64 pgps_unpublished_idle(const PgpsBackend *backend);

#endif							/* PGPS_SAMPLER_H */
