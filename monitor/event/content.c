/* SPDX-License-Identifier: Apache-2.0 */
#include "event/content.h"
#include "base/guard.h"
#include "event/chain.h"

#include <endian.h>

#define SCALAR_BYTES 13 /* a kind, and the two parts of a value */

/* The bytes are the same on every machine. */
static inline char *put_head(char *p, uint8_t kind, uint32_t n)
{
    uint32_t little = htole32(n);
    *p = (char)kind;
    memcpy(p + 1, &little, sizeof little);
    return p + 1 + sizeof little;
}

static inline char *put_text(char *p, const struct iv_val *v)
{
    p = put_head(p, v->kind, v->n);
    memcpy(p, v->s, v->n);
    return p + v->n;
}

static inline char *put_scalar(char *p, const struct iv_val *v)
{
    uint64_t word = v->kind == IV_KIND_BOOL ? v->b : v->u;
    word = htole64(v->kind == IV_KIND_DOUBLE && v->d == 0 ? 0 : word); /* -0 equals 0 */
    p = put_head(p, v->kind, v->n);
    memcpy(p, &word, sizeof word);
    return p + sizeof word;
}

static void put_nested(struct iv_buf *out, const struct iv_val *v);

/* A value with its slot's number in front. */
static inline void put_value(struct iv_buf *out, uint8_t slot, const struct iv_val *v)
{
    char *start = iv_buf_reserve(out, 1 + SCALAR_BYTES + (v->kind == IV_KIND_STRING ? v->n : 0));
    if (start == NULL) {
        return;
    }
    char *p = start;
    *p++ = (char)slot;
    if (v->kind == IV_KIND_STRING) {
        p = put_text(p, v);
    } else if (v->kind == IV_KIND_LIST || v->kind == IV_KIND_MAP) {
        p = put_head(p, v->kind, v->n);
    } else {
        p = put_scalar(p, v);
    }
    iv_buf_wrote(out, (size_t)(p - start));
    if (v->kind == IV_KIND_LIST || v->kind == IV_KIND_MAP) {
        put_nested(out, v);
    }
}

static void put_nested(struct iv_buf *out, const struct iv_val *v)
{
    if (v->kind == IV_KIND_LIST) {
        for (uint32_t i = 0; i < v->n; i++) {
            put_value(out, 0, &v->items[i]);
        }
    } else if (!iv_ok(iv_jcs_value(out, v, NULL,
                                   NULL))) { /* the same for equal maps, in whatever order they came */
        out->failed = true;
    }
}

void iv_event_content_bytes(struct iv_buf *out, const struct iv_event *event)
{
    if (event->origin.stream == IV_LEDGER) {
        iv_buf_str(out, event->canonical);
        iv_buf_str(out, iv_event_attr(event, IV_ATTR_LEDGER_HASH));
        return;
    }
    for (uint8_t i = 0; i < event->type->slot_count; i++) {
        bool said = i < IV_ATTR_TOPIC || i >= IV_ATTRS; /* by the producer; the rest is where it stood */
        if (said && event->slots[i].kind != IV_KIND_ABSENT) {
            put_value(out, i, &event->slots[i]);
        }
    }
}

iv_rc iv_event_content_id(unsigned char out[IV_CONTENT_ID_BYTES], struct iv_digester *digester,
                          struct iv_buf *scratch, const struct iv_event *event, struct iv_err *err)
{
    iv_buf_clear(scratch);
    iv_event_content_bytes(scratch, event);
    ENSURE(!iv_buf_failed(scratch), err, IV_E_NOMEM, "cannot allocate the content of an event");
    struct iv_digest digest;
    iv_digest(digester, &digest, IV_SHA256, iv_buf_slice(scratch));
    memcpy(out, digest.bytes, IV_CONTENT_ID_BYTES);
    return IV_OK;
}
