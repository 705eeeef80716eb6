/* SPDX-License-Identifier: Apache-2.0 */
/* A request's body: a JSON object whose members the route knows.
 * Guarantee: a text is UTF-8 without control characters but line feeds and tabs, and no longer than asked; a
 * member that is not known is refused by its name, and so is one that stands twice. */
#pragma once

#include "console/server.h"

enum { IV_BODY_BYTES_MAX = 64 * 1024, IV_BODY_TEXTS_MAX = 16 };

struct iv_body_texts {
    struct iv_str items[IV_BODY_TEXTS_MAX];
    size_t count;
};

/* One of text, flag, texts says of what type it is. Not given, or null: stays as it was. */
struct iv_body_member {
    const char *name;
    struct iv_str *text;
    bool *flag;
    struct iv_body_texts *texts;
    bool required;
    size_t bytes_max; /* of a text */
};

/* What texts point to lives as long as the request. No body is an empty object. False: the reply holds the
 * refusal. */
bool iv_body_read(struct iv_request *request, struct iv_reply *reply, const struct iv_body_member *members,
                  size_t count);
