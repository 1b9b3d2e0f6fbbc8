/*-------------------------------------------------------------------------
 *
 * dialect.h
 *	  The words of a pool library, as data.
 *
 * Keys are written as the library writes them and compared without case and
 * punctuation, so that AcquireCount, acquire_count and "acquire count" are
 * one key.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_DIALECT_H
#define PGPS_DIALECT_H

#include "dialects/fields.h"

/* what a key's value counts */
typedef enum PgpsUnit
{
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
#define PGPS_WEAK				0x0100	/* only if no other key reports it */

/* figures that are only used to work out others; they follow the fields */
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

/* a key that reports a figure */
typedef struct PgpsDialectKey
{
	const char *key;			/* as the library writes it */
	int			field;			/* PgpsField or PgpsScratch */
	PgpsUnit	unit;
	int			flags;
} PgpsDialectKey;

#define PGPS_DETECT_KEYS 5
#define PGPS_ROW_KEYS 6
#define PGPS_MAX_KEYS 64		/* rows of one dialect that report a figure */
#define PGPS_MAX_DIALECTS 64

/* a list of words; ends with NULL */
#define PGPS_WORDS(...) ((const char *const[]) {__VA_ARGS__, NULL})

struct PgpsFigures;

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
	const char *const *ignored; /* keys that are known, but report no figure
								 * of ours; NULL = none */
	bool		absent_is_zero; /* counters that are 0 are left out */
	bool		consistent;		/* its figures are of one moment */
	bool		nested;			/* keys of inner objects stand for themselves */
	bool		elsewhere;		/* not the pool of the reporting connection */

	/* one document for several pools: what tells its rows apart */
	const char *row_keys[PGPS_ROW_KEYS];
	const char *not_a_pool;		/* first of them in a row to be skipped */

	/* rows that make one pool only together */
	void		(*combine) (PgpsValues *values, struct PgpsFigures *rows,
							int nrows);
} PgpsDialect;

/* list.c: most specific first, native last; ends with NULL */
extern const PgpsDialect *const pgps_dialects[];
extern const PgpsDialect pgps_native;

#endif							/* PGPS_DIALECT_H */
