/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/encode.h"
#include "base/guard.h"
#include "respond/alert/alert_internal.h"

#define SETTLE_AT_ONCE 256
#define ARENA_MAX_BYTES (32u << 20)
#define FORGOTTEN_AFTER (86400 * IV_NS_PER_S)
#define NAME_MAX_BYTES 256u

enum word { SAME, NEWS };
static const struct {
    struct iv_str name;
    enum iv_severity severity;
    struct iv_str criteria;
    struct iv_str title;
    iv_ns lasts;
    enum word word;
} conditions[] = {
#define CONDITION(id, name, severity, criteria, minutes, word, title)                                        \
    [IV_CONDITION_##id] = {IV_STR_INIT(name),  IV_SEV_##severity,          IV_STR_INIT(criteria),            \
                           IV_STR_INIT(title), (minutes)*60 * IV_NS_PER_S, word},
#include "respond/alert/conditions.def"
#undef CONDITION
};

iv_rc iv_alerter_new(struct iv_alerter **out, const struct iv_alerting *alerting, struct iv_err *err)
{
    IV_AUTO(iv_alerter_freep) struct iv_alerter *a = iv_calloc(1, sizeof *a);
    ENSURE(a != NULL, err, IV_E_NOMEM, "cannot allocate what makes alerts");
    a->alerting = alerting;
    iv_arena_init(&a->arena, ARENA_MAX_BYTES);
    TRY(iv_digester_new(&a->digester, err));
    *out = TAKE(a);
    return IV_OK;
}

void iv_alerter_free(struct iv_alerter *alerter)
{
    if (alerter != NULL) {
        iv_digester_free(alerter->digester);
        iv_arena_deinit(&alerter->arena);
        iv_free(alerter);
    }
}

void iv_alerter_freep(struct iv_alerter **alerter)
{
    iv_alerter_free(*alerter);
}

/* The first half of a SHA-256, so that nobody who chooses his tenant's name meets another alert by it. */
struct iv_str iv_alerter_fingerprint(struct iv_alerter *a, const struct iv_alert *alert)
{
    static const char digits[] = "0123456789abcdef";
    const struct iv_str parts[] = {alert->rule, alert->kind == IV_INCONCLUSIVE ? IV_STR("?") : IV_STR("!"),
                                   alert->tenant, alert->agent, alert->subject};
    struct iv_digest digest;
    iv_digest_begin(a->digester, IV_SHA256);
    for (size_t i = 0; i < IV_COUNT(parts); i++) {
        iv_digest_update(a->digester, parts[i]);
        iv_digest_update(a->digester, (struct iv_str){"", 1});
    }
    iv_digest_end(a->digester, &digest);
    for (size_t i = 0; i < sizeof a->hex; i++) {
        a->hex[i] = digits[digest.bytes[i / 2] >> (i % 2 == 0 ? 4 : 0) & 0xf];
    }
    return (struct iv_str){a->hex, sizeof a->hex};
}

static bool is_power_of_ten(int64_t n)
{
    while (n >= 10 && n % 10 == 0) {
        n /= 10;
    }
    return n == 1;
}

static uint32_t all_sinks(const struct iv_alerting *alerting)
{
    return (uint32_t)((UINT64_C(1) << alerting->sink_count) - 1);
}

static iv_rc add_targets(struct iv_alerter *a, struct iv_store *store, struct iv_str print, uint32_t to,
                         struct iv_err *err)
{
    for (size_t i = 0; i < a->alerting->sink_count; i++) {
        if ((to >> i & 1u) != 0) {
            TRY(iv_store_add_target(store, print, a->alerting->sinks[i].name, err));
        }
    }
    return IV_OK;
}

/* Whoever is watched chooses his names; what a sink is told of them has a bound. The fingerprint has all. */
static struct iv_str cut(struct iv_str name)
{
    size_t n = name.n < NAME_MAX_BYTES ? name.n : NAME_MAX_BYTES;
    while (n < name.n && n > 0 && ((unsigned char)name.p[n] & 0xc0) == 0x80) {
        n--;
    }
    return (struct iv_str){name.p, n};
}

