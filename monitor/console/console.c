/* SPDX-License-Identifier: Apache-2.0 */
#include "console/console.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "base/scrypt.h"
#include "console/answer.h"
#include "console/body.h"
#include "console/chunk.h"
#include "console/hashing.h"
#include "console/listen.h"
#include "console/live.h"
#include "console/peer.h"
#include "console/query.h"
#include "console/readers.h"
#include "console/tls.h"
#include "console/token_file.h"
#include "console/tries.h"
#include "console/uses.h"
#include "event/catalogue.h"
#include "event/decode.h"
#include "evidence/store.h"

#include <stdio.h>
#include <unistd.h>

enum {
    THREADS_DEFAULT = 2,
    CONNECTIONS_DEFAULT = 512,
    CONNECTIONS_PER_IP_DEFAULT = 256,
    IDLE_S_DEFAULT = 30,
    HEAD_S_DEFAULT = 10,
    PULSE_MS_DEFAULT = 2000,
    ANSWER_MS_DEFAULT = 2000,
    ANSWERS_MIB_DEFAULT = 64,
    CONNECTION_BYTES = 32 * 1024, /* head and buffers of one connection; a larger head is refused with 431 */
};

static unsigned either(unsigned value, unsigned fallback)
{
    return value == 0 ? fallback : value;
}

static struct iv_console *console_new(const struct iv_console_options *options)
{
    struct iv_console *c = iv_calloc(1, sizeof *c);
    if (c == NULL) {
        return NULL;
    }
    (void)pthread_mutex_init(&c->lock, NULL);
    (void)pthread_mutex_init(&c->flight_lock, NULL);
    (void)pthread_mutex_init(&c->body_lock, NULL);
    (void)pthread_mutex_init(&c->writer_lock, NULL);
    iv_hashing_init(c, either(options->threads, THREADS_DEFAULT));
    iv_monotonic_cond_init(&c->tick);
    c->listen_fd = -1;
    c->instruments = options->instruments;
    c->workers = options->workers;
    c->metrics = options->metrics;
    c->idle = (iv_ns)either(options->idle_s, IDLE_S_DEFAULT) * IV_NS_PER_S;
    c->head = (iv_ns)either(options->head_s, HEAD_S_DEFAULT) * IV_NS_PER_S;
    c->pulse = (iv_ns)either(options->pulse_ms, PULSE_MS_DEFAULT) * IV_NS_PER_MS;
    /* A quarter of the connections stays free for everything that is no stream. */
    c->live_max = either(options->max_connections, CONNECTIONS_DEFAULT) / 4 * 3;
    c->live_max_each = either(options->max_streams_per_name, (unsigned)c->live_max / 3 * 2);
    c->flight_max = (size_t)either(options->max_answers_mib, ANSWERS_MIB_DEFAULT) << 20;
    c->generation = 1;
    (void)snprintf(c->version, sizeof c->version, IV_STR_FMT, IV_STR_ARG(options->version));
    (void)snprintf(c->not_ready, sizeof c->not_ready, "starting");
    return c;
}

static void console_free(struct iv_console *c)
{
    if (c->listen_fd >= 0) {
        (void)close(c->listen_fd);
    }
    iv_chunk_unref(c->status);
    iv_chunks_free(c->chunks);
    iv_readers_free(c->readers);
    iv_buf_deinit(&c->baseline);
    iv_coverage_rules_unref(c->coverage_rules);
    iv_buf_deinit(&c->certificate);
    iv_buf_deinit(&c->key);
    iv_buf_deinit(&c->client_ca);
    (void)pthread_cond_destroy(&c->tick);
    iv_store_close(c->writer);
    iv_decoder_free(c->decoder);
    iv_catalogue_free(c->catalogue);
    iv_free(c->store_path);
    iv_free(c->pause_file);
    iv_tries_free(c->tries);
    iv_uses_free(c->uses);
    (void)sem_destroy(&c->hashing);
    (void)pthread_mutex_destroy(&c->writer_lock);
    (void)pthread_mutex_destroy(&c->body_lock);
    (void)pthread_mutex_destroy(&c->flight_lock);
    (void)pthread_mutex_destroy(&c->lock);
    iv_free(c);
}

