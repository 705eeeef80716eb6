/* SPDX-License-Identifier: Apache-2.0 */
/* What people are told of remediation. It is concluded from the store alone, in the transaction that queues
 * the notices: whenever the process is gone, nothing is lost, and nothing told twice. */
#include "base/guard.h"
#include "evidence/vain.h"
#include "respond/alert/alert_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FACT "alerts.vain" /* the last change of the log that was looked at */
/* What ended just before anybody was to be told is told all the same; what is older is not news. */
#define TOLD_SINCE (600 * IV_NS_PER_S)
#define SAID_EVERY (3600 * IV_NS_PER_S)
#define DETAIL_MAX 480
#define WAITING_FACT "alerts.waiting" /* what was said to wait: playbooks and reasons */
#define LINES_MAX ((size_t)4 << 10)
#define HELD_AFTER (600 * IV_NS_PER_S)
#define HELD_LOOK (10 * IV_NS_PER_S)
#define LOOK_EVERY IV_NS_PER_S /* all that wait are counted */

static iv_rc read_fact(struct iv_store *store, int64_t *out, iv_ns now, struct iv_err *err)
{
    TRY(iv_alerter_fact(store, out, FACT, err));
    return *out < 0 ? iv_store_log_before(store, out, now - TOLD_SINCE, err) : IV_OK;
}

static int shown(struct iv_str s, size_t most)
{
    return (int)(s.n < most ? s.n : most);
}

static void describe(char out[DETAIL_MAX], const struct iv_vain *v, int64_t count)
{
    (void)snprintf(out, DETAIL_MAX, "%s%.*s%s%.*s of %.*s is %.*s: %.*s%s", v->step.n > 0 ? "step '" : "",
                   shown(v->step, 60), v->step.n > 0 ? v->step.p : "", v->step.n > 0 ? "' of " : "",
                   shown(v->playbook, 80), v->playbook.p, shown(v->target, 80), v->target.p,
                   shown(v->state, 16), v->state.p, shown(v->cause, 160), v->cause.p,
                   count > 1 ? "; and others" : "");
}

static iv_rc tell_vain(struct iv_alerter *a, struct iv_store *store, bool *any, iv_ns now, struct iv_err *err)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    struct iv_vain last;
    char detail[DETAIL_MAX];
    int64_t after = 0;
    int64_t seen = 0;
    int64_t count = 0;
    iv_arena_init(&arena, 0);
    TRY(read_fact(store, &after, now, err));
    TRY(iv_store_vain(store, &last, &count, &seen, after, &arena, err));
    if (count > 0) {
        describe(detail, &last, count);
        TRY(iv_alerter_condition(a, store, IV_CONDITION_REMEDIATION_FAILED, false, IV_STR(""),
                                 iv_str_of(detail), now, err));
    }
    *any = *any || count > 0;
    return seen > after ? iv_alerter_put_fact(store, FACT, seen, err) : IV_OK;
}

/* Whether some line of these is not among those. */
static bool has_more(struct iv_str lines, struct iv_str told)
{
    while (lines.n > 0) {
        const char *end = memchr(lines.p, '\n', lines.n);
        size_t n = end == NULL ? lines.n : (size_t)(end - lines.p) + 1;
        bool found = false;
        for (struct iv_str rest = told; rest.n >= n && !found;) {
            const char *stop = memchr(rest.p, '\n', rest.n);
            size_t m = stop == NULL ? rest.n : (size_t)(stop - rest.p) + 1;
            found = m == n && memcmp(rest.p, lines.p, n) == 0;
            rest = (struct iv_str){rest.p + m, rest.n - m};
        }
        if (!found) {
            return true;
        }
        lines = (struct iv_str){lines.p + n, lines.n - n};
    }
    return false;
}

static void describe_waiting(char out[DETAIL_MAX], int64_t count, struct iv_str lines)
{
    int n = snprintf(out, DETAIL_MAX, "%" PRId64 " executions wait: invigil respond list; ", count);
    for (size_t i = 0; i < lines.n && n < DETAIL_MAX - 2; i++) {
        bool ends = lines.p[i] == '\n';
        if (ends && i + 1 == lines.n) {
            break;
        }
        out[n++] = ends ? ',' : lines.p[i];
        if (ends) {
            out[n++] = ' ';
        }
    }
    out[n] = '\0';
}

