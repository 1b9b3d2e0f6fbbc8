/*-------------------------------------------------------------------------
 *
 * dialect.h
 *	  From the JSON statistics of a pool library to our fields.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_DIALECT_H
#define PGPS_DIALECT_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "fields.h"
#include "identity.h"

#define PGPS_DIALECT_LEN 24
#define PGPS_UNMAPPED_LEN 256
#define PGPS_PID_LEN 24

/* what a key's value counts */
typedef enum PgpsUnit
{
	PGPS_UNIT_NONE,				/* understood, but no field of ours */
	PGPS_UNIT_COUNT,
	PGPS_UNIT_BOOL,
	PGPS_UNIT_MS
} PgpsUnit;

/* what a value outside the normal range means */
#define PGPS_ZERO_UNLIMITED		0x01
#define PGPS_MINUS_UNLIMITED	0x02
#define PGPS_CLAMP_NEGATIVE		0x04

/*
 * Figures that are only used to work out others.  They stand behind the
 * fields in the scratch array of the parser.
 */
typedef enum PgpsScratch
{
	PGPS_CREATES = PGPS_NFIELDS,	/* connections opened or tried */
	PGPS_CREATE_ERRORS,			/* of those, failed */
	PGPS_NSCRATCH
} PgpsScratch;

typedef struct PgpsDialectKey
{
	const char *key;			/* as the library writes it */
	int			field;			/* PgpsField or PgpsScratch */
	PgpsUnit	unit;
	int			flags;
} PgpsDialectKey;

#define PGPS_DETECT_KEYS 5

typedef struct PgpsDialect
{
	const char *name;
	const char *detected_by[PGPS_DETECT_KEYS];	/* all of these are there */
	bool		exact;			/* ... written just like this */
	const PgpsDialectKey *keys; /* ends with a NULL key */
	bool		absent_is_zero; /* counters that are 0 are left out */
	bool		waits_divide;	/* mean wait is per wait, not per checkout */
} PgpsDialect;

/* dialect_table.c: most specific first, native last; ends with a NULL name */
extern const PgpsDialect pgps_dialects[];

/* what one JSON document says */
typedef struct PgpsStats
{
	char		dialect[PGPS_DIALECT_LEN];
	PgpsValues	values;
	char		host[PGPS_POOL_LEN];
	char		pid[PGPS_PID_LEN];
	char		instance[PGPS_INSTANCE_LEN];
	char		app_version[PGPS_POOL_LEN];
	int			nunmapped;		/* keys that were not understood ... */
	Size		unmapped_used;
	char		unmapped[PGPS_UNMAPPED_LEN];	/* ... as many as fit, each
												 * ended by NUL */
} PgpsStats;

extern List *pgps_parse_stats(Jsonb *document, bool strict);

#endif							/* PGPS_DIALECT_H */
