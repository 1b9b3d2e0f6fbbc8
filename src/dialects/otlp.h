/*-------------------------------------------------------------------------
 *
 * otlp.h
 *	  OpenTelemetry's metrics as an exporter sends them.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_OTLP_H
#define PGPS_OTLP_H

#include "utils/jsonb.h"

extern Jsonb *pgps_read_otlp(JsonbContainer *document);

#endif							/* PGPS_OTLP_H */
