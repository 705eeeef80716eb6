/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/fleet: tenants and agents by what weighs on them. */
#include "base/clock.h"
#include "base/guard.h"
#include "console/answer.h"
#include "console/page.h"
#include "console/query.h"
#include "console/readers.h"
#include "console/show.h"
#include "evidence/incident.h"

#include <inttypes.h>
#include <stdio.h>

#define DAY (86400 * IV_NS_PER_S)

/* So much of a page is the tenants' at most; the rest is the agents'. */
enum { TENANTS_MAX = 500, TENANTS_BYTES_MAX = 256 * 1024 };

struct listing {
    struct iv_json j;
    bool tenants;
    size_t count;
    int64_t rank; /* these two: of the last item */
    int64_t id;
};

static bool write_item(void *ctx, const struct iv_fleet_item *item)
{
    struct listing *l = ctx;
    struct iv_json *j = &l->j;
    iv_json_open_object(j, NULL);
    iv_show_optional(j, "tenant", item->tenant);
    if (l->tenants) {
        iv_json_int(j, "agents", item->agents);
    } else {
        iv_show_optional(j, "agent", item->agent);
    }
    iv_json_real(j, "risk", item->risk);
    iv_json_open_object(j, "open");
    for (int s = IV_SEV_CRITICAL; s >= IV_SEV_INFO; s--) {
        iv_json_int(j, iv_severity_name((enum iv_severity)s), item->live[s]);
    }
    iv_json_close_object(j);
    iv_json_int(j, "findings", item->findings);
    iv_json_int(j, "executions", item->executions);
    iv_json_time(j, "first", item->first);
    iv_json_time(j, "last", item->last);
    iv_json_close_object(j);
    l->count++;
    l->rank = item->rank;
    l->id = item->id;
    return l->tenants ? j->out->n < TENANTS_BYTES_MAX : !iv_page_is_full(j);
}

/* By the day that the risk is of, so that it is of one day on all pages. */
static void write_next(struct listing *l, const struct iv_fleet_filter *filter)
{
    char next[64];
    (void)snprintf(next, sizeof next, "%" PRId64 ".%" PRId64 ".%" PRId64, filter->day, l->rank, l->id);
    if (iv_page_goes_on(&l->j, l->count, filter->limit)) {
        iv_json_text(&l->j, "next", next);
    } else {
        iv_json_null(&l->j, "next");
    }
}

static iv_rc write_fleet(struct iv_buf *out, struct iv_reader *reader, const struct iv_fleet_filter *filter,
                         struct iv_err *err)
{
    struct iv_fleet_filter by_tenant = {
        .tenant = filter->tenant, .tenants = true, .day = filter->day, .limit = TENANTS_MAX};
    struct listing l = {.j = iv_json_to(out), .tenants = true};
    iv_json_open_object(&l.j, NULL);
    iv_json_open_list(&l.j, "tenants");
    TRY(iv_reader_fleet(reader, &by_tenant, write_item, &l, err));
    iv_json_close_list(&l.j);
    l.tenants = false;
    l.count = 0;
    iv_json_open_list(&l.j, "items");
    TRY(iv_reader_fleet(reader, filter, write_item, &l, err));
    iv_json_close_list(&l.j);
    write_next(&l, filter);
    iv_json_close_object(&l.j);
    return IV_OK;
}

static bool read_order(struct iv_fleet_filter *out, struct iv_request *request, struct iv_reply *reply)
{
    struct iv_str order;
    if (!iv_query_word(&order, request, reply, "order", "risk,findings,last,name")) {
        return false;
    }
    out->order = iv_str_eq(order, IV_STR("findings")) ? IV_FLEET_BY_FINDINGS
                 : iv_str_eq(order, IV_STR("last"))   ? IV_FLEET_BY_LAST
                 : iv_str_eq(order, IV_STR("name"))   ? IV_FLEET_BY_NAME
                                                      : IV_FLEET_BY_RISK;
    return true;
}

/* As write_next makes it. */
static bool read_after(struct iv_fleet_filter *out, struct iv_request *request, struct iv_reply *reply)
{
    struct iv_str rest = iv_query_get(request, "after");
    int64_t *const parts[] = {&out->day, &out->rank, &out->after};
    bool good = true;
    if (rest.p == NULL) {
        return true;
    }
    for (size_t i = 0; good && i < IV_COUNT(parts); i++) {
        const char *dot = i + 1 < IV_COUNT(parts) && rest.n > 0 ? memchr(rest.p, '.', rest.n) : NULL;
        size_t n = dot == NULL ? rest.n : (size_t)(dot - rest.p);
        good = iv_page_int(parts[i], (struct iv_str){rest.p, n}) && (dot != NULL || i + 1 == IV_COUNT(parts));
        rest = (struct iv_str){rest.p + n + (dot != NULL), rest.n - n - (dot != NULL)};
    }
    if (!good || out->after <= 0) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "after must be the cursor of the page before");
        return false;
    }
    return true;
}

void iv_answer_fleet(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_clock clock = iv_clock_system();
    struct iv_fleet_filter filter = {.tenant = iv_query_get(request, "tenant"), .day = iv_wall(&clock) / DAY};
    if (!read_order(&filter, request, reply) || !read_after(&filter, request, reply) ||
        !iv_page_limit(&filter.limit, request, reply)) {
        return;
    }
    struct iv_err err;
    struct iv_reader *reader = iv_readers_borrow(request->console->readers);
    struct iv_rc_s rc = write_fleet(&reply->body, reader, &filter, &err);
    iv_readers_return(request->console->readers, reader);
    if (rc.code == IV_E_REFUSED) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "%s", err.text);
        return;
    }
    iv_page_reply(reply, rc, &err);
}
