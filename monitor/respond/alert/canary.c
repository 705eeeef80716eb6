/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/alert/canary.h"

#include "base/guard.h"
#include "respond/alert/alert_internal.h"

#include <stdio.h>

#define FACT "alerts.canary" /* when the last one began */
enum { DETAIL_MAX_BYTES = 512, RULE_SHOWN = 64 };

iv_rc iv_alerter_canary(struct iv_alerter *a, struct iv_store *store, struct iv_str sink,
                        struct iv_str detail, iv_ns now, struct iv_err *err)
{
    int64_t waiting = 0;
    struct iv_alert alert = iv_alerter_condition_of(IV_CONDITION_CANARY, sink, detail, IV_NS_MAX);
    alert.fingerprint = iv_alerter_fingerprint(a, &alert);
    TRY(iv_store_notices_of(store, &waiting, alert.fingerprint, err));
    if (waiting > 0) {
        return IV_OK;
    }
    alert.count = 1;
    alert.firing = true;
    alert.started = now;
    alert.last = now;
    TRY(iv_store_put_alert(store, &alert, err));
    TRY(iv_store_add_target(store, alert.fingerprint, sink, err));
    TRY(iv_store_notify(store, alert.fingerprint, now, now, err));
    return iv_alerter_resolve(store, &alert, IV_STR("it was synthetic"), now, err);
}

iv_rc iv_alerter_canary_last(struct iv_store *store, iv_ns *out, struct iv_err *err)
{
    TRY(iv_alerter_fact(store, out, FACT, err));
    *out = *out < 0 ? 0 : *out;
    return IV_OK;
}

/* Nothing that is found ever comes to a sink that no route names. */
static uint32_t routed(const struct iv_alerting *alerting)
{
    uint32_t to = 0;
    for (size_t i = 0; i < alerting->route_count; i++) {
        to |= alerting->routes[i].to;
    }
    return to;
}

iv_rc iv_alerter_canary_due(struct iv_alerter *a, struct iv_store *store, struct iv_str detail, iv_ns now,
                            struct iv_err *err)
{
    iv_ns last = 0;
    uint32_t to = routed(a->alerting);
    if (a->alerting->canary == 0) {
        return IV_OK;
    }
    TRY(iv_alerter_canary_last(store, &last, err));
    if (last != 0 && last <= now && now - last < a->alerting->canary) {
        return IV_OK;
    }
    for (size_t i = 0; i < a->alerting->sink_count; i++) {
        if ((to >> i & 1u) != 0) {
            TRY(iv_alerter_canary(a, store, a->alerting->sinks[i].name, detail, now, err));
        }
    }
    return iv_alerter_put_fact(store, FACT, now, err);
}

iv_rc iv_alerter_canary_found(struct iv_alerter *a, struct iv_store *store, struct iv_str rule, iv_ns written,
                              iv_ns now, struct iv_err *err)
{
    char room[DETAIL_MAX_BYTES];
    IV_AUTO(iv_buf_deinit) struct iv_buf detail;
    struct iv_str shown = {rule.p, rule.n < RULE_SHOWN ? rule.n : RULE_SHOWN};
    iv_buf_init_lent(&detail, room, sizeof room, sizeof room - 1);
    iv_buf_text(&detail, "a violation that was planted for ");
    iv_buf_str(&detail, shown);
    iv_buf_text(&detail, " at ");
    iv_ns_format(&detail, written);
    iv_buf_printf(&detail, " was found %.3f s later", now > written ? (double)(now - written) / 1e9 : 0.0);
    TRY(iv_buf_check(&detail, "a synthetic alert", err));
    return iv_alerter_canary_due(a, store, iv_buf_slice(&detail), now, err);
}

iv_rc iv_alerter_canary_missed(struct iv_alerter *a, struct iv_store *store, bool *missed, iv_ns since,
                               iv_ns patience, iv_ns now, struct iv_err *err)
{
    char detail[DETAIL_MAX_BYTES];
    iv_ns last = 0;
    TRY(iv_alerter_canary_last(store, &last, err));
    last = last > since ? last : since;
    *missed = now - last >= patience;
    (void)snprintf(detail, sizeof detail, "no planted violation was found for %lld s",
                   (long long)((now - last) / IV_NS_PER_S));
    return iv_alerter_condition(a, store, IV_CONDITION_CANARY_MISSED, !*missed, IV_STR(""),
                                *missed ? iv_str_of(detail) : IV_STR("a planted violation was found"), now,
                                err);
}
