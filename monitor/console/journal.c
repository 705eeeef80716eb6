/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/journal: what befell the monitor itself. */
#include "evidence/journal.h"

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

static bool write_row(void *ctx, const struct iv_journal_row *row)
{
    struct writing *w = ctx;
    iv_json_open_object(&w->j, NULL);
    iv_json_int(&w->j, "seq", row->seq);
    iv_json_time(&w->j, "at", row->at);
    iv_json_str(&w->j, "what", row->what);
    iv_json_str(&w->j, "about", row->about);
    iv_json_str(&w->j, "cause", row->cause);
    iv_json_close_object(&w->j);
    w->count++;
    w->last = row->seq;
    return true;
}

static iv_rc write_page(struct iv_buf *out, struct iv_reader *reader, const struct iv_journal_filter *filter,
                        struct iv_err *err)
{
    struct writing w = {.j = iv_json_to(out)};
    iv_json_open_object(&w.j, NULL);
    iv_json_open_list(&w.j, "items");
    TRY(iv_reader_journal(reader, filter, write_row, &w, err));
    iv_json_close_list(&w.j);
    iv_page_next(&w.j, w.count == filter->limit, w.last);
    iv_json_close_object(&w.j);
    return IV_OK;
}

static bool read_what(struct iv_str *out, struct iv_request *request, struct iv_reply *reply)
{
    enum iv_journal_kind kind;
    *out = iv_query_get(request, "what");
    if (out->p == NULL || iv_journal_kind_of(&kind, *out)) {
        return true;
    }
    iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST,
                     "what: nothing that befalls the monitor is called '" IV_STR_FMT "'", IV_STR_ARG(*out));
    return false;
}

void iv_answer_journal(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_journal_filter filter = {.from = 0};
    struct iv_page page;
    if (!read_what(&filter.what, request, reply) ||
        !iv_page_period(&filter.from, &filter.until, request, reply) ||
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
