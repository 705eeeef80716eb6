/* SPDX-License-Identifier: Apache-2.0 */
#include "console/page.h"

#include "base/guard.h"
#include "console/place.h"
#include "console/query.h"

#include <inttypes.h>
#include <stdio.h>

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 500, PAGE_BYTES_MAX = 2 << 20 };

static struct iv_str word_take(struct iv_str *list)
{
    const char *comma = list->n == 0 ? NULL : memchr(list->p, ',', list->n);
    struct iv_str word = {list->p, comma == NULL ? list->n : (size_t)(comma - list->p)};
    size_t n = comma == NULL ? word.n : word.n + 1;
    list->p += n;
    list->n -= n;
    return word;
}

bool iv_page_words(uint32_t *out, struct iv_request *request, struct iv_reply *reply, const char *name,
                   const char *words)
{
    struct iv_str asked = iv_query_get(request, name);
    *out = 0;
    for (bool more = asked.n > 0; more;) {
        more = memchr(asked.p, ',', asked.n) != NULL;
        struct iv_str word = word_take(&asked);
        struct iv_str known = iv_str_of(words);
        uint32_t bit = 1;
        while (known.n > 0 && !iv_str_eq(word_take(&known), word)) {
            bit <<= 1;
            if (known.n == 0) {
                bit = 0;
            }
        }
        if (word.n == 0 || bit == 0) {
            iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST,
                             "%s must be one or more of %s, with commas between, got '" IV_STR_FMT "'", name,
                             words, IV_STR_ARG(word));
            return false;
        }
        *out |= bit;
    }
    return true;
}

bool iv_page_limit(size_t *out, struct iv_request *request, struct iv_reply *reply)
{
    uint64_t count = 0;
    if (!iv_query_number(&count, request, reply, "limit", LIMIT_DEFAULT, LIMIT_MAX)) {
        return false;
    }
    if (count == 0) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "limit must be at least 1");
        return false;
    }
    *out = (size_t)count;
    return true;
}

bool iv_page_int(int64_t *out, struct iv_str text)
{
    bool below = text.n > 0 && text.p[0] == '-';
    struct iv_str digits = {text.p + below, text.n - below};
    int64_t n = 0;
    bool good = digits.n > 0;
    for (size_t i = 0; good && i < digits.n; i++) {
        good = digits.p[i] >= '0' && digits.p[i] <= '9' && !__builtin_mul_overflow(n, 10, &n) &&
               !__builtin_sub_overflow(n, digits.p[i] - '0', &n);
    }
    *out = below ? n : iv_ns_negate(n);
    return good && (below || n != INT64_MIN);
}

bool iv_page_read(struct iv_page *out, struct iv_request *request, struct iv_reply *reply)
{
    struct iv_str order;
    uint64_t cursor = 0;
    size_t limit = 0;
    if (!iv_query_word(&order, request, reply, "order", "newest,oldest") ||
        !iv_query_number(&cursor, request, reply, "after", 0, INT64_MAX) ||
        !iv_page_limit(&limit, request, reply)) {
        return false;
    }
    *out = (struct iv_page){.newest_first = !iv_str_eq(order, IV_STR("oldest")), .limit = limit};
    *(out->newest_first ? &out->before : &out->after) = (int64_t)cursor;
    return true;
}

bool iv_page_period(iv_ns *from, iv_ns *until, struct iv_request *request, struct iv_reply *reply)
{
    if (!iv_query_period(from, until, request, reply)) {
        return false;
    }
    if (*from == IV_NS_MIN && *until == IV_NS_MAX) {
        *from = *until = 0;
    } else {
        /* Nothing is from the epoch's first instant or before. */
        *from = *from == 0 ? -1 : *from;
        *until = *until == 0 ? -1 : *until;
    }
    return true;
}

iv_rc iv_page_place(struct iv_json *j, struct iv_reader *reader, struct iv_err *err)
{
    struct iv_store_heads heads;
    char place[IV_PLACE_BYTES];
    TRY(iv_reader_heads(reader, &heads, err));
    iv_place_format(place, (struct iv_place){heads.findings, heads.actions});
    iv_json_text(j, "position", place);
    return IV_OK;
}

bool iv_page_is_full(const struct iv_json *j)
{
    return j->out->n >= PAGE_BYTES_MAX;
}

bool iv_page_goes_on(const struct iv_json *j, size_t count, size_t limit)
{
    return count == limit || iv_page_is_full(j);
}

void iv_page_next_text(struct iv_json *j, bool full, const char *cursor)
{
    if (full) {
        iv_json_text(j, "next", cursor);
    } else {
        iv_json_null(j, "next");
    }
}

void iv_page_next(struct iv_json *j, bool full, int64_t last)
{
    char cursor[24];
    (void)snprintf(cursor, sizeof cursor, "%" PRId64, last);
    iv_page_next_text(j, full, cursor);
}

bool iv_page_refused(struct iv_reply *reply, struct iv_rc_s rc, const struct iv_err *err)
{
    if (iv_ok(rc)) {
        return false;
    }
    if (rc.code == IV_E_ABSENT || rc.code == IV_E_REFUSED) {
        iv_reply_problem(reply, rc.code == IV_E_ABSENT ? MHD_HTTP_NOT_FOUND : MHD_HTTP_CONFLICT, "%s",
                         err->text);
    } else {
        iv_reply_failure(reply, err);
    }
    return true;
}

void iv_page_done(struct iv_reply *reply, struct iv_rc_s rc, const struct iv_err *err)
{
    if (iv_page_refused(reply, rc, err)) {
        return;
    }
    reply->status = MHD_HTTP_OK;
    reply->type = "application/json";
}

void iv_page_reply(struct iv_reply *reply, struct iv_rc_s rc, const struct iv_err *err)
{
    if (!iv_ok(rc)) {
        iv_reply_failure(reply, err);
        return;
    }
    reply->status = MHD_HTTP_OK;
    reply->type = "application/json";
    reply->cache_control = "private, no-cache";
    reply->tagged = true;
}
