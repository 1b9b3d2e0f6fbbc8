/*-------------------------------------------------------------------------
 *
 * pids.c
 *	  Lists of processes that a report names.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/string.h"
#include "miscadmin.h"
#include "utils/jsonb.h"

#include "base/numbers.h"
#include "dialects/pids.h"

static int
pid_order(const void *a, const void *b)
{
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	return (x > y) - (x < y);
}

/*
 * Read an array of numbers; a driver says 0 of a connection that is closed.
 * Returns false, and nothing is reported, if it is anything else or longer than
 * any pool.
 */
bool
pgps_read_pids(PgpsPids *pids, const JsonbValue *value)
{
	JsonbContainer *array;
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	v;
	int			n = 0;

	if (value->type != jbvBinary ||
		!JsonContainerIsArray(value->val.binary.data))
		return false;
	array = value->val.binary.data;
	if (JsonContainerSize(array) > MaxConnections)
		return false;

	pids->pid = palloc(Max(JsonContainerSize(array), 1) * sizeof(int));
	it = JsonbIteratorInit(array);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		char	   *text;
		char	   *end;
		int			pid;

		if (token != WJB_ELEM)
			continue;
		if (v.type != jbvNumeric)
			return false;
		text = pgps_number_text(&v);

		errno = 0;
		pid = strtoint(text, &end, 10);
		if (errno != 0 || *end != '\0' || pid < 0)
			return false;
		if (pid != 0)
			pids->pid[n++] = pid;
	}
	qsort(pids->pid, n, sizeof(int), pid_order);
	pids->n = n;
	pids->reported = true;
	return true;
}

bool
pgps_has_pid(const PgpsPids *pids, int pid)
{
	return pids->n > 0 &&
		bsearch(&pid, pids->pid, pids->n, sizeof(int), pid_order) != NULL;
}
