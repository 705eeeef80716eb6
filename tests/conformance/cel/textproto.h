/* SPDX-License-Identifier: Apache-2.0 */
/* A reader of protobuf's text format, as far as cel-spec's test files use it: no schema, so a message is a
 * list of fields in order, and a scalar is its text.
 * Source: protobuf.dev, "Text Format Language Specification". */
#pragma once

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>

struct text_field {
    struct iv_str name;             /* "[type.googleapis.com/…]" with its brackets */
    struct iv_str text;             /* a scalar: strings unescaped and joined, else the word */
    const struct text_field *first; /* a message: its fields */
    bool is_message;
    const struct text_field *next;
};

/* The file as one message; ends the test with a message where it is malformed. */
const struct text_field *textproto_read(struct iv_str text, struct iv_arena *arena);

/* The first field of that name, NULL if there is none. */
const struct text_field *textproto_get(const struct text_field *message, const char *name);
const struct text_field *textproto_next(const struct text_field *field); /* of the same name */
/* A scalar's text, "" if the field is not there. */
struct iv_str textproto_text(const struct text_field *message, const char *name);
