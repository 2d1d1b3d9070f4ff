/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unix sockets by path and descriptor passing; see sock.h. */
#include "base/sock.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/macro.h"

/*
 * Fills the address for path. A path that does not fit is named relative to its directory, of
 * which *dir becomes a descriptor that has to stay open while the address is used.
 */
static int address(const char *path, struct sockaddr_un *sa, int *dir)
{
	char parent[PATH_MAX];

	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) < sizeof(sa->sun_path)) {
		memcpy(sa->sun_path, path, strlen(path) + 1);
		return 0;
	}
	const char *slash = strrchr(path, '/');
	if (!slash || (size_t)(slash - path) >= sizeof(parent))
		return -ENAMETOOLONG;
	snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
	*dir = open(*parent ? parent : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*dir < 0)
		return -errno;
	int n = snprintf(sa->sun_path, sizeof(sa->sun_path), "/proc/self/fd/%d%s", *dir, slash);
	return (size_t)n < sizeof(sa->sun_path) ? 0 : -ENAMETOOLONG;
}

static int open_socket(int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

static int connect_to(const struct sockaddr_un *sa, int type)
{
	FD_AUTO fd = open_socket(type);

	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0)
		return -errno;
	return fd_take(&fd);
}

/* Removes a socket that nobody listens on; -EADDRINUSE when somebody does. */
static int remove_stale(const struct sockaddr_un *sa, int type)
{
	struct stat st;

	if (lstat(sa->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EADDRINUSE;
	FD_AUTO fd = connect_to(sa, type);
	if (fd == -ENOENT)
		return 0;
	if (fd != -ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(sa->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

/*
 * The kernel gives the new node the mode of the socket's own inode less the umask, so it is
 * never more open than asked for, and chmod then adds what the umask took away.
 */
static int bind_listen(int fd, const struct sockaddr_un *sa, mode_t mode)
{
	if (fchmod(fd, mode) < 0 || bind(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0 ||
	    chmod(sa->sun_path, mode) < 0 || listen(fd, SOMAXCONN) < 0)
		return -errno;
	return 0;
}

int sock_listen(const char *path, int type, mode_t mode, struct err *err)
{
	struct sockaddr_un sa;
	FD_AUTO dir = -1;
	FD_AUTO fd = open_socket(type);
	int r = fd < 0 ? fd : address(path, &sa, &dir);

	if (r >= 0)
		r = remove_stale(&sa, type);
	if (r >= 0)
		r = bind_listen(fd, &sa, mode);
	if (r < 0)
		return err_sys(err, r, "cannot listen on %s", path);
	return fd_take(&fd);
}

int sock_connect(const char *path, int type, struct err *err)
{
	struct sockaddr_un sa;
	FD_AUTO dir = -1;
	int r = address(path, &sa, &dir);

	if (r >= 0)
		r = connect_to(&sa, type);
	if (r < 0)
		return err_sys(err, r, "cannot connect to %s", path);
	return r;
}

union control {
	struct cmsghdr align;
	char data[CMSG_SPACE(SOCK_FDS_MAX * sizeof(int))];
};

/* A message has to fit the send buffer as a whole (unix(7)); the default takes about 200 KiB. */
static bool grow(int fd, size_t n)
{
	int size = (int)MIN(n, (size_t)INT_MAX / 2);

	return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) == 0;
}

ssize_t sock_send(int fd, const void *data, size_t n, const int *fds, unsigned nfds)
{
	union control control = { 0 };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds > SOCK_FDS_MAX)
		return -EINVAL;
	if (nfds) {
		msg.msg_control = control.data;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	ssize_t r;
	bool grown = false;
	do
		r = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (r < 0 && (errno == EINTR || (errno == EMSGSIZE && !grown && (grown = grow(fd, n)))));
	return r < 0 ? -errno : r;
}

/* Hands out the first room descriptors of a message and closes the others; the number given. */
static unsigned take_fds(struct msghdr *msg, int *fds, unsigned room)
{
	unsigned given = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (given < room)
				fds[given++] = fd;
			else
				close(fd);
		}
	}
	return given;
}

ssize_t sock_recv(int fd, void *data, size_t n, int *fds, unsigned *nfds)
{
	union control control;
	struct iovec iov = { .iov_base = data, .iov_len = n };
	struct msghdr msg;
	ssize_t r;

	do {
		msg = (struct msghdr){ .msg_iov = &iov, .msg_iovlen = 1 };
		msg.msg_control = control.data;
		msg.msg_controllen = sizeof(control.data);
		r = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	} while (r < 0 && errno == EINTR);
	if (r < 0) {
		r = -errno;
		if (nfds)
			*nfds = 0;
		return r;
	}
	bool cut = msg.msg_flags & MSG_TRUNC;
	unsigned given = take_fds(&msg, fds, nfds && !cut ? *nfds : 0);
	if (nfds)
		*nfds = given;
	return cut ? -EMSGSIZE : r;
}

int sock_peer(int fd, pid_t *ret_pid, uid_t *ret_uid, gid_t *ret_gid)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	if (ret_pid)
		*ret_pid = cred.pid;
	if (ret_uid)
		*ret_uid = cred.uid;
	if (ret_gid)
		*ret_gid = cred.gid;
	return 0;
}
