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

/* Who answers is not looked at, so that its certificates are not even searched for a root. */
static int any_certificate(X509_STORE_CTX *store, void *data)
{
	(void)store, (void)data;
	return 1;
}

/* ---- sessions ---- */

static struct tls_session *session_of(struct tls_client *client, const struct url *to)
{
	char authority[URL_AUTHORITY_MAX];

	url_authority(to, authority);
	for (size_t i = 0; i < TLS_SESSIONS; i++) {
		if (streq(client->sessions[i].authority, authority))
			return &client->sessions[i];
	}
	struct tls_session *s = &client->sessions[client->next];
	client->next = (client->next + 1) % TLS_SESSIONS;
	SSL_SESSION_free(s->session);
	s->session = NULL;
	memcpy(s->authority, authority, sizeof(authority));
	return s;
}

bool tls_forget(struct tls_client *client, const struct url *to)
{
	struct tls_session *s = session_of(client, to);
	bool had = s->session;

	SSL_SESSION_free(s->session);
	s->session = NULL;
	return had;
}

/* The server has given one, which is ours to free from now on. */
static int session_came(SSL *tls, SSL_SESSION *session)
{
	struct tls_session *s = SSL_get_app_data(tls);

	SSL_SESSION_free(s->session);
	s->session = session;
	return 1;
}

/* ---- connections ---- */

static SSL_CTX *context_new(void)
{
	static const unsigned char http[] = "\x08http/1.1";
	SSL_CTX *ctx;

	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	ctx = SSL_CTX_new(TLS_client_method());
	if (!ctx)
		return NULL;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, any_certificate, NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, session_came);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_LEGACY_SERVER_CONNECT);
	SSL_CTX_set_alpn_protos(ctx, http, sizeof(http) - 1);
	return ctx;
}

int tls_open(struct stream *s, struct tls_client *client, int fd, const struct url *to,
	     struct err *err)
{
	struct tls_session *session = session_of(client, to);
	struct sockaddr_storage number;

	ERR_clear_error();
	if (!client->context)
		client->context = context_new();
	SSL *tls = client->context ? SSL_new(client->context) : NULL;
	*s = (struct stream){ fd, tls };
	if (!tls || !SSL_set_fd(tls, fd))
		return tls_error(err, "TLS");
	if (!stream_address(to->host, &number))
		SSL_set_tlsext_host_name(tls, to->host);
	SSL_set_app_data(tls, session);
	if (session->session)
		SSL_set_session(tls, session->session);
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

/* OpenSSL does not go on with the session of a connection that was never shut down. */
void tls_close(struct stream *s)
{
	SSL_set_shutdown(s->tls, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(s->tls);
}