/* It fires, for the first time or anew. */
static iv_rc begin(struct iv_alerter *a, struct iv_store *store, struct iv_alert *alert, uint32_t to,
                   iv_ns now, struct iv_err *err)
{
    alert->tenant = cut(alert->tenant);
    alert->agent = cut(alert->agent);
    alert->count = 1;
    alert->open = 1;
    alert->firing = true;
    alert->started = now;
    alert->last = now;
    TRY(iv_store_put_alert(store, alert, err));
    TRY(iv_store_no_targets(store, alert->fingerprint, err));
    TRY(add_targets(a, store, alert->fingerprint, to, err));
    return iv_store_notify(store, alert->fingerprint, now, iv_ns_add(now, a->alerting->wait), err);
}

/* Counts it where it fires already: *count, else 0. */
static iv_rc again(struct iv_alerter *a, struct iv_store *store, int64_t *count, const struct iv_alert *alert,
                   iv_ns now, struct iv_err *err)
{
    TRY(iv_store_alert_again(store, count, alert->fingerprint, now, alert->quiet_at, err));
    if (*count > 1 && is_power_of_ten(*count)) {
        TRY(iv_store_notify(store, alert->fingerprint, now, iv_ns_add(now, a->alerting->wait), err));
    }
    return IV_OK;
}

/* Too many of this rule: one more stands for all that come now. */
static iv_rc fold(struct iv_alerter *a, struct iv_store *store, struct iv_alert *alert, uint32_t to,
                  iv_ns now, struct iv_err *err)
{
    int64_t count = 0;
    alert->tenant = IV_ALERT_MANY;
    alert->agent = IV_ALERT_MANY;
    alert->fingerprint = iv_alerter_fingerprint(a, alert);
    TRY(again(a, store, &count, alert, now, err));
    return count > 0 ? add_targets(a, store, alert->fingerprint, to, err)
                     : begin(a, store, alert, to, now, err);
}

static iv_rc fire(struct iv_alerter *a, struct iv_store *store, struct iv_alert *alert, uint32_t to,
                  iv_ns now, struct iv_err *err)
{
    int64_t count = 0;
    int64_t firing = 0;
    alert->fingerprint = iv_alerter_fingerprint(a, alert);
    TRY(again(a, store, &count, alert, now, err));
    if (count > 0) {
        return IV_OK;
    }
    TRY(iv_store_alerts_firing(store, &firing, alert->rule, err));
    if (firing >= a->alerting->per_rule) {
        return fold(a, store, alert, to, now, err);
    }
    return begin(a, store, alert, to, now, err);
}

iv_rc iv_alerter_resolve(struct iv_store *store, struct iv_alert *alert, struct iv_str cause, iv_ns now,
                         struct iv_err *err)
{
    alert->firing = false;
    alert->ended = now;
    alert->cause = cause;
    TRY(iv_store_put_alert(store, alert, err));
    return iv_store_notify(store, alert->fingerprint, now, now, err);
}

static struct iv_alert alert_of(const struct iv_alerter *a, const struct iv_finding *f, iv_ns now)
{
    return (struct iv_alert){
        .rule = f->rule,
        .title = f->title,
        .severity = f->severity,
        .criteria = f->criteria,
        .tenant = f->tenant,
        .agent = f->agent,
        .subject = IV_STR(""),
        .kind = f->kind == IV_INCONCLUSIVE ? IV_INCONCLUSIVE : IV_VIOLATED,
        .finding = f->uid,
        .detail = IV_STR(""),
        .quiet_at = iv_ns_add(now, a->alerting->resolve_after),
        .cause = IV_STR(""),
    };
}

