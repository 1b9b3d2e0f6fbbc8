/*
 * flood SOCKET RATE SECONDS CLIENTS: logins that a server rejects, so many a
 * second of so many at once, or as many as it takes; prints how many there
 * were, and in how many seconds.
 *
 * One process that waits for all of them, so that hardly anything of what the
 * machine can do is the clients'.  Each login is of a role that does not
 * exist, of a pool with an instance for each place of the clients.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PROTOCOL 196608

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static size_t
put(char *to, const char *text)
{
	strcpy(to, text);
	return strlen(text) + 1;
}

/* What a client says at first, and all it says */
static size_t
make_packet(char *packet, int client)
{
	char		options[100];
	size_t		n = 8;
	uint32_t	head[2];

	snprintf(options, sizeof(options),
			 "-c pgpool_stats.pool=flood -c pgpool_stats.instance=web-%d:1", client);
	n += put(packet + n, "user");
	n += put(packet + n, "nosuch");
	n += put(packet + n, "database");
	n += put(packet + n, "postgres");
	n += put(packet + n, "options");
	n += put(packet + n, options);
	packet[n++] = '\0';
	head[0] = htonl(n);
	head[1] = htonl(PROTOCOL);
	memcpy(packet, head, sizeof(head));
	return n;
}

static void
knock(const struct sockaddr_un *at, int epoll, int client)
{
	char		packet[300];
	size_t		n = make_packet(packet, client);
	int			s = socket(AF_UNIX, SOCK_STREAM, 0);
	struct epoll_event wanted = {.events = EPOLLIN};

	if (s < 0 || connect(s, (const struct sockaddr *) at, sizeof(*at)) < 0)
		fail("connect");
	if (write(s, packet, n) != (ssize_t) n)
		fail("write");
	wanted.data.u64 = (uint64_t) client << 32 | (uint32_t) s;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, s, &wanted) < 0)
		fail("epoll_ctl");
}

/* Has the server ended it? */
static int
is_over(int s)
{
	char		said[8192];
	ssize_t		n;

	while ((n = recv(s, said, sizeof(said), MSG_DONTWAIT)) > 0)
		;
	if (n < 0 && errno == EAGAIN)
		return 0;
	close(s);
	return 1;
}

int
main(int argc, char **argv)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	double		rate,
				seconds,
				began = now();
	int			nfree,
			   *places;
	long		started = 0,
				open = 0;
	int			epoll = epoll_create1(0);

	if (argc != 5 || strlen(argv[1]) >= sizeof(at.sun_path))
		return 2;
	strcpy(at.sun_path, argv[1]);
	rate = atof(argv[2]);
	seconds = atof(argv[3]);
	nfree = atoi(argv[4]);
	places = calloc(nfree, sizeof(int));
	for (int i = 0; i < nfree; i++)
		places[i] = i;

	for (;;)
	{
		struct epoll_event ended[64];
		double		passed = now() - began;
		int			n,
					wait = 100;

		for (; passed < seconds && nfree > 0 && started < passed * rate; started++, open++)
			knock(&at, epoll, places[--nfree]);
		if (passed >= seconds && open == 0)
			break;
		if (passed < seconds && nfree > 0)
			wait = 1;
		n = epoll_wait(epoll, ended, 64, wait);
		for (int i = 0; i < n; i++)
		{
			if (is_over((int) (uint32_t) ended[i].data.u64))
			{
				places[nfree++] = ended[i].data.u64 >> 32;
				open--;
			}
		}
	}
	printf("%ld %.3f\n", started, now() - began);
	return 0;
}
