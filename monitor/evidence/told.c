/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/finding.h"
#include "evidence/told_internal.h"

#include "base/encode.h"
#include "base/guard.h"

#include <inttypes.h>
#include <string.h>

iv_rc iv_told_parse(struct iv_val *out, struct iv_decoder *decoder, struct iv_arena *arena,
                    struct iv_str json, struct iv_err *err)
{
    const struct iv_json_options strict = {.lenient_members = false};
    struct iv_err why = {.text = ""};
    struct iv_rc_s rc = iv_json_parse(decoder, json, &strict, arena, out, &why);
    if (!iv_ok(rc)) {
        bool ours = iv_code_class(rc.code) != IV_CLASS_REJECT;
        return iv_err_set(err, ours ? rc.code : IV_E_MALFORMED, "record: %s", why.text);
    }
    ENSURE(out->kind == IV_KIND_MAP, err, IV_E_MALFORMED, "record: must be a JSON object");
    return IV_OK;
}

/* One step of a path: a member of a map, or the first item of a list. */
static const struct iv_val *member(const struct iv_val *object, struct iv_str name)
{
    if (object->kind == IV_KIND_LIST) {
        return iv_str_eq(name, IV_STR("[0]")) && object->n > 0 ? &object->items[0] : NULL;
    }
    struct iv_val key = iv_val_str(name);
    return object->kind == IV_KIND_MAP ? iv_val_map_get(object, &key) : NULL;
}

const struct iv_val *iv_told_at(const struct iv_val *object, const char *path)
{
    while (object != NULL && *path != '\0') {
        size_t n = *path == '[' ? 3 : strcspn(path, ".[");
        object = member(object, (struct iv_str){path, n});
        path += n;
        path += *path == '.' ? 1 : 0;
    }
    return object == NULL || object->kind == IV_KIND_NULL ? NULL : object;
}

static iv_rc required(const struct iv_val **out, const struct iv_val *object, const char *path,
                      enum iv_kind kind, const char *expected, struct iv_err *err)
{
    *out = iv_told_at(object, path);
    ENSURE(*out != NULL, err, IV_E_MALFORMED, "%s: is absent, must be %s", path, expected);
    ENSURE((*out)->kind == kind, err, IV_E_MALFORMED, "%s: must be %s", path, expected);
    return IV_OK;
}

iv_rc iv_told_text(struct iv_str *out, const struct iv_val *object, const char *path, struct iv_err *err)
{
    const struct iv_val *v = NULL;
    TRY(required(&v, object, path, IV_KIND_STRING, "a string", err));
    *out = iv_val_slice(*v);
    return IV_OK;
}

iv_rc iv_told_int(int64_t *out, const struct iv_val *object, const char *path, int64_t min, int64_t max,
                  struct iv_err *err)
{
    const struct iv_val *v = NULL;
    TRY(required(&v, object, path, IV_KIND_INT, "an integer", err));
    ENSURE(v->i >= min && v->i <= max, err, IV_E_MALFORMED,
           "%s: is %" PRId64 ", must be from %" PRId64 " to %" PRId64, path, v->i, min, max);
    *out = v->i;
    return IV_OK;
}

iv_rc iv_told_time(iv_ns *out, const struct iv_val *object, const char *path, struct iv_err *err)
{
    struct iv_str text;
    struct iv_instant at;
    TRY(iv_told_text(&text, object, path, err));
    ENSURE(iv_instant_parse(&at, text) && iv_instant_to_ns(out, at), err, IV_E_MALFORMED,
           "%s: must be a time as RFC 3339 has it", path);
    return IV_OK;
}

iv_rc iv_told_ms(iv_ns *out, const struct iv_val *object, const char *path, struct iv_err *err)
{
    int64_t ms = 0;
    TRY(iv_told_int(&ms, object, path, IV_NS_MIN / IV_NS_PER_MS, IV_NS_MAX / IV_NS_PER_MS, err));
    *out = ms * IV_NS_PER_MS;
    return IV_OK;
}

iv_rc iv_told_uid(struct iv_str *out, const struct iv_val *object, const char *path, struct iv_err *err)
{
    TRY(iv_told_text(out, object, path, err));
    bool digits = out->n == IV_UID_HEX;
    for (size_t i = 0; digits && i < out->n; i++) {
        digits = iv_hex_digit(out->p[i]) >= 0 && (out->p[i] < 'A' || out->p[i] > 'F');
    }
    ENSURE(digits, err, IV_E_MALFORMED, "%s: must be %d lower-case hex digits", path, IV_UID_HEX);
    return IV_OK;
}

struct iv_str iv_told_text_or_empty(const struct iv_val *object, const char *path)
{
    const struct iv_val *v = iv_told_at(object, path);
    return v == NULL || v->kind != IV_KIND_STRING ? IV_STR("") : iv_val_slice(*v);
}
