/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/findings, /api/v1/actions: pages of what the store holds. */
#include "base/guard.h"
#include "base/json_write.h"
#include "console/answer.h"
#include "console/filter.h"
#include "console/page.h"
#include "console/query.h"
#include "console/readers.h"
#include "console/show.h"

struct page {
    struct iv_json j;
    bool ocsf;
};

static bool page_finding(void *ctx, const struct iv_finding *finding)
{
    struct page *page = ctx;
    if (page->ocsf) {
        iv_json_raw(&page->j, NULL, finding->ocsf);
    } else {
        iv_show_finding(&page->j, NULL, finding);
    }
    return !iv_page_is_full(&page->j);
}

static iv_rc write_findings(struct iv_buf *out, struct iv_reader *reader,
                            const struct iv_finding_filter *filter, bool ocsf, struct iv_err *err)
{
    struct page page = {.j = iv_json_to(out), .ocsf = ocsf};
    int64_t next = 0;
    iv_json_open_object(&page.j, NULL);
    TRY(iv_page_place(&page.j, reader, err));
    iv_json_open_list(&page.j, "items");
    TRY(iv_reader_findings_page(reader, filter, &next, page_finding, &page, err));
    iv_json_close_list(&page.j);
    iv_page_next(&page.j, next != 0, next);
    iv_json_close_object(&page.j);
    return IV_OK;
}

void iv_answer_findings(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_finding_filter filter;
    struct iv_str format;
    if (!iv_filter_read(&filter, request, reply) ||
        !iv_query_word(&format, request, reply, "format", "summary,ocsf")) {
        return;
    }
    struct iv_err err;
    struct iv_reader *reader = iv_readers_borrow(request->console->readers);
    struct iv_rc_s rc =
        write_findings(&reply->body, reader, &filter, iv_str_eq(format, IV_STR("ocsf")), &err);
    iv_readers_return(request->console->readers, reader);
    iv_page_reply(reply, rc, &err);
}

static iv_rc write_actions(struct iv_buf *out, struct iv_reader *reader,
                           const struct iv_execution_filter *filter, struct iv_err *err)
{
    struct iv_json j = iv_json_to(out);
    int64_t next = 0;
    iv_json_open_object(&j, NULL);
    TRY(iv_page_place(&j, reader, err));
    TRY(iv_show_executions(&j, "items", reader, filter, &next, err));
    iv_page_next(&j, next != 0, next);
    iv_json_close_object(&j);
    return IV_OK;
}

void iv_answer_actions(struct iv_reply *reply, struct iv_request *request)
{
    static const char states[] =
        "planned,waiting,running,done,verified,failed,ambiguous,undone,refused,superseded,withheld";
    struct iv_execution_filter filter = {.finding = iv_query_get(request, "finding"),
                                         .tenant = iv_query_get(request, "tenant"),
                                         .agent = iv_query_get(request, "agent")};
    struct iv_page page;
    if (!iv_page_words(&filter.states, request, reply, "state", states) ||
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
    struct iv_rc_s rc = write_actions(&reply->body, reader, &filter, &err);
    iv_readers_return(request->console->readers, reader);
    iv_page_reply(reply, rc, &err);
}
