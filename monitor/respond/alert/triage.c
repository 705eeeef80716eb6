/* SPDX-License-Identifier: Apache-2.0 */
/* What people do with findings, taken over into their alerts. */
#include "base/guard.h"
#include "respond/alert/alert_internal.h"

#include <inttypes.h>
#include <stdio.h>

#define FACT "alerts.triage" /* the last line that was taken over */
#define AT_ONCE 64

static iv_rc read_fact(struct iv_store *store, int64_t *out, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, 64);
    struct iv_rc_s rc = iv_store_fact(store, &text, IV_STR(FACT), err);
    if (rc.code == IV_E_ABSENT) {
        *out = -1;
        return IV_OK;
    }
    TRY(rc);
    *out = 0;
    for (size_t i = 0; i < text.n && text.p[i] >= '0' && text.p[i] <= '9' && *out < INT64_MAX / 100; i++) {
        *out = *out * 10 + (text.p[i] - '0');
    }
    return IV_OK;
}

static iv_rc put_fact(struct iv_store *store, int64_t seq, struct iv_err *err)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%" PRId64, seq);
    return iv_store_put_fact(store, IV_STR(FACT), iv_str_of(text), err);
}

static iv_rc acknowledge(struct iv_alerter *a, struct iv_store *store, const struct iv_alert *alert,
                         iv_ns now, struct iv_err *err)
{
    for (size_t i = 0; i < a->alerting->sink_count; i++) {
        const struct iv_alert_sink *sink = &a->alerting->sinks[i];
        if (sink->kind->acknowledges) {
            TRY(iv_store_notify_acknowledged(store, alert->fingerprint, sink->name, now, err));
        }
    }
    return IV_OK;
}

static iv_rc take_over(struct iv_alerter *a, struct iv_store *store, const struct iv_triaged *line, iv_ns now,
                       struct iv_arena *arena, struct iv_err *err)
{
    struct iv_alert alert;
    struct iv_triaged like = *line;
    bool stands = false;
    like.kind = line->kind == IV_UPDATED ? IV_VIOLATED : line->kind; /* more is known of the same violation */
    if (like.kind != IV_VIOLATED && like.kind != IV_INCONCLUSIVE) {
        return IV_OK;
    }
    const struct iv_alert of = {.rule = line->rule,
                                .kind = like.kind,
                                .tenant = line->tenant,
                                .agent = line->agent,
                                .subject = IV_STR("")};
    struct iv_rc_s rc = iv_store_alert(store, &alert, iv_alerter_fingerprint(a, &of), arena, err);
    if (rc.code == IV_E_ABSENT) {
        return IV_OK;
    }
    TRY(rc);
    if (!alert.firing || line->acknowledged) {
        return alert.firing ? acknowledge(a, store, &alert, now, err) : IV_OK;
    }
    TRY(iv_store_stands(store, &stands, &like, alert.started, err));
    return stands ? IV_OK
                  : iv_alerter_resolve(store, &alert, IV_STR("all of its findings were closed"), now, err);
}

iv_rc iv_alerter_triage(struct iv_alerter *a, struct iv_store *store, bool *any, iv_ns now,
                        struct iv_err *err)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    struct iv_triaged lines[AT_ONCE];
    size_t count = 0;
    int64_t after = 0;
    iv_arena_init(&arena, 0);
    TRY(read_fact(store, &after, err));
    if (after < 0) { /* what was done before there were alerts is done */
        TRY(iv_store_triage_last(store, &after, err));
        return put_fact(store, after, err);
    }
    TRY(iv_store_triaged(store, lines, &count, after, AT_ONCE, &arena, err));
    for (size_t i = 0; i < count; i++) {
        TRY(take_over(a, store, &lines[i], now, &arena, err));
    }
    *any = *any || count > 0;
    return count == 0 ? IV_OK : put_fact(store, lines[count - 1].seq, err);
}
