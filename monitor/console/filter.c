/* SPDX-License-Identifier: Apache-2.0 */
#include "console/filter.h"

#include "base/guard.h"
#include "console/page.h"
#include "console/query.h"

/* In the order of the enums, whose bits they stand for. */
static const char severities[] = "info,low,medium,high,critical";
static const char states[] = "new,acknowledged,closed,suppressed";

static bool read_words(struct iv_finding_filter *out, struct iv_request *request, struct iv_reply *reply)
{
    struct iv_str suppressed;
    if (!iv_page_words(&out->severities, request, reply, "severity", severities) ||
        !iv_page_words(&out->states, request, reply, "state", states) ||
        !iv_query_word(&suppressed, request, reply, "suppressed", "true,false")) {
        return false;
    }
    if (suppressed.p != NULL) {
        out->suppressed = suppressed.p[0] == 't' ? IV_SUPPRESSED_ONLY : IV_SUPPRESSED_NO;
    }
    return true;
}

bool iv_filter_read(struct iv_finding_filter *out, struct iv_request *request, struct iv_reply *reply)
{
    struct iv_page page;
    *out = (struct iv_finding_filter){.rule = iv_query_get(request, "rule"),
                                      .criterion = iv_query_get(request, "criterion"),
                                      .tenant = iv_query_get(request, "tenant"),
                                      .agent = iv_query_get(request, "agent"),
                                      .assignee = iv_query_get(request, "assignee"),
                                      .text = iv_query_get(request, "q")};
    if (!read_words(out, request, reply) || !iv_page_period(&out->from, &out->until, request, reply) ||
        !iv_page_read(&page, request, reply)) {
        return false;
    }
    out->after = page.after;
    out->before = page.before;
    out->newest_first = page.newest_first;
    out->limit = page.limit;
    return true;
}
