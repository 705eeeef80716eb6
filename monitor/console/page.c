/* SPDX-License-Identifier: Apache-2.0 */
#include "console/page.h"

#include "console/query.h"

#include <inttypes.h>
#include <stdio.h>

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 500 };

bool iv_page_read(struct iv_page *out, struct iv_request *request, struct iv_reply *reply)
{
    struct iv_str order;
    uint64_t cursor = 0;
    uint64_t count = 0;
    if (!iv_query_word(&order, request, reply, "order", "newest,oldest") ||
        !iv_query_number(&cursor, request, reply, "after", 0, INT64_MAX) ||
        !iv_query_number(&count, request, reply, "limit", LIMIT_DEFAULT, LIMIT_MAX)) {
        return false;
    }
    if (count == 0) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "limit must be at least 1");
        return false;
    }
    *out = (struct iv_page){.newest_first = !iv_str_eq(order, IV_STR("oldest")), .limit = (size_t)count};
    *(out->newest_first ? &out->before : &out->after) = (int64_t)cursor;
    return true;
}

void iv_page_next(struct iv_json *j, bool full, int64_t last)
{
    char cursor[24];
    (void)snprintf(cursor, sizeof cursor, "%" PRId64, last);
    if (full) {
        iv_json_text(j, "next", cursor);
    } else {
        iv_json_null(j, "next");
    }
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
