/* SPDX-License-Identifier: Apache-2.0 */
#include "console/query.h"

#include "base/encode.h"
#include "base/guard.h"

enum { VALUE_BYTES_MAX = 256, IDENTIFIER_BYTES_MAX = 4096, NAMES_MAX = IV_QUERY_MAX };
#define TIME_MIN (-(INT64_C(1) << 61))
#define TIME_MAX (INT64_C(1) << 62)

static size_t words_of(struct iv_str out[NAMES_MAX], struct iv_str list)
{
    size_t count = 0;
    while (list.n > 0) {
        const char *comma = memchr(list.p, ',', list.n);
        size_t n = comma == NULL ? list.n : (size_t)(comma - list.p);
        IV_CHECK(count < NAMES_MAX);
        out[count++] = (struct iv_str){list.p, n};
        list.p += comma == NULL ? n : n + 1;
        list.n -= comma == NULL ? n : n + 1;
    }
    return count;
}

static bool is_one_of(struct iv_str word, const struct iv_str *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (iv_str_eq(word, words[i])) {
            return true;
        }
    }
    return false;
}

static bool is_plain(struct iv_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) {
            return false;
        }
    }
    return iv_utf8_valid(s);
}

#define NOT_UTF8 '\xff'

struct reading {
    struct iv_request *request;
    struct iv_reply *reply;
    struct iv_str known[NAMES_MAX];
    size_t known_count;
    bool refused;
};

static void refuse_unknown(struct reading *r, struct iv_str name)
{
    struct iv_str near = iv_str_nearest(name, r->known, r->known_count);
    if (!is_plain(name) || name.n > 64) {
        iv_reply_problem(r->reply, MHD_HTTP_BAD_REQUEST, "a query parameter that this path does not know");
    } else if (near.p != NULL) {
        iv_reply_problem(r->reply, MHD_HTTP_BAD_REQUEST,
                         "unknown query parameter '" IV_STR_FMT "', did you mean '" IV_STR_FMT "'?",
                         IV_STR_ARG(name), IV_STR_ARG(near));
    } else {
        iv_reply_problem(r->reply, MHD_HTTP_BAD_REQUEST, "unknown query parameter '" IV_STR_FMT "'",
                         IV_STR_ARG(name));
    }
}

/* Whose values come out of events: an identifier may have any character. */
static const struct iv_str identifiers[] = {IV_STR_INIT("tenant"), IV_STR_INIT("agent")};

static bool take_value(struct reading *r, const char *key, struct iv_str name, struct iv_str text)
{
    if (is_one_of(name, identifiers, IV_COUNT(identifiers))) {
        if (text.n > IDENTIFIER_BYTES_MAX || !iv_utf8_valid(text)) {
            iv_reply_problem(r->reply, MHD_HTTP_BAD_REQUEST,
                             "the query parameter '%s' must be UTF-8 without NUL, at most %d bytes", key,
                             IDENTIFIER_BYTES_MAX);
            return false;
        }
    } else if (text.n > VALUE_BYTES_MAX || !is_plain(text)) {
        iv_reply_problem(
            r->reply, MHD_HTTP_BAD_REQUEST,
            "the query parameter '%s' must be UTF-8 without control characters, at most %d bytes", key,
            VALUE_BYTES_MAX);
        return false;
    }
    r->request->params[r->request->param_count++] = (struct iv_param){name, text};
    return true;
}

static enum MHD_Result take_one(void *ctx, enum MHD_ValueKind kind, const char *key, size_t key_n,
                                const char *value, size_t value_n)
{
    (void)kind;
    struct reading *r = ctx;
    struct iv_request *q = r->request;
    struct iv_str name = {key, key_n};
    struct iv_str text = {value == NULL ? "" : value, value == NULL ? 0 : value_n};
    r->refused = true;
    if (!is_one_of(name, r->known, r->known_count)) {
        refuse_unknown(r, name);
        return MHD_NO;
    }
    if (iv_query_get(q, key).p != NULL) {
        iv_reply_problem(r->reply, MHD_HTTP_BAD_REQUEST, "the query parameter '%s' stands twice", key);
        return MHD_NO;
    }
    r->refused = !take_value(r, key, name, text);
    return r->refused ? MHD_NO : MHD_YES;
}

