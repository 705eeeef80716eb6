/* SPDX-License-Identifier: Apache-2.0 */
#include "event/content.h"
#include "base/guard.h"
#include "event/chain.h"

#include <endian.h>

#define SCALAR_BYTES 13 /* a kind, and the two parts of a value */

static void put_string(struct iv_buf *out, const struct iv_val *v)
{
    char *p = iv_buf_reserve(out, 5 + (size_t)v->n);
    if (p != NULL) {
        uint32_t n = htole32(v->n); /* the same bytes on every machine */
        p[0] = (char)v->kind;
        memcpy(p + 1, &n, 4);
        memcpy(p + 5, v->s, v->n);
        iv_buf_wrote(out, 5 + (size_t)v->n);
    }
}

static void put_scalar(struct iv_buf *out, const struct iv_val *v)
{
    char *p = iv_buf_reserve(out, SCALAR_BYTES);
    if (p != NULL) {
        uint64_t word = v->kind == IV_KIND_BOOL ? v->b : v->u;
        word = htole64(v->kind == IV_KIND_DOUBLE && v->d == 0 ? 0 : word); /* -0 equals 0 */
        uint32_t n = htole32(v->n);
        p[0] = (char)v->kind;
        memcpy(p + 1, &n, 4);
        memcpy(p + 5, &word, 8);
        iv_buf_wrote(out, SCALAR_BYTES);
    }
}

static void put_value(struct iv_buf *out, const struct iv_val *v)
{
    switch ((enum iv_kind)v->kind) {
    case IV_KIND_ABSENT:
        iv_buf_char(out, '\0');
        break;
    case IV_KIND_STRING:
        put_string(out, v);
        break;
    case IV_KIND_LIST:
        put_scalar(out, &(struct iv_val){.kind = IV_KIND_LIST, .n = v->n});
        for (uint32_t i = 0; i < v->n; i++) {
            put_value(out, &v->items[i]);
        }
        break;
    case IV_KIND_MAP: /* equal maps have one canonical form, whatever the order of their members */
        iv_buf_char(out, (char)v->kind);
        if (!iv_ok(iv_jcs_value(out, v, NULL, NULL))) {
            out->failed = true;
        }
        break;
    default:
        put_scalar(out, v);
        break;
    }
}

void iv_event_content_bytes(struct iv_buf *out, const struct iv_event *event)
{
    if (event->origin.stream == IV_LEDGER) {
        iv_buf_str(out, event->canonical);
        iv_buf_str(out, iv_event_attr(event, IV_ATTR_LEDGER_HASH));
        return;
    }
    for (size_t i = 0; i < IV_ATTR_TOPIC; i++) {
        put_value(out, &event->slots[i]);
    }
    for (size_t i = IV_ATTRS; i < event->type->slot_count; i++) {
        put_value(out, &event->slots[i]);
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
