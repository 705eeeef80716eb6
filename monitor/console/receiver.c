/* SPDX-License-Identifier: Apache-2.0 */
#include "console/receiver.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/guard.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>

#define BODY_MAX_BYTES ((size_t)64 * 1024)

struct iv_receiver {
    struct MHD_Daemon *daemon;
    iv_hook_fn fn;
    void *ctx;
    char url[64];
};

static struct iv_str header_of(struct MHD_Connection *connection, const char *name)
{
    return iv_str_of(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name));
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (response == NULL) {
        return MHD_NO;
    }
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

/* libmicrohttpd calls once with the head, then for each part of the body, then once more to be answered. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *part,
                                  size_t *part_bytes, void **state)
{
    struct iv_receiver *receiver = cls;
    struct iv_buf *body = *state;
    (void)version;
    if (body == NULL) {
        body = iv_malloc(sizeof *body);
        if (body == NULL) {
            return MHD_NO;
        }
        iv_buf_init(body, BODY_MAX_BYTES);
        *state = body;
        return MHD_YES;
    }
    if (*part_bytes > 0) {
        iv_buf_add(body, part, *part_bytes);
        *part_bytes = 0;
        return MHD_YES;
    }
    if (strcmp(method, "POST") != 0) {
        return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED);
    }
    if (iv_buf_failed(body)) {
        return answer(connection, MHD_HTTP_CONTENT_TOO_LARGE);
    }
    struct iv_hook_call call = {
        .path = iv_str_of(url),
        .idempotency_key = header_of(connection, "Idempotency-Key"),
        .signature = header_of(connection, "Invigil-Signature"),
        .body = iv_buf_slice(body),
    };
    return answer(connection, receiver->fn(receiver->ctx, &call));
}

static void on_end(void *cls, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode why)
{
    (void)cls;
    (void)connection;
    (void)why;
    if (*state != NULL) {
        iv_buf_deinit(*state);
        iv_free(*state);
        *state = NULL;
    }
}

void iv_receiver_stop(struct iv_receiver *receiver)
{
    if (receiver == NULL) {
        return;
    }
    if (receiver->daemon != NULL) {
        MHD_stop_daemon(receiver->daemon);
    }
    iv_free(receiver);
}

iv_rc iv_receiver_start(struct iv_receiver **out, iv_hook_fn fn, void *ctx, struct iv_err *err)
{
    struct iv_receiver *receiver = iv_calloc(1, sizeof *receiver);
    ENSURE(receiver != NULL, err, IV_E_NOMEM, "cannot allocate a receiver for hooks");
    receiver->fn = fn;
    receiver->ctx = ctx;
    struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    receiver->daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL, on_request, receiver,
                         MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&loopback, MHD_OPTION_NOTIFY_COMPLETED,
                         on_end, NULL, MHD_OPTION_CONNECTION_LIMIT, 64U, MHD_OPTION_END);
    if (receiver->daemon == NULL) {
        iv_receiver_stop(receiver);
        return iv_err_set(err, IV_E_IO, "cannot listen for hooks on a loopback port");
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(receiver->daemon, MHD_DAEMON_INFO_BIND_PORT);
    (void)snprintf(receiver->url, sizeof receiver->url, "http://127.0.0.1:%u",
                   info == NULL ? 0U : info->port);
    *out = receiver;
    return IV_OK;
}

const char *iv_receiver_url(const struct iv_receiver *receiver)
{
    return receiver->url;
}
