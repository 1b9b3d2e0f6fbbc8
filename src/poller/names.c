/*-------------------------------------------------------------------------
 *
 * names.c
 *	  From the name of a host to addresses, while everybody goes on.
 *
 * c-ares asks /etc/hosts and the name servers; we wait for its sockets beside
 * all others.  A name is asked for again when its time to live is over, and a
 * second after nobody answered.  What nobody answered leaves the addresses as
 * they were: only "there is no such name" takes them away.
 *
 * A name that begins with an underscore is one of SRV records, which tell the
 * ports as well.  A host that has IPv4 addresses is not asked for others: they
 * would be the same pooler once more.
 *
 * The channel to the name servers lives only while something is asked, so that
 * the next question goes where /etc/resolv.conf says by then.
 *
 * c-ares calls us back: there nothing may raise an error.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

/* what newer releases call outdated is all that older ones have */
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "storage/fd.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "poller/names.h"

#define ANSWER_WITHIN 1000		/* ms, of each name server */
#define TRIES 2
#define MAX_TTL 3600			/* seconds */

/* one of c-ares' sockets */
typedef struct Socket
{
	ares_socket_t fd;
	uint32		events;			/* 0 = free */
} Socket;

/* one question */
typedef struct Question
{
	HostName   *name;
	int			family;
	char		port[6];
	char		host[256];
} Question;

static ares_channel channel;
static bool is_open = false;
static int	asked = 0;			/* names that are being looked up */
static Socket sockets[MAX_NAME_SOCKETS];
static bool sockets_changed = false;

/*-------------------------------------------------------------------------
 * The channel
 *-------------------------------------------------------------------------
 */

static void
socket_changed(void *arg, ares_socket_t fd, int readable, int writable)
{
	uint32		events = (readable ? WL_SOCKET_READABLE : 0) |
		(writable ? WL_SOCKET_WRITEABLE : 0);
	Socket	   *place = NULL;
	int			i;

	for (i = MAX_NAME_SOCKETS - 1; i >= 0; i--)
	{
		if (sockets[i].events == 0 || sockets[i].fd == fd)
			place = &sockets[i];
		if (sockets[i].events != 0 && sockets[i].fd == fd)
			break;
	}
	sockets_changed = true;

	/* one too many is not listened to: what it is for will time out */
	if (place == NULL)
		return;
	if (place->events == 0 && events != 0)
		ReserveExternalFD();
	else if (place->events != 0 && events == 0)
		ReleaseExternalFD();
	place->fd = fd;
	place->events = events;
}

