/*-------------------------------------------------------------------------
 *
 * target.c
 *	  One entry of the setting pgpool_stats.poolers, and its connections.
 *
 * An entry is one pooler under its name, or several as name/1, name/2, ...:
 * the addresses of its host's name, and the processes that share a port
 * (PgBouncer's so_reuseport), among which the kernel gives each new connection
 * to any.  A pooler that takes the place of another, as pods do, takes over
 * its number.
 *
 * Processes of one port are told apart by what their consoles say of their
 * files.  A connection that reached one that is polled already is made again;
 * one more connection, the scout, looks for those that are not polled yet.
 * Until it has looked for the first time nothing is taken of the others: they
 * may yet get other names.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/clock.h"
#include "base/settings.h"
#include "poller/target.h"
#include "poolers/console.h"

#define SCOUT_INTERVAL (60 * USECS_PER_SEC)

static const Place as_given = {{0}};

/*-------------------------------------------------------------------------
 * Its poolers
 *-------------------------------------------------------------------------
 */

static void
remove_link(Target *target, int i)
{
	link_free(target->links[i]);
	target->links[i] = target->links[--target->nlinks];
}

static Link *
find_scout(const Target *target)
{
	int			i;

	for (i = 0; i < target->nlinks; i++)
	{
		if (target->links[i]->scouts)
			return target->links[i];
	}
	return NULL;
}

static int
count_poolers(const Target *target)
{
	return target->nlinks - (find_scout(target) != NULL);
}

/* The lowest number that none of its poolers has */
static int
free_ordinal(const Target *target)
{
	int			ordinal = 0;
	bool		taken;
	int			i;

	do
	{
		taken = false;
		ordinal++;
		for (i = 0; i < target->nlinks; i++)
			taken |= target->links[i]->ordinal == ordinal;
	} while (taken);
	return ordinal;
}

/* Show it under its name; false if there is no room for one more. */
static bool
show_link(Target *target, Link *link)
{
	char		name[PGPS_POOL_LEN];
	char		tail[16] = "";

	if (target->several)
		snprintf(tail, sizeof(tail), "/%d", link->ordinal);
	snprintf(name, sizeof(name), "%.*s%s",
			 (int) (sizeof(name) - 1 - strlen(tail)), target->name, tail);
	return link_show(link, name, target->name);
}

/* From now on there are several, and each has its number. */
static void
note_several(Target *target)
{
	int			i;

	if (target->several)
		return;
	target->several = true;
	for (i = 0; i < target->nlinks; i++)
	{
		if (!target->links[i]->scouts)
			(void) show_link(target, target->links[i]);
	}
}

static void
add_pooler(Target *target, const Place *place)
{
	Link	   *link;

	if (target->nlinks > 0)
		note_several(target);
	link = link_make(target, place);
	link->ordinal = free_ordinal(target);
	target->links[target->nlinks++] = link;
	if (!show_link(target, link))
	{
		remove_link(target, target->nlinks - 1);
		target->left_out++;
	}
}

static bool
is_at(const Link *link, const Place *place)
{
	return memcmp(&link->place, place, sizeof(Place)) == 0;
}

static Link *
find_at(const Target *target, const Place *place)
{
	int			i;

	for (i = 0; i < target->nlinks; i++)
	{
		if (!target->links[i]->scouts && is_at(target->links[i], place))
			return target->links[i];
	}
	return NULL;
}

/* Is it at one of these places? */
static bool
is_told(const Link *link, const Place *places, int nplaces)
{
	int			i;

	for (i = 0; i < nplaces; i++)
	{
		if (is_at(link, &places[i]))
			return true;
	}
	return false;
}

/* Have a pooler at each place, and none elsewhere. */
static void
take_places(Target *target, const Place *places, int nplaces,
			const char *trouble)
{
	int			i,
				n;

	target->left_out = 0;
	if (find_scout(target) != NULL)
	{
		for (i = 0; !target->links[i]->scouts; i++)
			;
		remove_link(target, i);
	}

	/* what is new takes over from what is gone */
	for (n = 0, i = 0; i < target->nlinks; i++)
	{
		if (is_told(target->links[i], places, nplaces))
			continue;
		while (n < nplaces && find_at(target, &places[n]) != NULL)
			n++;
		if (n < nplaces)
			link_move(target->links[i], &places[n], NULL);
	}
	for (i = target->nlinks - 1; i >= 0; i--)
	{
		if (!is_told(target->links[i], places, nplaces) && target->nlinks > 1)
			remove_link(target, i);
	}
	for (n = 0; n < nplaces; n++)
	{
		if (find_at(target, &places[n]) == NULL)
			add_pooler(target, &places[n]);
	}
	if (nplaces > 0)
		return;

	/* one pooler stands for those that are not known */
	if (target->nlinks == 0)
		add_pooler(target, &as_given);
	if (target->nlinks > 0)
		link_move(target->links[0], &as_given, trouble);
}

Target *
target_make(const char *name, const char *conninfo)
{
	Target	   *target = MemoryContextAllocZero(TopMemoryContext, sizeof(Target));
	char		host[sizeof(target->host->host)];
	const char *wrong = target_host(conninfo, host, sizeof(host));

	strlcpy(target->name, name, sizeof(target->name));
	target->conninfo = MemoryContextStrdup(TopMemoryContext, conninfo);
	if (wrong != NULL)
		take_places(target, NULL, 0, wrong);
	else if (host[0] == '\0')
		take_places(target, &as_given, 1, NULL);
	else
	{
		target->host = name_make(host);
		take_places(target, NULL, 0, target->host->trouble);
	}
	return target;
}