/* Findings tell an attacker what is noticed, so nothing but this machine is served
 * without knowing who asks. */
static iv_rc check_exposure(struct iv_console *c, struct iv_str listen, struct iv_err *err)
{
    bool loopback;
    TRY(iv_listen_is_loopback(&loopback, listen, err));
    ENSURE(loopback || (c->certificate.n > 0 && (c->token_n > 0 || c->client_ca.n > 0) && !c->open), err,
           IV_E_REFUSED,
           "console.listen " IV_STR_FMT
           " is reachable from other machines: it needs console.tls.certificate and "
           "console.tls.key, and console.tls.client_ca or console.token_file; or listen on 127.0.0.1",
           IV_STR_ARG(listen));
    return IV_OK;
}

static struct iv_str listen_of(const struct iv_console_options *options)
{
    return options->listen.n > 0 ? options->listen : IV_STR("127.0.0.1:8088");
}

static iv_rc read_access(struct iv_console *c, const struct iv_console_options *options, struct iv_err *err)
{
    TRY(iv_tls_read(c, options, err));
    if (options->token_file.n > 0) {
        TRY(iv_token_file_read(c, options->token_file, err));
    }
    c->open = options->open;
    return check_exposure(c, listen_of(options), err);
}

static iv_rc open_socket(struct iv_console *c, const struct iv_console_options *options, struct iv_err *err)
{
    struct iv_listen opened;
    TRY(read_access(c, options, err));
    TRY(iv_listen_open(&opened, listen_of(options), err));
    c->listen_fd = opened.fd;
    (void)snprintf(c->host, sizeof c->host, "%s", opened.host);
    (void)snprintf(c->url, sizeof c->url, "%s://%s:%u", c->certificate.n > 0 ? "https" : "http", opened.host,
                   opened.port);
    return IV_OK;
}

/* What the library has to say concerns single connections; it is no trouble of ours. */
static void log_library(void *ctx, const char *format, va_list args)
{
    (void)ctx;
    char text[256];
    (void)vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    LOG_DEBUG("console.http", KV_TEXT("text", text));
}

static iv_rc start_daemon(struct iv_console *c, const struct iv_console_options *options, struct iv_err *err)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[5] = {{MHD_OPTION_END, 0, NULL}};
    size_t n = 0;
    if (c->certificate.n > 0) {
        flags |= MHD_USE_TLS;
        tls[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, c->certificate.p};
        tls[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, c->key.p};
        tls[n++] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)iv_tls_priorities};
        if (c->client_ca.n > 0) {
            tls[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, c->client_ca.p};
        }
        tls[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    }
    c->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, iv_answer, c, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
        MHD_OPTION_LISTEN_SOCKET, c->listen_fd, MHD_OPTION_THREAD_POOL_SIZE,
        either(options->threads, THREADS_DEFAULT), MHD_OPTION_CONNECTION_LIMIT,
        either(options->max_connections, CONNECTIONS_DEFAULT), MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        either(options->max_connections_per_ip, CONNECTIONS_PER_IP_DEFAULT), MHD_OPTION_CONNECTION_TIMEOUT,
        either(options->idle_s, IDLE_S_DEFAULT), MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, iv_query_unescape, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, iv_answer_completed, c, MHD_OPTION_NOTIFY_CONNECTION, iv_peer_notify, c,
        MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    ENSURE(c->daemon != NULL, err, c->certificate.n > 0 ? IV_E_REFUSED : IV_E_IO,
           "the console's HTTP server does not start%s",
           c->certificate.n > 0 ? ": do console.tls.certificate and console.tls.key belong together?" : "");
    c->listen_fd = -1; /* the daemon closes it */
    return IV_OK;
}

static iv_rc copy_paths(struct iv_console *c, const struct iv_console_options *options, struct iv_err *err)
{
    struct iv_str file = options->pause_file;
    c->store_path = iv_strndup(options->store_path.p, options->store_path.n);
    c->pause_file = file.n == 0 ? NULL : iv_strndup(file.p, file.n);
    ENSURE(c->store_path != NULL && (file.n == 0 || c->pause_file != NULL), err, IV_E_NOMEM,
           "cannot allocate the console");
    return IV_OK;
}