/* NULL if it is open, else why it is not */
static const char *
open_channel(void)
{
	static bool is_initialized = false;
	struct ares_options options = {
		.timeout = ANSWER_WITHIN,
		.tries = TRIES,
		.sock_state_cb = socket_changed
	};

	if (is_open)
		return NULL;
	if (!is_initialized && ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		return "no name can be looked up";
	is_initialized = true;
	if (ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
						  ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS)
		return "no name can be looked up";
	if (pgps_name_servers[0] != '\0' &&
		ares_set_servers_ports_csv(channel, pgps_name_servers) != ARES_SUCCESS)
	{
		ares_destroy(channel);
		return "pgpool_stats.name_servers is no list of addresses and ports";
	}
	is_open = true;
	return NULL;
}

static void
close_channel(void)
{
	if (is_open)
		ares_destroy(channel);
	is_open = false;
}

/*-------------------------------------------------------------------------
 * Questions and answers
 *-------------------------------------------------------------------------
 */

static void ask_for_addresses(HostName *name, const char *host, int family,
							  const char *port);

static int
place_order(const Place *a, const Place *b)
{
	int			order = strcmp(a->address, b->address);

	return order != 0 ? order : strcmp(a->port, b->port);
}

/* All is answered. */
static void
look_up_ended(HostName *name)
{
	TimestampTz now = GetCurrentTimestamp();
	int			ttl = Min(Max(name->ttl, 1), MAX_TTL);

	asked--;
	if (name->unused)
	{
		pfree(name);
		return;
	}
	if (name->nfound == 0 || name->failed != NULL)
		ttl = 1;
	name->due = now + ttl * USECS_PER_SEC;
	name->trouble = name->failed;
	if (name->failed == NULL && name->nfound == 0)
		name->trouble = "its name is not known to the name servers";

	/* what was known stays, as long as nobody knows better */
	if (name->failed != NULL && (name->nplaces > 0 || name->nfound == 0))
	{
		name->changed |= name->nplaces == 0;
		return;
	}
	name->changed |= name->nfound == 0 || name->nfound != name->nplaces ||
		name->found_beyond != name->beyond ||
		memcmp(name->found, name->places, name->nfound * sizeof(Place)) != 0;
	memcpy(name->places, name->found, sizeof(name->places));
	name->nplaces = name->nfound;
	name->beyond = name->found_beyond;
}

static void
answer_ended(Question *question)
{
	HostName   *name = question->name;

	pfree(question);
	if (--name->pending == 0)
		look_up_ended(name);
}

static bool
is_not_known(int status)
{
	return status == ARES_ENOTFOUND || status == ARES_ENODATA;
}

static void
note_failure(HostName *name, int status)
{
	if (!is_not_known(status))
		name->failed = "no name server answers for its name";
}

static void
add_place(HostName *name, const struct sockaddr *addr, const char *port)
{
	Place		place = {{0}};
	const void *in = addr->sa_family == AF_INET ?
		(const void *) &((const struct sockaddr_in *) addr)->sin_addr :
		(const void *) &((const struct sockaddr_in6 *) addr)->sin6_addr;
	int			i;

	if (inet_ntop(addr->sa_family, in, place.address, sizeof(place.address)) == NULL)
		return;
	strlcpy(place.port, port, sizeof(place.port));
	for (i = name->nfound; i > 0; i--)
	{
		int			order = place_order(&name->found[i - 1], &place);

		if (order == 0)
			return;
		if (order < 0)
			break;
	}

	/* the first ones stay, in whatever order they are told */
	if (name->nfound < PGPS_MAX_PLACES)
		name->nfound++;
	else
		name->found_beyond++;
	if (i < PGPS_MAX_PLACES)
	{
		memmove(&name->found[i + 1], &name->found[i],
				(name->nfound - 1 - i) * sizeof(Place));
		name->found[i] = place;
	}
}

static void
take_addresses(void *arg, int status, int timeouts, struct ares_addrinfo *answer)
{
	Question   *question = arg;
	HostName   *name = question->name;
	const struct ares_addrinfo_node *node;
	const struct ares_addrinfo_cname *cname;

	if (status == ARES_SUCCESS)
	{
		for (node = answer->nodes; node != NULL; node = node->ai_next)
		{
			add_place(name, node->ai_addr, question->port);
			name->ttl = Min(name->ttl, node->ai_ttl);
		}
		for (cname = answer->cnames; cname != NULL; cname = cname->next)
			name->ttl = Min(name->ttl, cname->ttl);
		ares_freeaddrinfo(answer);
	}
	else if (is_not_known(status) && question->family == AF_INET)
		ask_for_addresses(name, question->host, AF_INET6, question->port);
	else
		note_failure(name, status);
	answer_ended(question);
}

static Question *
make_question(HostName *name, const char *host, int family, const char *port)
{
	Question   *question = MemoryContextAllocExtended(TopMemoryContext, sizeof(Question),
													  MCXT_ALLOC_NO_OOM | MCXT_ALLOC_ZERO);

	if (question == NULL || strlen(host) >= sizeof(question->host))
	{
		if (question != NULL)
			pfree(question);
		name->failed = "its name cannot be looked up";
		return NULL;
	}
	question->name = name;
	question->family = family;
	strlcpy(question->host, host, sizeof(question->host));
	strlcpy(question->port, port, sizeof(question->port));
	name->pending++;
	return question;
}

static void
ask_for_addresses(HostName *name, const char *host, int family, const char *port)
{
	struct ares_addrinfo_hints hints = {
		.ai_flags = ARES_AI_NOSORT,
		.ai_family = family
	};
	Question   *question = make_question(name, host, family, port);

	if (question != NULL)
		ares_getaddrinfo(channel, host, NULL, &hints, take_addresses, question);
}

static void
take_services(void *arg, int status, int timeouts, unsigned char *answer,
			  int length)
{
	Question   *question = arg;
	HostName   *name = question->name;
	struct ares_srv_reply *services = NULL;
	const struct ares_srv_reply *service;
	int			n = 0;

	if (status == ARES_SUCCESS)
		status = ares_parse_srv_reply(answer, length, &services);
	if (status != ARES_SUCCESS)
		note_failure(name, status);
	for (service = services; service != NULL; service = service->next)
	{
		char		port[6];

		if (n++ >= PGPS_MAX_PLACES)
		{
			name->found_beyond++;
			continue;
		}
		snprintf(port, sizeof(port), "%u", service->port);
		ask_for_addresses(name, service->host, AF_INET, port);
	}
	if (services != NULL)
		ares_free_data(services);
	answer_ended(question);
}

/*-------------------------------------------------------------------------
 * For the poller
 *-------------------------------------------------------------------------
 */

HostName *
name_make(const char *host)
{
	HostName   *name = MemoryContextAllocZero(TopMemoryContext, sizeof(HostName));

	strlcpy(name->host, host, sizeof(name->host));
	name->trouble = "its name is being looked up";
	return name;
}

void
name_free(HostName *name)
{
	name->unused = true;
	if (name->pending == 0)
		pfree(name);
}

/* Begin to look it up; its look-up does not go on. */
void
name_look_up(HostName *name)
{
	const char *trouble = open_channel();
	Question   *question;

	name->due = DT_NOEND;
	name->nfound = name->found_beyond = 0;
	memset(name->found, 0, sizeof(name->found));
	name->ttl = MAX_TTL;
	name->failed = trouble;
	asked++;

	/* it does not end before all is asked */
	name->pending++;
	if (trouble == NULL && name->host[0] == '_')
	{
		question = make_question(name, name->host, AF_UNSPEC, "");
		if (question != NULL)
			ares_search(channel, name->host, ns_c_in, ns_t_srv, take_services, question);
	}
	else if (trouble == NULL)
		ask_for_addresses(name, name->host, AF_INET, "");
	if (--name->pending == 0)
		look_up_ended(name);
}

/* The settings may have changed: what goes on begins anew. */
void
names_reset(void)
{
	close_channel();
}

/* Has the set of sockets changed since this was asked last? */
bool
names_changed(void)
{
	bool		changed = sockets_changed;

	sockets_changed = false;
	return changed;
}

void
names_watch(WaitEventSet *set)
{
	int			i;

	for (i = 0; i < MAX_NAME_SOCKETS; i++)
	{
		if (sockets[i].events != 0)
			AddWaitEventToSet(set, sockets[i].events, sockets[i].fd, NULL,
							  &sockets[i]);
	}
}

/* Was it one of our sockets that became ready? */
bool
names_heard(const WaitEvent *event)
{
	const Socket *ready = event->user_data;

	if (ready < sockets || ready >= sockets + MAX_NAME_SOCKETS)
		return false;
	if (is_open && ready->events != 0 && ready->fd == event->fd)
		ares_process_fd(channel,
						event->events & WL_SOCKET_READABLE ? event->fd : ARES_SOCKET_BAD,
						event->events & WL_SOCKET_WRITEABLE ? event->fd : ARES_SOCKET_BAD);
	return true;
}

/* Give up what nobody answers; close what is not needed. */
void
names_watch_clock(void)
{
	if (is_open && asked > 0)
		ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	if (asked == 0)
		close_channel();
}

/* Milliseconds until the clock is to be looked at again */
long
names_time_left(long most)
{
	struct timeval left;

	if (!is_open || ares_timeout(channel, NULL, &left) == NULL)
		return most;
	return Min(most, left.tv_sec * 1000L + left.tv_usec / 1000 + 1);
}
