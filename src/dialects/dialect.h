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

#include "base/text.h"
#include "dialects/fields.h"
#include "dialects/pids.h"

#define PGPS_DIALECT_LEN 24
#define PGPS_UNMAPPED_LEN 256
#define PGPS_PID_LEN 24

/* what a key's value counts */
typedef enum PgpsUnit
{
	PGPS_UNIT_NONE,				/* understood, but no field of ours */
	PGPS_UNIT_COUNT,
	PGPS_UNIT_BOOL,
	PGPS_UNIT_NS,
	PGPS_UNIT_US,
	PGPS_UNIT_MS,
	PGPS_UNIT_S
} PgpsUnit;

/* what a value outside the normal range means */
#define PGPS_ZERO_UNLIMITED		0x0001
#define PGPS_MINUS_UNLIMITED	0x0002	/* -1 */
#define PGPS_NEGATIVE_UNLIMITED	0x0004	/* whatever is below 0 */
#define PGPS_MAXINT_UNLIMITED	0x0008
#define PGPS_NULL_UNLIMITED		0x0010
#define PGPS_CLAMP_NEGATIVE		0x0020

/* how it makes the field */
#define PGPS_ADD				0x0040	/* one of several that add up */
#define PGPS_SUBTRACT			0x0080	/* taken off; without it there is no
										 * sum */
#define PGPS_WEAK				0x0100	/* only if nothing else tells it */

/*
 * Figures that are only used to work out others.  They stand behind the
 * fields in the scratch array of the parser.
 */
typedef enum PgpsScratch
{
	PGPS_CREATES = PGPS_NFIELDS,	/* connections opened or tried */
	PGPS_CREATE_ERRORS,			/* of those, failed */
	PGPS_ACQUIRE_TIME,			/* of all checkouts, blocked or not */
	PGPS_CHILD,					/* of a row of Pgpool-II: its process ... */
	PGPS_SLOT,					/* ... the slot of its cache ... */
	PGPS_BACKEND,				/* ... the backend there, 0 = none ... */
	PGPS_CONNECTED,				/* ... and whether a client uses it */
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
#define PGPS_ROW_KEYS 6
#define PGPS_MAX_KEYS 128		/* rows of one dialect */
#define PGPS_MAX_DIALECTS 64

/* fields and scratch figures of one document */
typedef struct PgpsFigures
{
	uint32		told;			/* a bit for each */
	uint32		weak;			/* told, but by a key that yields */
	uint32		summed;			/* made of several keys ... */
	uint32		broken;			/* ... of which one could not be read */
	uint64		seen[PGPS_MAX_KEYS / 64];	/* keys of the dialect, by row */
	int64		value[PGPS_NSCRATCH];
} PgpsFigures;

/*
 * A pattern of detected_by is a key of the document in any spelling; "a|b" is
 * either of them, "a*" one that begins so, "=a" one of the document itself
 * that is written just so.
 */
typedef struct PgpsDialect
{
	const char *name;
	const char *detected_by[PGPS_DETECT_KEYS];	/* all of these are there */
	const PgpsDialectKey *keys; /* rows of one key stand together; ends with a
								 * NULL key */
	bool		absent_is_zero; /* counters that are 0 are left out */
	bool		consistent;		/* its figures are of one moment */
	bool		nested;			/* keys of inner objects stand for themselves */
	bool		elsewhere;		/* not the pool of the reporting connection */

	/* one document for several pools: what tells its rows apart */
	const char *row_keys[PGPS_ROW_KEYS];
	const char *not_a_pool;		/* first of them in a row to be skipped */

	/* rows that make one pool only together */
	void		(*combine) (PgpsValues *values, PgpsFigures *rows,
							int nrows);
} PgpsDialect;

/* list.c: most specific first, native last; ends with NULL */
extern const PgpsDialect *const pgps_dialects[];
extern const PgpsDialect pgps_native;

/* what one JSON document says */
typedef struct PgpsStats
{
	char		dialect[PGPS_DIALECT_LEN];
	PgpsValues	values;
	char		host[PGPS_POOL_LEN];
	char		pid[PGPS_PID_LEN];
	char		instance[PGPS_INSTANCE_LEN];
	char		app_version[PGPS_POOL_LEN];
	PgpsPids	lent;			/* connections lent out ... */
	PgpsPids	idle;			/* ... and idle in the pool */
	char		row[PGPS_INSTANCE_LEN]; /* which of several; empty = the only */
	bool		elsewhere;		/* says nothing about this connection */
	bool		not_a_pool;		/* a row that no application waits for */
	int			nunmapped;		/* keys that were not understood ... */
	Size		unmapped_used;
	char		unmapped[PGPS_UNMAPPED_LEN];	/* ... as many as fit, each
												 * ended by NUL */
} PgpsStats;

/* parse.c */
extern List *pgps_parse_stats(Jsonb *document, bool strict);

#endif							/* PGPS_DIALECT_H */
