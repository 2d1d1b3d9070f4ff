/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections; see stream.h. */
#include "ask/stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/macro.h"

bool stream_address(const char *host, struct sockaddr_storage *ret)
{
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };

	*ret = (struct sockaddr_storage){ 0 };
	if (inet_pton(AF_INET, host, &four.sin_addr) == 1)
		memcpy(ret, &four, sizeof(four));
	else if (inet_pton(AF_INET6, host, &six.sin6_addr) == 1)
		memcpy(ret, &six, sizeof(six));
	return ret->ss_family;
}

int stream_connect(struct sockaddr_storage *to, uint16_t port, int *ret, struct err *err)
{
	bool six = to->ss_family == AF_INET6;
	socklen_t n = six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	FD_AUTO fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (six)
		((struct sockaddr_in6 *)to)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)to)->sin_port = htons(port);
	if (fd < 0 || connect(fd, (struct sockaddr *)to, n) < 0)
		return err_set(err, -errno, "%s", errno == ECONNREFUSED ? "connection refused" :
			       strerror(errno));
	*ret = fd_take(&fd);
	return 0;
}

int stream_send(int fd, const void *data, size_t n, struct err *err)
{
	const char *from = data;

	while (n) {
		ssize_t sent = send(fd, from, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return err_sys(err, -errno, "sending");
		from += sent;
		n -= (size_t)sent;
	}
	return 0;
}
