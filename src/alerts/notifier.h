/*-------------------------------------------------------------------------
 *
 * notifier.h
 *	  Sending alerts by NOTIFY, by a short-lived worker.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_NOTIFIER_H
#define PGPS_NOTIFIER_H

#include "alerts/alerts.h"

extern Size pgps_notifier_size(void);
extern void pgps_notifier_init(void *area, bool found);
extern void pgps_queue_event(const PgpsAlert *alert, bool cleared,
							 TimestampTz now);
extern void pgps_send_events(TimestampTz now);
extern PGDLLEXPORT void pgps_notifier_main(Datum arg);

#endif							/* PGPS_NOTIFIER_H */
