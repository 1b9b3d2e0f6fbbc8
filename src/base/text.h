/*-------------------------------------------------------------------------
 *
 * text.h
 *	  Text that somebody else wrote: lengths of names, and cleaning.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_TEXT_H
#define PGPS_TEXT_H

/* lengths with the final zero byte */
#define PGPS_POOL_LEN 64
#define PGPS_INSTANCE_LEN 128	/* a host name, a colon and a pid fit */
#define PGPS_ADDR_LEN 48

#define PGPS_LOCAL_CLIENT "[local]"

extern bool pgps_is_valid_name(const char *name);
extern PGDLLEXPORT void pgps_clean_text(char *dest, Size size, const char *source);
extern void pgps_clean_pool(char *dest, const char *source);
extern void pgps_clean_tail(char *dest, Size size, const char *source);

#endif							/* PGPS_TEXT_H */
