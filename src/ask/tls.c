/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS by OpenSSL. Weak keys and old digests of certificates are let through, as those who use them
 * are not to be judged by their probes. Nothing is read from files: the program is in its cage.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "ask/stream.h"
#include "base/macro.h"

static int tls_error(struct err *err, const char *what)
{
	unsigned long code = ERR_get_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	return err_set(err, -EPROTO, "%s: %s", what, reason ? reason : "connection closed");
}

static SSL_CTX *context(void)
{
	static const unsigned char http[] = "\x08http/1.1";
	SSL_CTX *ctx;

	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	ctx = SSL_CTX_new(TLS_client_method());
	if (!ctx)
		return NULL;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_LEGACY_SERVER_CONNECT);
	SSL_CTX_set_alpn_protos(ctx, http, sizeof(http) - 1);
	return ctx;
}

int tls_open(struct stream *s, int fd, const char *host, struct err *err)
{
	SSL_CTX *ctx = context();
	SSL *tls = ctx ? SSL_new(ctx) : NULL;
	struct sockaddr_storage number;

	*s = (struct stream){ fd, tls };
	SSL_CTX_free(ctx);
	if (!tls || !SSL_set_fd(tls, fd))
		return tls_error(err, "TLS");
	if (!stream_address(host, &number))
		SSL_set_tlsext_host_name(tls, host);
	return SSL_connect(tls) == 1 ? 0 : tls_error(err, "TLS handshake");
}

ssize_t tls_read(struct stream *s, void *data, size_t n, struct err *err)
{
	int r = SSL_read(s->tls, data, (int)MIN(n, (size_t)INT32_MAX));

	if (r > 0 || SSL_get_error(s->tls, r) == SSL_ERROR_ZERO_RETURN)
		return MAX(r, 0);
	return tls_error(err, "TLS");
}

int tls_send(struct stream *s, const void *data, size_t n, struct err *err)
{
	return SSL_write(s->tls, data, (int)n) == (int)n ? 0 : tls_error(err, "TLS");
}

void tls_close(struct stream *s)
{
	SSL_free(s->tls);
}
