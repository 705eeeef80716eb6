/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/alert/outage.h"

#include "base/guard.h"
#include "evidence/own.h"
#include "respond/alert/alert_internal.h"

iv_rc iv_outage_lasts(struct iv_store *store, struct iv_str sink, struct iv_str why, iv_ns since, iv_ns now,
                      struct iv_err *err)
{
    struct iv_alert alert = iv_alerter_condition_of(IV_CONDITION_SINK_UNREACHABLE, sink, why, now);
    const struct iv_own_finding finding = {.rule = alert.rule,
                                           .title = alert.title,
                                           .severity = alert.severity,
                                           .criteria = alert.criteria,
                                           .subject = sink,
                                           .detail = why,
                                           .began = since};
    return iv_store_put_own(store, &finding, now, err);
}

static bool is_among(struct iv_str name, const struct iv_str *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (iv_str_eq(name, names[i])) {
            return true;
        }
    }
    return false;
}

/* Those that are about one of these sinks, or else about none of them. */
static iv_rc end(struct iv_store *store, const struct iv_str *sinks, size_t count, bool among,
                 struct iv_str how, iv_ns now, struct iv_err *err)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    struct iv_own_finding *lasting = NULL;
    size_t lasting_count = 0;
    struct iv_str rule =
        iv_alerter_condition_of(IV_CONDITION_SINK_UNREACHABLE, IV_STR(""), IV_STR(""), now).rule;
    iv_arena_init(&arena, 0);
    TRY(iv_store_own_lasting(store, &lasting, &lasting_count, rule, &arena, err));
    for (size_t i = 0; i < lasting_count; i++) {
        if (is_among(lasting[i].subject, sinks, count) == among) {
            lasting[i].detail = how;
            lasting[i].over = now;
            TRY(iv_store_put_own(store, &lasting[i], now, err));
        }
    }
    return IV_OK;
}

iv_rc iv_outage_over(struct iv_store *store, struct iv_str sink, iv_ns now, struct iv_err *err)
{
    return end(store, &sink, 1, true, IV_STR("it takes notices again"), now, err);
}

iv_rc iv_outage_keep(struct iv_store *store, const struct iv_str *sinks, size_t count, iv_ns now,
                     struct iv_err *err)
{
    return end(store, sinks, count, false, IV_STR("the configuration does not name it any more"), now, err);
}

iv_rc iv_refusal_tell(struct iv_store *store, struct iv_str name, bool over, struct iv_str why, iv_ns now,
                      struct iv_err *err)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    struct iv_own_finding *lasting = NULL;
    size_t count = 0;
    struct iv_alert alert = iv_alerter_condition_of(IV_CONDITION_BASELINE_REFUSED, name, why, now);
    iv_arena_init(&arena, 0);
    TRY(iv_store_own_lasting(store, &lasting, &count, alert.rule, &arena, err));
    for (size_t i = 0; i < count; i++) {
        lasting[i].detail = why;
        lasting[i].over = now;
        TRY(over ? iv_store_put_own(store, &lasting[i], now, err) : IV_OK);
    }
    const struct iv_own_finding finding = {.rule = alert.rule,
                                           .title = alert.title,
                                           .severity = alert.severity,
                                           .criteria = alert.criteria,
                                           .subject = name,
                                           .detail = why,
                                           .began = now};
    return over || count > 0 ? IV_OK : iv_store_put_own(store, &finding, now, err);
}
