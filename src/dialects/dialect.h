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

/* how the value goes into the field */
#define PGPS_ADD				0x0040	/* one of several values that are
										 * added up */
#define PGPS_SUBTRACT			0x0080	/* subtracted; if it is missing, the
										 * sum is unknown */
#define PGPS_WEAK				0x0100	/* only if no other key reports it */

/* figures that are only used to work out others; they follow the fields */
typedef enum PgpsScratch
{
	PGPS_CREATES = PGPS_NFIELDS,	/* connections opened or tried */
	PGPS_CREATE_ERRORS,			/* of those, failed */
	PGPS_DISCARDED,				/* of those, found broken */
	PGPS_ACQUIRE_TIME,			/* of all checkouts, blocked or not */
	PGPS_CHILD,					/* Pgpool-II: the process that a row is about */
	PGPS_SLOT,					/* Pgpool-II: the slot of that process's cache */
	PGPS_BACKEND,				/* Pgpool-II: the backend of that slot, 0 =
								 * none */
	PGPS_CONNECTED,				/* Pgpool-II: does a client use it? */
	PGPS_RETURNED,				/* checkouts that are over */

	/* generic.c: words whose meaning depends on the others */
	PGPS_SAYS_ACTIVE,
	PGPS_SAYS_IDLE,
	PGPS_SAYS_AVAILABLE,
	PGPS_SAYS_SIZE,
	PGPS_SAYS_TOTAL,
	PGPS_SAYS_PENDING,
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

/* a list of words; it ends with NULL, as one of keys does */
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
	bool		with_library;	/* tests run the library itself, not only
								 * documents of it */
	const char *detected_by[PGPS_DETECT_KEYS];	/* all of these are there */
	const PgpsDialectKey *keys; /* rows of one key stand together; ends with a
								 * NULL key */
	const char *const *ignored; /* keys that are known, but report no figure
								 * of ours; NULL = none */
	bool		absent_is_zero; /* counters that are 0 are left out */
	bool		counts_requests;	/* a checkout counts when it is asked for */
	bool		consistent;		/* its figures are of one moment */
	bool		nested;			/* keys in objects are known without the names
								 * of the objects */
	bool		elsewhere;		/* says nothing about the pool of the
								 * reporting connection; taken for nothing
								 * less than all of detected_by */

	/* if words mean different things: what they mean, once all are read */
	void		(*settle) (struct PgpsFigures *figures);

	/* if rows of one document are pools of their own: keys that name a row */
	const char *row_keys[PGPS_ROW_KEYS];
	const char *not_a_pool;		/* its value in the first of them marks a row
								 * that is no pool */

	/* if all rows of a document make one pool: adds them up */
	void		(*combine) (PgpsValues *values, struct PgpsFigures *rows,
							int nrows);
} PgpsDialect;

/* list.c: most specific first, native and generic last; ends with NULL */
extern const PgpsDialect *const pgps_dialects[];
extern const PgpsDialect pgps_native;

/* generic.c: of a library that is not known */
extern const PgpsDialect pgps_generic;

#endif							/* PGPS_DIALECT_H */
