/* SPDX-License-Identifier: Apache-2.0 */
#include "console/body.h"

#include "base/guard.h"
#include "base/value.h"
#include "event/decode.h"

#include <stdio.h>

enum { MEMBERS_MAX = 16 };

struct reading {
    struct iv_reply *reply;
    const struct iv_body_member *members;
    size_t count;
};

static bool refuse(struct reading *r, const char *name, const char *expected)
{
    iv_reply_problem(r->reply, MHD_HTTP_BAD_REQUEST, "the member '%s' must be %s", name, expected);
    return false;
}

static bool is_text(struct iv_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool take_text(struct iv_str *out, struct reading *r, const struct iv_body_member *m,
                      const struct iv_val *value)
{
    struct iv_str text = value->kind == IV_KIND_STRING ? iv_val_slice(*value) : (struct iv_str){NULL, 0};
    if (value->kind != IV_KIND_STRING || text.n > m->bytes_max || !is_text(text)) {
        char expected[96];
        (void)snprintf(expected, sizeof expected, "a text of at most %zu bytes without control characters",
                       m->bytes_max);
        return refuse(r, m->name, expected);
    }
    *out = text;
    return true;
}

static bool take_texts(struct reading *r, const struct iv_body_member *m, const struct iv_val *value)
{
    if (value->kind != IV_KIND_LIST || value->n > IV_BODY_TEXTS_MAX) {
        return refuse(r, m->name, "a list of texts");
    }
    m->texts->count = 0;
    for (size_t i = 0; i < value->n; i++) {
        if (!take_text(&m->texts->items[m->texts->count++], r, m, &value->items[i])) {
            return false;
        }
    }
    return true;
}

static bool take_value(struct reading *r, const struct iv_body_member *m, const struct iv_val *value)
{
    if (m->text != NULL) {
        return take_text(m->text, r, m, value);
    }
    if (m->texts != NULL) {
        return take_texts(r, m, value);
    }
    if (value->kind != IV_KIND_BOOL) {
        return refuse(r, m->name, "true or false");
    }
    *m->flag = value->b;
    return true;
}

static bool refuse_unknown(struct reading *r, struct iv_str name)
{
    struct iv_str known[MEMBERS_MAX];
    for (size_t i = 0; i < r->count; i++) {
        known[i] = iv_str_of(r->members[i].name);
    }
    struct iv_str near = iv_str_nearest(name, known, r->count);
    if (name.n > 64 || !is_text(name)) {
        iv_reply_problem(r->reply, MHD_HTTP_BAD_REQUEST, "a member that this path does not know");
    } else if (near.p != NULL) {
        iv_reply_problem(r->reply, MHD_HTTP_BAD_REQUEST,
                         "unknown member '" IV_STR_FMT "', did you mean '" IV_STR_FMT "'?", IV_STR_ARG(name),
                         IV_STR_ARG(near));
    } else {
        iv_reply_problem(r->reply, MHD_HTTP_BAD_REQUEST, "unknown member '" IV_STR_FMT "'", IV_STR_ARG(name));
    }
    return false;
}

static const struct iv_body_member *member_of(const struct reading *r, struct iv_str name)
{
    for (size_t i = 0; i < r->count; i++) {
        if (iv_str_eq(iv_str_of(r->members[i].name), name)) {
            return &r->members[i];
        }
    }
    return NULL;
}

static bool take_all(struct reading *r, const struct iv_val *object)
{
    for (size_t i = 0; i < object->n; i++) {
        const struct iv_val *pair = &object->items[2 * i];
        const struct iv_body_member *m = member_of(r, iv_val_slice(pair[0]));
        if (m == NULL) {
            return refuse_unknown(r, iv_val_slice(pair[0]));
        }
        if (pair[1].kind != IV_KIND_NULL && !take_value(r, m, &pair[1])) {
            return false;
        }
    }
    for (size_t i = 0; i < r->count; i++) {
        const struct iv_val name = iv_val_str(iv_str_of(r->members[i].name));
        const struct iv_val *value = iv_val_map_get(object, &name);
        if (r->members[i].required && (value == NULL || value->kind == IV_KIND_NULL)) {
            iv_reply_problem(r->reply, MHD_HTTP_BAD_REQUEST, "the member '%s' is missing",
                             r->members[i].name);
            return false;
        }
    }
    return true;
}

/* The decoder reuses its memory and serves one at a time; strings of a value may stand in it. */
static iv_rc parse(struct iv_val *out, struct iv_request *request, struct iv_err *err)
{
    struct iv_console *console = request->console;
    const struct iv_json_options strict = {.lenient_members = false};
    struct iv_val parsed;
    (void)pthread_mutex_lock(&console->body_lock);
    struct iv_rc_s rc =
        iv_json_parse(console->decoder, request->body, &strict, &request->memory, &parsed, err);
    if (iv_ok(rc) && !iv_val_dup_into(out, &request->memory, &parsed)) {
        rc = iv_err_set(err, IV_E_NOMEM, "no memory left to read a body");
    }
    (void)pthread_mutex_unlock(&console->body_lock);
    return rc;
}

bool iv_body_read(struct iv_request *request, struct iv_reply *reply, const struct iv_body_member *members,
                  size_t count)
{
    IV_CHECK(count <= MEMBERS_MAX);
    struct reading r = {reply, members, count};
    struct iv_val object = {.kind = IV_KIND_MAP};
    struct iv_err err = {.text = ""};
    if (request->body.n > 0) {
        struct iv_rc_s rc = parse(&object, request, &err);
        if (!iv_ok(rc) && iv_code_class(rc.code) == IV_CLASS_REJECT) {
            iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "the body is not JSON: %s", err.text);
            return false;
        }
        if (!iv_ok(rc)) {
            iv_reply_failure(reply, &err);
            return false;
        }
    }
    if (object.kind != IV_KIND_MAP) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "the body must be a JSON object");
        return false;
    }
    return take_all(&r, &object);
}