/* Takes a finding from the alert that it belongs to, if it fires; the last one takes the alert with it. */
static iv_rc take_from(struct iv_alerter *a, struct iv_store *store, bool *taken, struct iv_alert *alert,
                       iv_ns now, struct iv_err *err)
{
    int64_t open = 0;
    alert->fingerprint = iv_alerter_fingerprint(a, alert);
    TRY(iv_store_alert_less(store, &open, alert->fingerprint, alert->finding, err));
    *taken = open >= 0;
    if (open != 0) {
        return IV_OK;
    }
    iv_arena_reset(&a->arena);
    TRY(iv_store_alert(store, alert, alert->fingerprint, &a->arena, err));
    return iv_alerter_resolve(store, alert, IV_STR("later evidence contradicts all of its findings"), now,
                              err);
}

static iv_rc contradict(struct iv_alerter *a, struct iv_store *store, const struct iv_finding *f, iv_ns now,
                        struct iv_err *err)
{
    bool taken = false;
    struct iv_alert alert = alert_of(a, f, now);
    TRY(take_from(a, store, &taken, &alert, now, err));
    if (taken) {
        return IV_OK;
    }
    alert.tenant = IV_ALERT_MANY;
    alert.agent = IV_ALERT_MANY;
    return take_from(a, store, &taken, &alert, now, err);
}

iv_rc iv_alerter_finding(struct iv_alerter *a, struct iv_store *store, const struct iv_finding *f,
                         enum iv_put put, iv_ns now, struct iv_err *err)
{
    if (put == IV_PUT_SAME || a->alerting->sink_count == 0 || f->suppressed || f->kind == IV_OPEN) {
        return IV_OK;
    }
    if (f->kind == IV_CONTRADICTED) {
        return put == IV_PUT_UPDATED ? contradict(a, store, f, now, err) : IV_OK;
    }
    const struct iv_alert_matter matter = {.rule = f->rule,
                                           .criteria = f->criteria,
                                           .tenant = f->tenant,
                                           .severity = f->severity,
                                           .inconclusive = f->kind == IV_INCONCLUSIVE,
                                           .observed = f->mode == IV_MODE_OBSERVE};
    uint32_t to = iv_alert_route(a->alerting->routes, a->alerting->route_count, &matter);
    if (to == 0 || put != IV_PUT_NEW) {
        return IV_OK;
    }
    struct iv_alert alert = alert_of(a, f, now);
    return fire(a, store, &alert, to, now, err);
}

struct iv_alert iv_alerter_condition_of(enum iv_condition condition, struct iv_str subject,
                                        struct iv_str detail, iv_ns now)
{
    iv_ns lasts = conditions[condition].lasts;
    return (struct iv_alert){
        .rule = conditions[condition].name,
        .title = conditions[condition].title,
        .severity = conditions[condition].severity,
        .criteria = conditions[condition].criteria,
        .tenant = IV_STR(""),
        .agent = IV_STR(""),
        .subject = subject,
        .kind = IV_VIOLATED,
        .finding = IV_STR(""),
        .detail = detail,
        .quiet_at = lasts == 0 ? IV_NS_MAX : iv_ns_add(now, lasts),
        .cause = IV_STR(""),
    };
}

static uint32_t route_condition(const struct iv_alerter *a, const struct iv_alert *alert)
{
    const struct iv_alert_matter matter = {.rule = alert->rule,
                                           .criteria = alert->criteria,
                                           .tenant = alert->tenant,
                                           .severity = alert->severity};
    uint32_t to = iv_alert_route(a->alerting->routes, a->alerting->route_count, &matter);
    return to == 0 ? all_sinks(a->alerting) : to;
}

/* A sink is not told of its own silence: where there is no other, nobody is. */
static uint32_t without(const struct iv_alerter *a, uint32_t to, struct iv_str name)
{
    uint32_t left = to;
    for (size_t i = 0; i < a->alerting->sink_count; i++) {
        if (iv_str_eq(a->alerting->sinks[i].name, name)) {
            left &= ~(1u << i);
        }
    }
    return left;
}

static iv_rc end_condition(struct iv_alerter *a, struct iv_store *store, const struct iv_alert *alert,
                           struct iv_str cause, iv_ns now, struct iv_err *err)
{
    struct iv_alert there;
    iv_arena_reset(&a->arena);
    struct iv_rc_s rc = iv_store_alert(store, &there, alert->fingerprint, &a->arena, err);
    if (rc.code == IV_E_ABSENT || (iv_ok(rc) && !there.firing)) {
        return IV_OK;
    }
    TRY(rc);
    return iv_alerter_resolve(store, &there, cause, now, err);
}

