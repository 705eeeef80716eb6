/* SPDX-License-Identifier: Apache-2.0 */
#include "event/chain.h"
#include "base/alloc.h"
#include "base/encode.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "event/canonical.h"
#include "event/decoder.h"
#include "event/sort.h"

#include <math.h>
#include <stdlib.h>

iv_rc iv_jcs(struct iv_buf *out, struct iv_decoder *decoder, struct iv_str json, const char *omit,
             struct iv_err *err)
{
    ENSURE(json.n <= decoder->limits.record_bytes, err, IV_E_LIMIT, "has %zu bytes, at most %zu are allowed",
           json.n, decoder->limits.record_bytes);
    decoder->tape.count = 0;
    decoder->key_count = 0;
    iv_arena_reset(&decoder->own);
    TRY(iv_tape_read(&decoder->tape, json, 0, &decoder->own, err));
    struct iv_canonical c = {.omit = iv_str_of(omit)};
    TRY(iv_canonical_write(out, decoder, 0, &c, err));
    ENSURE(!iv_buf_failed(out), err, IV_E_NOMEM, "cannot allocate a canonical form");
    return IV_OK;
}

static int member_cmp(const void *a, const void *b)
{
    const struct iv_val *const *x = a;
    const struct iv_val *const *y = b;
    return iv_utf16_cmp(iv_val_slice(**x), iv_val_slice(**y));
}

static iv_rc value_number(struct iv_buf *out, const struct iv_val *v, struct iv_err *err)
{
    double d = v->kind == IV_KIND_DOUBLE ? v->d : (double)v->i;
    ENSURE(isfinite(d), err, IV_E_SYNTAX, "has no canonical form: a number is not finite");
    iv_canonical_double(out, d);
    return IV_OK;
}

static iv_rc value_members(struct iv_buf *out, const struct iv_val *map, const struct iv_val **sorted,
                           const char *omit, struct iv_err *err)
{
    for (size_t i = 0; i < map->n; i++) {
        sorted[i] = &map->items[2 * i];
        ENSURE(sorted[i]->kind == IV_KIND_STRING, err, IV_E_SYNTAX,
               "has no canonical form: a key is no string");
    }
    qsort(sorted, map->n, sizeof *sorted, member_cmp);
    struct iv_str left_out = iv_str_of(omit);
    bool comma = false;
    iv_buf_char(out, '{');
    for (size_t i = 0; i < map->n; i++) {
        struct iv_str name = iv_val_slice(*sorted[i]);
        if (omit != NULL && iv_str_eq(name, left_out)) {
            continue;
        }
        iv_buf_text(out, comma ? "," : "");
        comma = true;
        iv_json_string(out, name);
        iv_buf_char(out, ':');
        TRY(iv_jcs_value(out, sorted[i] + 1, NULL, err));
    }
    iv_buf_char(out, '}');
    return IV_OK;
}

static iv_rc value_map(struct iv_buf *out, const struct iv_val *map, const char *omit, struct iv_err *err)
{
    const struct iv_val *few[32];
    if (map->n <= IV_COUNT(few)) {
        return value_members(out, map, few, omit, err);
    }
    const struct iv_val **many = iv_malloc(map->n * sizeof *many);
    ENSURE(many != NULL, err, IV_E_NOMEM, "cannot allocate the members of an object");
    struct iv_rc_s rc = value_members(out, map, many, omit, err);
    iv_free(many);
    return rc;
}

static iv_rc value_list(struct iv_buf *out, const struct iv_val *list, struct iv_err *err)
{
    iv_buf_char(out, '[');
    for (size_t i = 0; i < list->n; i++) {
        iv_buf_text(out, i > 0 ? "," : "");
        TRY(iv_jcs_value(out, &list->items[i], NULL, err));
    }
    iv_buf_char(out, ']');
    return IV_OK;
}

iv_rc iv_jcs_value(struct iv_buf *out, const struct iv_val *value, const char *omit, struct iv_err *err)
{
    switch ((enum iv_kind)value->kind) {
    case IV_KIND_NULL:
        iv_buf_text(out, "null");
        return IV_OK;
    case IV_KIND_BOOL:
        iv_buf_text(out, value->b ? "true" : "false");
        return IV_OK;
    case IV_KIND_INT:
    case IV_KIND_DOUBLE:
        return value_number(out, value, err);
    case IV_KIND_STRING:
        iv_json_string(out, iv_val_slice(*value));
        return IV_OK;
    case IV_KIND_LIST:
        return value_list(out, value, err);
    case IV_KIND_MAP:
        return value_map(out, value, omit, err);
    default:
        return iv_err_set(err, IV_E_SYNTAX, "has no canonical form: a value is none of JSON's");
    }
}

iv_rc iv_chain_digest(struct iv_digest *out, struct iv_digester *digester, const struct iv_event *event,
                      struct iv_err *err)
{
    ENSURE(event->canonical.p != NULL, err, IV_E_ABSENT, "is not an event of the ledger");
    ENSURE(event->digest_alg >= 0, err, IV_E_ABSENT, "names a digest in ledgeralg that nobody knows");
    iv_digest(digester, out, (enum iv_digest_alg)event->digest_alg, event->canonical);
    return IV_OK;
}

bool iv_chain_valid(struct iv_event *event, struct iv_digester *digester)
{
    if (event->hash_valid < 0) {
        struct iv_digest digest;
        unsigned char claimed[IV_DIGEST_MAX_BYTES];
        struct iv_str hex = iv_event_attr(event, IV_ATTR_LEDGER_HASH);
        event->hash_valid = iv_ok(iv_chain_digest(&digest, digester, event, NULL)) &&
                            iv_hex_decode(claimed, digest.n, hex) &&
                            memcmp(claimed, digest.bytes, digest.n) == 0;
    }
    return event->hash_valid == 1;
}
