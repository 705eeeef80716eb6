/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/audit: who changed what. */
#include "evidence/audit.h"

#include "base/guard.h"
#include "console/answer.h"
#include "console/page.h"
#include "console/query.h"
#include "console/readers.h"

struct writing {
    struct iv_json j;
    size_t count;
    int64_t last;
};

static bool write_one(void *ctx, const struct iv_audit *a)
{
    struct writing *w = ctx;
    iv_json_open_object(&w->j, NULL);
    iv_json_int(&w->j, "seq", a->seq);
    iv_json_time(&w->j, "at", a->at);
    iv_json_str(&w->j, "who", a->who);
    iv_json_str(&w->j, "via", a->via);
    iv_json_str(&w->j, "from", a->address);
    iv_json_str(&w->j, "what", a->what);
    iv_json_str(&w->j, "object", a->object);
    iv_json_str(&w->j, "detail", a->detail);
    iv_json_close_object(&w->j);
    w->count++;
    w->last = a->seq;
    return !iv_page_is_full(&w->j);
}

static iv_rc write_page(struct iv_buf *out, struct iv_reader *reader, const struct iv_audit_filter *filter,
                        struct iv_err *err)
{
    struct writing w = {.j = iv_json_to(out)};
    iv_json_open_object(&w.j, NULL);
    iv_json_open_list(&w.j, "items");
    TRY(iv_reader_audit(reader, filter, write_one, &w, err));
    iv_json_close_list(&w.j);
    iv_page_next(&w.j, iv_page_goes_on(&w.j, w.count, filter->limit), w.last);
    iv_json_close_object(&w.j);
    return IV_OK;
}

void iv_answer_audit(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_audit_filter filter = {.who = iv_query_get(request, "who")};
    struct iv_page page;
    if (!iv_page_period(&filter.from, &filter.until, request, reply) ||
        !iv_page_read(&page, request, reply)) {
        return;
    }
    filter.after = page.after;
    filter.before = page.before;
    filter.newest_first = page.newest_first;
    filter.limit = page.limit;
    struct iv_err err;
    struct iv_reader *reader = iv_readers_borrow(request->console->readers);
    struct iv_rc_s rc = write_page(&reply->body, reader, &filter, &err);
    iv_readers_return(request->console->readers, reader);
    iv_page_reply(reply, rc, &err);
}
