/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/findings, /api/v1/findings/{uid}, /api/v1/actions: pages of what the store holds. */
#include "base/guard.h"
#include "base/json_write.h"
#include "console/answer.h"
#include "console/page.h"
#include "console/place.h"
#include "console/query.h"
#include "console/readers.h"
#include "console/show.h"

enum { ACTIONS_OF_A_FINDING_MAX = 16 };

/* Reads severity=critical,high as bits of enum iv_severity. */
static bool read_severities(uint32_t *out, struct iv_request *request, struct iv_reply *reply)
{
    struct iv_str list = iv_query_get(request, "severity");
    *out = 0;
    while (list.n > 0) {
        const char *comma = memchr(list.p, ',', list.n);
        struct iv_str word = {list.p, comma == NULL ? list.n : (size_t)(comma - list.p)};
        enum iv_severity severity;
        if (!iv_severity_of(&severity, word)) {
            iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST,
                             "severity must be one or more of critical, high, medium, low, info, with commas "
                             "between, got '" IV_STR_FMT "'",
                             IV_STR_ARG(word));
            return false;
        }
        *out |= 1U << severity;
        list.p += comma == NULL ? word.n : word.n + 1;
        list.n -= comma == NULL ? word.n : word.n + 1;
    }
    return true;
}

static bool read_findings_page(struct iv_finding_filter *out, struct iv_request *request,
                               struct iv_reply *reply)
{
    struct iv_page page;
    if (!iv_page_read(&page, request, reply)) {
        return false;
    }
    out->after = page.after;
    out->before = page.before;
    out->newest_first = page.newest_first;
    out->limit = page.limit;
    return true;
}

static bool read_filter(struct iv_finding_filter *out, struct iv_request *request, struct iv_reply *reply)
{
    *out = (struct iv_finding_filter){.rule = iv_query_get(request, "rule"),
                                      .criterion = iv_query_get(request, "criterion"),
                                      .tenant = iv_query_get(request, "tenant"),
                                      .agent = iv_query_get(request, "agent")};
    struct iv_str suppressed;
    if (!read_severities(&out->severities, request, reply) ||
        !iv_query_word(&suppressed, request, reply, "suppressed", "true,false") ||
        !iv_query_time(&out->from, request, reply, "from", 0) ||
        !iv_query_time(&out->until, request, reply, "to", 0) || !read_findings_page(out, request, reply)) {
        return false;
    }
    if (suppressed.p != NULL) {
        out->suppressed = suppressed.p[0] == 't' ? IV_SUPPRESSED_ONLY : IV_SUPPRESSED_NO;
    }
    /* The store takes the two ends together. */
    if (iv_query_get(request, "from").p != NULL && iv_query_get(request, "to").p == NULL) {
        out->until = IV_NS_MAX;
    }
    if (iv_query_get(request, "to").p != NULL && iv_query_get(request, "from").p == NULL) {
        out->from = IV_NS_MIN;
    }
    return true;
}

struct page {
    struct iv_json j;
    bool ocsf;
    size_t count;
    int64_t last;
};

static bool page_finding(void *ctx, const struct iv_finding *finding)
{
    struct page *page = ctx;
    if (page->ocsf) {
        iv_json_raw(&page->j, NULL, finding->ocsf);
    } else {
        iv_show_finding(&page->j, NULL, finding);
    }
    page->count++;
    page->last = finding->seq;
    return true;
}

/* Where a live stream has to begin so that nothing falls between this page and it: read
 * before the rows are. */
static iv_rc show_place(struct iv_json *j, struct iv_reader *reader, struct iv_err *err)
{
    struct iv_store_heads heads;
    char place[IV_PLACE_BYTES];
    TRY(iv_reader_heads(reader, &heads, err));
    iv_place_format(place, (struct iv_place){heads.findings, heads.actions});
    iv_json_text(j, "position", place);
    return IV_OK;
}

