/* SPDX-License-Identifier: Apache-2.0 */
/* A decoder with the built-in catalogue, for tests: texts in, events or reasons out. */
#pragma once

#include "base/arena.h"
#include "base/digest.h"
#include "base/guard.h"
#include "event/chain.h"
#include "event/content.h"
#include "event/decode.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

struct decoding_copy {
    struct decoding_copy *next;
    char bytes[];
};

struct decoding {
    struct iv_catalogue *catalogue;
    struct iv_decoder *decoder;
    struct iv_arena arena;
    struct iv_record record; /* of the last decode */
    struct iv_event event;
    struct iv_err err;
    struct decoding_copy *copies;
};

static inline void decoding_init(struct decoding *d, struct iv_decode_limits limits)
{
    static const struct iv_field_decl sized[] = {
        {IV_STR_INIT("sizes"), IV_F_LIST_INT, false},
        {IV_STR_INIT("flags"), IV_F_LIST_BOOL, false},
    };
    memset(d, 0, sizeof *d);
    cr_assert(iv_ok(iv_catalogue_new(&d->catalogue, &d->err)));
    cr_assert(iv_ok(iv_catalogue_declare(d->catalogue, IV_STR("my.sized"), IV_TELEMETRY, sized, 2, &d->err)));
    cr_assert(iv_ok(iv_catalogue_freeze(d->catalogue, &d->err)));
    struct iv_hash_key key = {1, 2};
    cr_assert(iv_ok(iv_decoder_new(&d->decoder, d->catalogue, &limits, key, &d->err)));
    iv_arena_init(&d->arena, 0);
}

static inline void decoding_deinit(struct decoding *d)
{
    while (d->copies != NULL) {
        struct decoding_copy *next = d->copies->next;
        free(d->copies);
        d->copies = next;
    }
    iv_decoder_free(d->decoder);
    iv_catalogue_free(d->catalogue);
    iv_arena_deinit(&d->arena);
}

/* The text in a heap block that ends with it, so that the sanitizer sees every read behind it. */
static inline struct iv_rc_s decode_record(struct decoding *d, enum iv_stream stream, struct iv_str text,
                                           const struct iv_header *headers, size_t header_count)
{
    struct decoding_copy *copy = malloc(sizeof *copy + text.n);
    cr_assert(copy != NULL);
    memcpy(copy->bytes, text.p, text.n);
    copy->next = d->copies;
    d->copies = copy;
    d->record = (struct iv_record){
        .origin = {stream, 0, 7, iv_str_of(iv_stream_name(stream))},
        .bytes = {copy->bytes, text.n},
        .headers = headers,
        .header_count = header_count,
    };
    memset(&d->err, 0, sizeof d->err);
    return iv_decode(d->decoder, &d->record, &d->arena, &d->event, &d->err);
}

static inline struct iv_rc_s decode_text(struct decoding *d, enum iv_stream stream, const char *text)
{
    return decode_record(d, stream, iv_str_of(text), NULL, 0);
}

/* The value of a field by its name; absent if the type does not have it. */
static inline struct iv_val field_of(const struct decoding *d, const char *name)
{
    for (size_t i = 0; i < d->event.type->field_count; i++) {
        if (iv_str_eq(d->event.type->fields[i].name, iv_str_of(name))) {
            return d->event.slots[d->event.type->fields[i].slot];
        }
    }
    return (struct iv_val){0};
}