bool iv_query_read(struct iv_request *request, struct iv_reply *reply, struct iv_str known)
{
    struct reading r = {.request = request, .reply = reply};
    r.known_count = words_of(r.known, known);
    (void)MHD_get_connection_values_n(request->connection, MHD_GET_ARGUMENT_KIND, take_one, &r);
    return !r.refused;
}

struct iv_str iv_query_get(const struct iv_request *request, const char *name)
{
    for (size_t i = 0; i < request->param_count; i++) {
        if (iv_str_eq(request->params[i].name, iv_str_of(name))) {
            return request->params[i].value;
        }
    }
    return (struct iv_str){NULL, 0};
}

bool iv_query_number(uint64_t *out, const struct iv_request *request, struct iv_reply *reply,
                     const char *name, uint64_t fallback, uint64_t max)
{
    struct iv_str text = iv_query_get(request, name);
    if (text.p == NULL) {
        *out = fallback;
        return true;
    }
    uint64_t number = 0;
    bool good = text.n > 0 && text.n <= 19;
    for (size_t i = 0; good && i < text.n; i++) {
        good = text.p[i] >= '0' && text.p[i] <= '9';
        number = number * 10 + (uint64_t)(text.p[i] - '0');
    }
    if (!good || number > max) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST,
                         "%s must be a whole number of at most %llu, got '" IV_STR_FMT "'", name,
                         (unsigned long long)max, IV_STR_ARG(text));
        return false;
    }
    *out = number;
    return true;
}

bool iv_query_time(iv_ns *out, const struct iv_request *request, struct iv_reply *reply, const char *name,
                   iv_ns fallback)
{
    struct iv_str text = iv_query_get(request, name);
    struct iv_instant instant;
    if (text.p == NULL) {
        *out = fallback;
        return true;
    }
    if (!iv_instant_parse(&instant, text)) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST,
                         "%s must be a time such as 2026-01-02T03:04:05Z, got '" IV_STR_FMT "'", name,
                         IV_STR_ARG(text));
        return false;
    }
    iv_ns t = iv_instant_to_ns_saturated(instant);
    t = t < TIME_MIN ? TIME_MIN : t;
    *out = t > TIME_MAX ? TIME_MAX : t;
    return true;
}

bool iv_query_period(iv_ns *from, iv_ns *until, const struct iv_request *request, struct iv_reply *reply)
{
    if (!iv_query_time(from, request, reply, "from", IV_NS_MIN) ||
        !iv_query_time(until, request, reply, "to", IV_NS_MAX)) {
        return false;
    }
    if (*from > *until) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "to must not be before from");
        return false;
    }
    return true;
}

bool iv_query_word(struct iv_str *out, const struct iv_request *request, struct iv_reply *reply,
                   const char *name, const char *words)
{
    struct iv_str known[NAMES_MAX];
    size_t count = words_of(known, iv_str_of(words));
    struct iv_str text = iv_query_get(request, name);
    if (text.p != NULL && !is_one_of(text, known, count)) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "%s must be one of %s, got '" IV_STR_FMT "'", name,
                         words, IV_STR_ARG(text));
        return false;
    }
    *out = text;
    return true;
}

size_t iv_query_unescape(void *ctx, struct MHD_Connection *connection, char *text)
{
    (void)ctx;
    (void)connection;
    char *to = text;
    const char *from = text;
    while (*from != '\0') {
        unsigned char byte = 0;
        if (from[0] == '%' && from[1] != '\0' && from[2] != '\0' &&
            iv_hex_decode(&byte, 1, (struct iv_str){from + 1, 2})) {
            *to++ = byte == 0 ? NOT_UTF8 : (char)byte;
            from += 3;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
    return (size_t)(to - text);
}