static iv_rc write_findings(struct iv_buf *out, struct iv_reader *reader,
                            const struct iv_finding_filter *filter, bool ocsf, struct iv_err *err)
{
    struct page page = {.j = iv_json_to(out), .ocsf = ocsf};
    iv_json_open_object(&page.j, NULL);
    TRY(show_place(&page.j, reader, err));
    iv_json_open_list(&page.j, "items");
    TRY(iv_reader_findings(reader, filter, page_finding, &page, err));
    iv_json_close_list(&page.j);
    iv_page_next(&page.j, page.count == filter->limit, page.last);
    iv_json_close_object(&page.j);
    return IV_OK;
}

void iv_answer_findings(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_finding_filter filter;
    struct iv_str format;
    if (!read_filter(&filter, request, reply) ||
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

static bool detail_finding(void *ctx, const struct iv_finding *finding)
{
    struct iv_json *j = ctx;
    iv_show_finding(j, "finding", finding);
    iv_json_raw(j, "ocsf", finding->ocsf);
    return true;
}

static iv_rc write_finding(struct iv_buf *out, struct iv_reader *reader, struct iv_str uid,
                           struct iv_err *err)
{
    struct iv_json j = iv_json_to(out);
    const struct iv_execution_filter filter = {.finding = uid, .limit = ACTIONS_OF_A_FINDING_MAX};
    int64_t last;
    size_t count;
    iv_json_open_object(&j, NULL);
    TRY(iv_reader_finding(reader, uid, detail_finding, &j, err));
    TRY(iv_show_executions(&j, "actions", reader, &filter, &last, &count, err));
    iv_json_close_object(&j);
    return IV_OK;
}

static bool is_uid(struct iv_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!((text.p[i] >= '0' && text.p[i] <= '9') || (text.p[i] >= 'a' && text.p[i] <= 'f'))) {
            return false;
        }
    }
    return text.n == IV_UID_HEX;
}

void iv_answer_finding(struct iv_reply *reply, struct iv_request *request)
{
    if (!is_uid(request->variable)) {
        iv_reply_problem(reply, MHD_HTTP_NOT_FOUND, "a finding's uid has %d hex digits, in lower case",
                         IV_UID_HEX);
        return;
    }
    struct iv_err err;
    struct iv_reader *reader = iv_readers_borrow(request->console->readers);
    struct iv_rc_s rc = write_finding(&reply->body, reader, request->variable, &err);
    iv_readers_return(request->console->readers, reader);
    if (!iv_ok(rc) && rc.code == IV_E_ABSENT) {
        iv_reply_problem(reply, MHD_HTTP_NOT_FOUND, "there is no finding with this uid");
        return;
    }
    iv_page_reply(reply, rc, &err);
}

static bool read_state(uint32_t *out, struct iv_request *request, struct iv_reply *reply)
{
    static const char words[] =
        "planned,waiting,running,done,verified,failed,ambiguous,undone,refused,superseded,withheld";
    struct iv_str state;
    if (!iv_query_word(&state, request, reply, "state", words)) {
        return false;
    }
    *out = 0;
    for (unsigned i = 0; state.p != NULL && i < IV_RUN_STATES; i++) {
        if (iv_str_eq(state, iv_str_of(iv_run_state_name((enum iv_run_state)i)))) {
            *out = 1U << i;
        }
    }
    return true;
}

static iv_rc write_actions(struct iv_buf *out, struct iv_reader *reader,
                           const struct iv_execution_filter *filter, struct iv_err *err)
{
    struct iv_json j = iv_json_to(out);
    int64_t last = 0;
    size_t count = 0;
    iv_json_open_object(&j, NULL);
    TRY(show_place(&j, reader, err));
    TRY(iv_show_executions(&j, "items", reader, filter, &last, &count, err));
    iv_page_next(&j, count == filter->limit, last);
    iv_json_close_object(&j);
    return IV_OK;
}

void iv_answer_actions(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_execution_filter filter = {.finding = iv_query_get(request, "finding")};
    struct iv_page page;
    if (!read_state(&filter.states, request, reply) || !iv_page_read(&page, request, reply)) {
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