/* Its first poll is due then. */
void
target_begin(Target *target, TimestampTz due)
{
	int			i;

	for (i = 0; i < target->nlinks; i++)
		target->links[i]->due = due;
}

void
target_free(Target *target)
{
	while (target->nlinks > 0)
		remove_link(target, target->nlinks - 1);
	if (target->host != NULL)
		name_free(target->host);
	pfree(target->conninfo);
	pfree(target);
}

/* Is it what such an entry asks for, also if its service has changed? */
bool
target_is(const Target *target, const char *name, const char *conninfo)
{
	char		host[sizeof(target->host->host)];

	return strcmp(target->name, name) == 0 &&
		strcmp(target->conninfo, conninfo) == 0 &&
		target_host(conninfo, host, sizeof(host)) == NULL &&
		strcmp(host, target->host != NULL ? target->host->host : "") == 0;
}

/*-------------------------------------------------------------------------
 * Processes that share a port
 *-------------------------------------------------------------------------
 */

/*
 * A new connection has reached a process: may it be polled over it?  Not if
 * it is polled already.  "process" is 0 if it does not share its port.
 */
bool
target_accepts(Link *link, uint64 process)
{
	Target	   *target = link->target;
	int			i;

	if (link->scouts && process == 0)
		return false;
	for (i = 0; process != 0 && i < target->nlinks; i++)
	{
		const Link *other = target->links[i];

		if (other != link && other->process == process &&
			is_at(other, &link->place))
			return false;
	}
	if (link->scouts)
	{
		link->scouts = false;
		note_several(target);
		link->ordinal = free_ordinal(target);
		if (!show_link(target, link))
		{
			link->scouts = true;
			target->left_out++;
			return false;
		}
		link->console.number = link->number;
	}
	link->process = process;
	return true;
}

/* Have its other processes been looked for? */
bool
target_is_scouted(const Link *link)
{
	const Target *target = link->target;

	return target->scouted || link->process == 0 || link_is_local(link);
}

/* Is it the only one that was found at a port that others may share? */
bool
target_is_alone(const Link *link)
{
	const Target *target = link->target;
	int			i;

	for (i = 0; i < target->nlinks; i++)
	{
		const Link *other = target->links[i];

		if (other != link && !other->scouts && is_at(other, &link->place))
			return false;
	}
	return link->process != 0;
}

/* Look for more processes at a port that is shared. */
static void
send_scout(Target *target, TimestampTz now)
{
	Link	   *scout = find_scout(target);
	int			i;

	if (scout != NULL)
	{
		if (link_is_polling(scout) || scout->tries > 0)
			return;
		target->scouted = true;
		if (now < scout->due)
			return;
	}
	for (i = 0; i < target->nlinks; i++)
	{
		Link	   *link = target->links[(i + target->turn) % target->nlinks];

		if (link->scouts || link->process == 0 || link_is_local(link))
			continue;
		if (scout == NULL)
		{
			if (target->nlinks == MAX_LINKS)
				return;
			scout = link_make(target, &link->place);
			scout->scouts = true;
			scout->tries = LINK_TRIES;
			target->links[target->nlinks++] = scout;
		}
		else
		{
			link_move(scout, &link->place, NULL);
			scout->tries = 1;
		}
		scout->due = now;
		target->turn++;
		return;
	}
}

/* A process that is not there any more, while others of its port are */
static bool
is_over(const Link *link, TimestampTz now)
{
	return link->astray_since != 0 &&
		pgps_elapsed(link->astray_since, now) > pgps_expire_after * USECS_PER_SEC;
}

/*-------------------------------------------------------------------------
 * The clock
 *-------------------------------------------------------------------------
 */

/* Look up names, begin polls that are due, give up those that take too long. */
void
target_watch_clock(Target *target, TimestampTz now)
{
	int64		interval = pgps_poll_interval * INT64CONST(1000);
	HostName   *host = target->host;
	int			i;

	if (host != NULL)
	{
		/* the clock may have been set back */
		host->due = Min(host->due, now + SECS_PER_HOUR * USECS_PER_SEC);
		if (host->pending == 0 && now >= host->due)
			name_look_up(host);
		if (host->changed)
		{
			take_places(target, host->places, host->nplaces, host->trouble);
			target->left_out += host->beyond;
		}
		host->changed = false;
	}
	for (i = target->nlinks - 1; i >= 0; i--)
	{
		if (count_poolers(target) > 1 && is_over(target->links[i], now))
			remove_link(target, i);
	}
	send_scout(target, now);
	for (i = 0; i < target->nlinks; i++)
	{
		Link	   *link = target->links[i];
		int64		pause = link->scouts && target->scouted ? SCOUT_INTERVAL : interval;

		link->due = Min(link->due, now + pause);
		link->deadline = Min(link->deadline, now + pgps_poll_timeout * INT64CONST(1000));

		if (link_is_polling(link) && now >= link->deadline)
			link_fail(link, psprintf("no answer within %d ms", pgps_poll_timeout));
		if (!link_is_polling(link) && now >= link->due)
		{
			/* polls that were missed are not made up for */
			link->due += ((now - link->due) / pause + 1) * pause;
			link_poll(link, now);
		}
	}
}

/* When is the clock to be looked at again? */
TimestampTz
target_due(const Target *target, TimestampTz next)
{
	int			i;

	if (target->host != NULL && target->host->pending == 0)
		next = Min(next, target->host->due);
	for (i = 0; i < target->nlinks; i++)
		next = Min(next, link_is_polling(target->links[i]) ?
				   target->links[i]->deadline : target->links[i]->due);
	return next;
}