/* For bodies of requests. */
static iv_rc open_decoder(struct iv_console *c, struct iv_err *err)
{
    static const struct iv_decode_limits limits = {
        .record_bytes = IV_BODY_BYTES_MAX, .depth = 8, .members = 64, .identifier_bytes = 4096};
    TRY(iv_catalogue_new(&c->catalogue, err));
    TRY(iv_catalogue_freeze(c->catalogue, err));
    return iv_decoder_new(&c->decoder, c->catalogue, &limits, iv_hash_key_random(), err);
}

static void count_user(void *ctx, const struct iv_user *user)
{
    (void)user;
    ++*(size_t *)ctx;
}

/* Nobody would find out by himself why he is not let in. */
static iv_rc tell_who_may_enter(struct iv_console *c, struct iv_err *err)
{
    size_t users = 0;
    struct iv_reader *reader = iv_readers_borrow(c->readers);
    struct iv_rc_s rc = iv_reader_users(reader, IV_STR(""), 1, count_user, &users, err);
    iv_readers_return(c->readers, reader);
    TRY(rc);
    if (users == 0 && c->token_n == 0 && c->client_ca.n == 0 && !c->open) {
        LOG_WARN("console.nobody_may_enter",
                 KV_TEXT("why", "it serves health alone: there is no user, no token_file and no client_ca"),
                 KV_TEXT("add", "invigil user add NAME --role admin"));
    }
    return IV_OK;
}

static iv_rc start(struct iv_console *c, const struct iv_console_options *options, struct iv_err *err)
{
    struct iv_clock clock = iv_clock_system();
    TRY(open_socket(c, options, err));
    TRY(copy_paths(c, options, err));
    TRY(open_decoder(c, err));
    TRY(iv_tries_new(&c->tries, err));
    TRY(iv_uses_new(&c->uses, err));
    iv_scrypt_nobody(&c->nobody.password);
    /* One for each thread that answers, one for the pulse. */
    TRY(iv_readers_new(&c->readers, options->store_path, either(options->threads, THREADS_DEFAULT) + 1,
                       (iv_ns)either(options->answer_ms, ANSWER_MS_DEFAULT) * IV_NS_PER_MS, err));
    TRY(tell_who_may_enter(c, err));
    TRY(iv_chunks_new(&c->chunks, c->readers, err));
    iv_series_set(IV_SERIES(c->metrics, BUILD, iv_str_of(c->version)), 1);
    iv_series_set_time(iv_metrics_only(c->metrics, IV_METRIC_STARTED), iv_wall(&clock));
    TRY(start_daemon(c, options, err));
    return iv_pulse_start(c, err);
}

iv_rc iv_console_check(const struct iv_console_options *options, struct iv_err *err)
{
    struct iv_console *c = console_new(options);
    ENSURE(c != NULL, err, IV_E_NOMEM, "cannot allocate the console");
    struct iv_rc_s rc = read_access(c, options, err);
    iv_console_stop(c);
    return rc;
}

iv_rc iv_console_start(struct iv_console **out, const struct iv_console_options *options, struct iv_err *err)
{
    struct iv_console *c = console_new(options);
    ENSURE(c != NULL, err, IV_E_NOMEM, "cannot allocate the console");
    struct iv_rc_s rc = start(c, options, err);
    if (!iv_ok(rc)) {
        iv_console_stop(c);
        return rc;
    }
    *out = c;
    return IV_OK;
}

void iv_console_stop(struct iv_console *console)
{
    if (console == NULL) {
        return;
    }
    iv_pulse_stop(console);
    if (console->daemon != NULL) {
        MHD_stop_daemon(console->daemon);
    }
    console_free(console);
}

const char *iv_console_url(const struct iv_console *console)
{
    return console->url;
}

void iv_console_standing(struct iv_console *console, const char *part)
{
    (void)pthread_mutex_lock(&console->lock);
    (void)snprintf(console->standing, sizeof console->standing, "%s", part == NULL ? "" : part);
    (void)pthread_mutex_unlock(&console->lock);
}

void iv_console_ready(struct iv_console *console, const char *why_not)
{
    (void)pthread_mutex_lock(&console->lock);
    (void)snprintf(console->not_ready, sizeof console->not_ready, "%s", why_not == NULL ? "" : why_not);
    (void)pthread_mutex_unlock(&console->lock);
}