iv_rc iv_alerter_find_condition(struct iv_alerter *a, struct iv_store *store, struct iv_alert *out,
                                enum iv_condition condition, struct iv_err *err)
{
    const struct iv_alert alert = iv_alerter_condition_of(condition, IV_STR(""), IV_STR(""), 0);
    iv_arena_reset(&a->arena);
    struct iv_rc_s rc = iv_store_alert(store, out, iv_alerter_fingerprint(a, &alert), &a->arena, err);
    if (rc.code == IV_E_ABSENT) {
        *out = (struct iv_alert){.firing = false};
        return IV_OK;
    }
    return rc;
}

/* It fires already, and there is more of it: whoever knows of it is told what is new. */
static iv_rc renew(struct iv_alerter *a, struct iv_store *store, const struct iv_alert *alert, iv_ns now,
                   struct iv_err *err)
{
    struct iv_alert there;
    iv_arena_reset(&a->arena);
    TRY(iv_store_alert(store, &there, alert->fingerprint, &a->arena, err));
    there.detail = alert->detail;
    TRY(iv_store_put_alert(store, &there, err));
    return iv_store_notify(store, alert->fingerprint, now, iv_ns_add(now, a->alerting->wait), err);
}

iv_rc iv_alerter_condition(struct iv_alerter *a, struct iv_store *store, enum iv_condition condition,
                           bool over, struct iv_str subject, struct iv_str detail, iv_ns now,
                           struct iv_err *err)
{
    int64_t count = 0;
    struct iv_alert alert = iv_alerter_condition_of(condition, subject, detail, now);
    if (a->alerting->sink_count == 0) {
        return IV_OK;
    }
    alert.fingerprint = iv_alerter_fingerprint(a, &alert);
    if (over) {
        return end_condition(a, store, &alert, detail, now, err);
    }
    uint32_t to = route_condition(a, &alert);
    if (condition == IV_CONDITION_SINK_UNREACHABLE || condition == IV_CONDITION_NOTICE_REFUSED) {
        uint32_t others = without(a, to, subject);
        to = others != 0 ? others : without(a, all_sinks(a->alerting), subject);
    }
    if (to == 0) {
        return IV_OK;
    }
    TRY(again(a, store, &count, &alert, now, err));
    if (count > 0) {
        return conditions[condition].word == NEWS ? renew(a, store, &alert, now, err) : IV_OK;
    }
    return begin(a, store, &alert, to, now, err);
}

iv_rc iv_alerter_own(struct iv_alerter *a, struct iv_store *store, const struct iv_finding *finding,
                     struct iv_str detail, iv_ns now, struct iv_err *err)
{
    if (!iv_str_eq(finding->rule, conditions[IV_CONDITION_BASELINE_REFUSED].name)) {
        return IV_OK; /* whoever found it alerts */
    }
    return iv_alerter_condition(a, store, IV_CONDITION_BASELINE_REFUSED, finding->kind == IV_UPDATED,
                                finding->trigger_id, detail, now, err);
}

iv_rc iv_alerter_settle(struct iv_alerter *a, struct iv_store *store, bool *any, iv_ns now,
                        struct iv_err *err)
{
    struct iv_alert *quiet = NULL;
    size_t count = 0;
    iv_arena_reset(&a->arena);
    struct iv_str cause = iv_arena_printf(&a->arena, "not found again for %lld s",
                                          (long long)(a->alerting->resolve_after / IV_NS_PER_S));
    ENSURE(cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
    TRY(iv_store_alerts_quiet(store, &quiet, &count, now, SETTLE_AT_ONCE, &a->arena, err));
    for (size_t i = 0; i < count; i++) {
        TRY(iv_alerter_resolve(store, &quiet[i], cause, now, err));
    }
    *any = count > 0;
    return iv_store_alerts_forget(store, now - FORGOTTEN_AFTER, err);
}