static iv_rc read_told(struct iv_buf *out, struct iv_store *store, struct iv_err *err)
{
    struct iv_rc_s rc = iv_store_fact(store, out, IV_STR(WAITING_FACT), err);
    return rc.code == IV_E_ABSENT ? IV_OK : rc;
}

static iv_rc say_waiting(struct iv_alerter *a, struct iv_store *store, bool *any, bool hourly, int64_t newest,
                         iv_ns now, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf lines;
    IV_AUTO(iv_buf_deinit) struct iv_buf told;
    char detail[DETAIL_MAX];
    int64_t count = 0;
    iv_buf_init(&lines, LINES_MAX);
    iv_buf_init(&told, LINES_MAX);
    TRY(iv_store_waiting(store, &count, &lines, err));
    TRY(iv_buf_check(&lines, "what waits", err));
    TRY(read_told(&told, store, err));
    if (!hourly && !has_more(iv_buf_slice(&lines), iv_buf_slice(&told))) {
        a->waiting_seen = newest; /* else it is looked at once more: what is said may be rolled back */
        return IV_OK;
    }
    *any = true;
    describe_waiting(detail, count, iv_buf_slice(&lines));
    TRY(iv_store_put_fact(store, IV_STR(WAITING_FACT), iv_buf_slice(&lines), err));
    return iv_alerter_condition(a, store, IV_CONDITION_APPROVAL_NEEDED, false, IV_STR(""), iv_str_of(detail),
                                now, err);
}

/* Said when the first one waits, when one of another playbook or for another reason does, and each hour while
 * any does. */
static iv_rc tell_waiting(struct iv_alerter *a, struct iv_store *store, bool *any, iv_ns now,
                          struct iv_err *err)
{
    struct iv_alert there;
    bool waits = false;
    int64_t newest = 0;
    TRY(iv_store_any_waits(store, &waits, err));
    TRY(iv_alerter_find_condition(a, store, &there, IV_CONDITION_APPROVAL_NEEDED, err));
    if (!waits) {
        *any = *any || there.firing;
        return there.firing ? iv_alerter_condition(a, store, IV_CONDITION_APPROVAL_NEEDED, true, IV_STR(""),
                                                   IV_STR("nothing waits any more"), now, err)
                            : IV_OK;
    }
    TRY(iv_store_newest_execution(store, &newest, err));
    bool hourly = !there.firing || now - there.last >= SAID_EVERY;
    bool passed = now - a->waiting_at >= LOOK_EVERY || now < a->waiting_at;
    if (!hourly && (newest == a->waiting_seen || !passed)) {
        return IV_OK;
    }
    a->waiting_at = now;
    return say_waiting(a, store, any, hourly, newest, now, err);
}

/* Said when something has waited for long, and that nothing does any more. */
static iv_rc tell_held(struct iv_alerter *a, struct iv_store *store, bool *any, iv_ns now, struct iv_err *err)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    struct iv_alert there;
    struct iv_str playbook;
    char detail[DETAIL_MAX];
    int64_t count = 0;
    iv_arena_init(&arena, 0);
    if (now - a->held_at < HELD_LOOK && now >= a->held_at) {
        return IV_OK;
    }
    TRY(iv_store_held(store, &count, &playbook, now - HELD_AFTER, &arena, err));
    TRY(iv_alerter_find_condition(a, store, &there, IV_CONDITION_REMEDIATION_HELD, err));
    if ((count > 0) == there.firing) {
        a->held_at = now;
        return IV_OK;
    }
    *any = true;
    (void)snprintf(detail, sizeof detail,
                   "waiting steps that rest on what was not seen: %" PRId64 ", one of %.*s; %s", count,
                   shown(playbook, 80), playbook.p, "their causes say what is not fresh");
    return iv_alerter_condition(
        a, store, IV_CONDITION_REMEDIATION_HELD, count == 0, IV_STR(""),
        count == 0 ? IV_STR("nothing waits for the streams any more") : iv_str_of(detail), now, err);
}

iv_rc iv_alerter_remediation(struct iv_alerter *a, struct iv_store *store, bool *any, iv_ns now,
                             struct iv_err *err)
{
    if (a->alerting->sink_count == 0) {
        return IV_OK;
    }
    TRY(tell_vain(a, store, any, now, err));
    TRY(tell_held(a, store, any, now, err));
    return tell_waiting(a, store, any, now, err);
}
