/* SPDX-License-Identifier: Apache-2.0 */
/* A request's bytes: its address, its headers with the endpoint's credentials, its body. Internal to web/. */
#pragma once

#include "respond/web/signature.h"
#include "respond/web/web.h"

#include <stdbool.h>

/* Secrets that went into a request, so that none of them comes out of its answer. */
#define IV_WEB_SECRETS 5

struct iv_web_wire {
    struct iv_buf url;
    struct iv_buf body;
    struct iv_buf headers; /* each with a NUL behind it */
    struct iv_buf secrets[IV_WEB_SECRETS];
    size_t secret_count;
};

void iv_web_wire_init(struct iv_web_wire *wire);
void iv_web_wire_deinit(struct iv_web_wire *wire); /* wipes it */

/* IV_E_BUSY: a credential cannot be had now, and may be later. */
iv_rc iv_web_wire_write(struct iv_web_wire *wire, const struct iv_call *call,
                        const struct iv_web_request *request, struct iv_signature *signature,
                        struct iv_err *err);
/* Stars in the place of what must not be kept. */
void iv_web_wire_scrub(const struct iv_web_wire *wire, char *text, size_t n);
