/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/leaf.h"

#include "base/encode.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "evidence/told_internal.h"

static const struct iv_str kind_names[] = {
#define KIND(id, name) [IV_LEAF_##id] = IV_STR_INIT(name),
#include "evidence/leaf_kinds.def"
#undef KIND
};

const char *iv_leaf_kind_name(enum iv_leaf_kind kind)
{
    return kind_names[kind].p;
}

bool iv_leaf_kind_of(enum iv_leaf_kind *out, struct iv_str name)
{
    for (size_t i = 0; i < IV_COUNT(kind_names); i++) {
        if (iv_str_eq(kind_names[i], name)) {
            *out = (enum iv_leaf_kind)i;
            return true;
        }
    }
    return false;
}

void iv_leaf_write(struct iv_buf *out, const struct iv_leaf *leaf)
{
    char hex[2 * IV_MERKLE_BYTES + 1];
    struct iv_buf digest;
    iv_buf_init_lent(&digest, hex, sizeof hex, sizeof hex - 1);
    iv_hex_encode(&digest, (struct iv_str){(const char *)leaf->digest.bytes, sizeof leaf->digest.bytes});
    struct iv_json j = iv_json_to(out);
    /*= RFC 8785 3.2.3 "sort property names": the order in which they stand here */
    iv_json_open_object(&j, NULL);
    iv_json_str(&j, "digest", iv_buf_slice(&digest));
    if (leaf->event_time != IV_NS_MIN) {
        iv_json_time(&j, "event_time", leaf->event_time);
    }
    iv_json_str(&j, "key", leaf->key);
    iv_json_text(&j, "kind", iv_leaf_kind_name(leaf->kind));
    iv_json_time(&j, "time", leaf->time);
    iv_json_close_object(&j);
    iv_buf_deinit(&digest);
}

iv_rc iv_leaf_read(struct iv_leaf *out, const struct iv_val *object, struct iv_err *err)
{
    struct iv_str kind;
    struct iv_str digest;
    out->event_time = IV_NS_MIN;
    TRY(iv_told_text(&digest, object, "digest", err));
    ENSURE(iv_hex_decode(out->digest.bytes, sizeof out->digest.bytes, digest), err, IV_E_MALFORMED,
           "digest: must be %d hex digits", 2 * IV_MERKLE_BYTES);
    if (iv_told_at(object, "event_time") != NULL) {
        TRY(iv_told_time(&out->event_time, object, "event_time", err));
    }
    TRY(iv_told_text(&out->key, object, "key", err));
    TRY(iv_told_text(&kind, object, "kind", err));
    ENSURE(iv_leaf_kind_of(&out->kind, kind), err, IV_E_MALFORMED, "kind: '" IV_STR_FMT "' is none",
           IV_STR_ARG(kind));
    return iv_told_time(&out->time, object, "time", err);
}
