/* SPDX-License-Identifier: Apache-2.0 */
/* What people do with findings, taken over into their alerts. */
#include "base/guard.h"
#include "respond/alert/alert_internal.h"

#define FACT "alerts.triage" /* the last line that was taken over */
#define AT_ONCE 64

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

/* IV_E_ABSENT is none that fires, too. */
static iv_rc firing(struct iv_alerter *a, struct iv_store *store, struct iv_alert *out,
                    const struct iv_triaged *like, bool many, struct iv_arena *arena, struct iv_err *err)
{
    const struct iv_alert of = {.rule = like->rule,
                                .kind = like->kind,
                                .tenant = many ? IV_ALERT_MANY : like->tenant,
                                .agent = many ? IV_ALERT_MANY : like->agent,
                                .subject = IV_STR("")};
    *out = (struct iv_alert){.firing = false};
    struct iv_rc_s rc = iv_store_alert(store, out, iv_alerter_fingerprint(a, &of), arena, err);
    if (rc.code != IV_E_ABSENT) {
        TRY(rc);
    }
    out->firing = out->firing && (!many || out->started <= like->detected);
    return IV_OK;
}

/* beyond: whether the alert of many is looked at. */
static iv_rc take_over(struct iv_alerter *a, struct iv_store *store, const struct iv_triaged *like,
                       bool beyond, iv_ns now, struct iv_arena *arena, struct iv_err *err)
{
    struct iv_alert own;
    struct iv_alert many;
    bool stands = false;
    const struct iv_str cause = IV_STR("all of its findings were closed");
    TRY(firing(a, store, &own, like, false, arena, err));
    TRY(firing(a, store, &many, like, true, arena, err));
    if (like->what == IV_TRIAGED_ACKNOWLEDGED) {
        return own.firing    ? acknowledge(a, store, &own, now, err)
               : many.firing ? acknowledge(a, store, &many, now, err)
                             : IV_OK;
    }
    if (own.firing) {
        TRY(iv_store_stands(store, &stands, like, own.started, err));
        TRY(stands ? IV_OK : iv_alerter_resolve(store, &own, cause, now, err));
    }
    if (many.firing && beyond) {
        TRY(iv_store_stands_beyond(store, &stands, like, many.started, err));
        TRY(stands ? IV_OK : iv_alerter_resolve(store, &many, cause, now, err));
    }
    return IV_OK;
}

/* What stands is looked at as it is now, so of lines that ask the same the last one is enough. many: of the
 * alert of many, which asks the same of all agents. */
static bool is_asked_later(const struct iv_triaged *lines, size_t count, size_t i, bool many)
{
    for (size_t k = i + 1; k < count; k++) {
        bool same = iv_str_eq(lines[k].tenant, lines[i].tenant) && iv_str_eq(lines[k].agent, lines[i].agent);
        if (lines[k].what == lines[i].what && lines[k].kind == lines[i].kind &&
            lines[k].detected >= lines[i].detected && iv_str_eq(lines[k].rule, lines[i].rule) &&
            (many || same)) {
            return true;
        }
    }
    return false;
}

static iv_rc take_over_all(struct iv_alerter *a, struct iv_store *store, struct iv_triaged *lines,
                           size_t count, iv_ns now, struct iv_arena *arena, struct iv_err *err)
{
    for (size_t i = 0; i < count; i++) {
        bool updated = lines[i].kind == IV_UPDATED; /* more is known of the same violation */
        lines[i].kind = updated ? IV_VIOLATED : lines[i].kind;
    }
    for (size_t i = 0; i < count; i++) {
        bool alerts = lines[i].kind == IV_VIOLATED || lines[i].kind == IV_INCONCLUSIVE;
        if (alerts && lines[i].what != IV_TRIAGED_NOTHING && !is_asked_later(lines, count, i, false)) {
            bool beyond = !is_asked_later(lines, count, i, true);
            TRY(take_over(a, store, &lines[i], beyond, now, arena, err));
        }
    }
    return IV_OK;
}

iv_rc iv_alerter_triage(struct iv_alerter *a, struct iv_store *store, bool *any, iv_ns now,
                        struct iv_err *err)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    struct iv_triaged lines[AT_ONCE];
    size_t count = 0;
    int64_t after = 0;
    iv_arena_init(&arena, 0);
    TRY(iv_alerter_fact(store, &after, FACT, err));
    if (after < 0) { /* what was done before there were alerts is done */
        TRY(iv_store_triage_last(store, &after, err));
        return iv_alerter_put_fact(store, FACT, after, err);
    }
    TRY(iv_store_triaged(store, lines, &count, after, AT_ONCE, &arena, err));
    TRY(take_over_all(a, store, lines, count, now, &arena, err));
    *any = *any || count > 0;
    return count == 0 ? IV_OK : iv_alerter_put_fact(store, FACT, lines[count - 1].seq, err);
}
