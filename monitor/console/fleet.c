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

enum { SKIP_MAX = 1000000, TENANTS_MAX = 500 };

struct listing {
    struct iv_json j;
    bool tenants;
    size_t count;
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
    return true;
}

static iv_rc write_fleet(struct iv_buf *out, struct iv_reader *reader, const struct iv_fleet_filter *filter,
                         struct iv_err *err)
{
    struct iv_fleet_filter by_tenant = {
        .tenant = filter->tenant, .tenants = true, .now = filter->now, .limit = TENANTS_MAX};
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
    iv_page_next(&l.j, l.count == filter->limit, (int64_t)(filter->skip + l.count));
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

void iv_answer_fleet(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_clock clock = iv_clock_system();
    struct iv_fleet_filter filter = {.tenant = iv_query_get(request, "tenant"), .now = iv_wall(&clock)};
    uint64_t skip = 0;
    if (!read_order(&filter, request, reply) ||
        !iv_query_number(&skip, request, reply, "after", 0, SKIP_MAX) ||
        !iv_page_limit(&filter.limit, request, reply)) {
        return;
    }
    filter.skip = (size_t)skip;
    struct iv_err err;
    struct iv_reader *reader = iv_readers_borrow(request->console->readers);
    struct iv_rc_s rc = write_fleet(&reply->body, reader, &filter, &err);
    iv_readers_return(request->console->readers, reader);
    iv_page_reply(reply, rc, &err);
}
