/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "daemon/canary.h"
#include "daemon/keep_step.h"
#include "evidence/finding.h"
#include "judge/commit.h"

#include <pthread.h>

#define POP_WAIT (200 * IV_NS_PER_MS)
#define GROUP_MAX 64
/* A transaction that has so many takes no further commit: others wait for the store, too. */
#define GROUP_VERDICTS 512
#define RETRY_FIRST (20 * IV_NS_PER_MS)
#define RETRY_MAX (2 * IV_NS_PER_S)
/* What the outbox may hold before what comes next waits: a broker that takes nothing must not fill the disk.
 */
#define OUTBOX_MOST 100000
#define OUTBOX_WAIT (50 * IV_NS_PER_MS)

struct iv_keep {
    struct iv_keep_options options;
    struct iv_clock clock;
    struct iv_keep_step step;
    pthread_t thread;
    _Atomic iv_ns deadline; /* monotonic: until then a busy store is tried again */
};

/* Until it is durable, or the time is up. The store's class RETRY means: the same again, later. */
static iv_rc keep_stubbornly(struct iv_keep *k, struct iv_commit *const *group, size_t count,
                             struct iv_err *err)
{
    for (iv_ns wait = RETRY_FIRST;; wait = wait * 2 < RETRY_MAX ? wait * 2 : RETRY_MAX) {
        struct iv_rc_s rc = iv_keep_write(&k->step, group, count, err);
        iv_turn(k->options.turns);
        if (iv_code_class(rc.code) != IV_CLASS_RETRY ||
            iv_monotonic(&k->clock) >= atomic_load(&k->deadline)) {
            return rc;
        }
        LOG_WARN("store.waiting", KV_TEXT("why", err->text), KV_F64("again_in_s", (double)wait / 1e9));
        iv_pause(wait);
    }
}

static void count_canary(struct iv_keep *k, const struct iv_verdict_node *node, iv_ns wall)
{
    iv_series_add(IV_SERIES(k->options.metrics, CANARIES, IV_STR("detected")), 1);
    iv_canary_succeeded(k->options.metrics, node->verdict.trigger.origin.partition, wall);
    iv_series_observe(iv_metrics_only(k->options.metrics, IV_METRIC_CANARY), wall - node->written);
}

static void count_verdict(struct iv_keep *k, const struct iv_verdict_node *node, iv_ns wall)
{
    const struct iv_verdict *v = &node->verdict;
    struct iv_str rule = v->rule->id;
    if (v->rule->mode == IV_MODE_CANARY) {
        count_canary(k, node, wall);
        return;
    }
    if (v->kind == IV_INCONCLUSIVE || v->kind == IV_OPEN) {
        struct iv_str kind = iv_str_of(iv_verdict_kind_name(v->kind));
        iv_series_add(IV_SERIES(k->options.metrics, UNDECIDED, rule, kind), 1);
        return;
    }
    struct iv_str severity = iv_str_of(iv_severity_name(v->rule->severity));
    iv_series_add(IV_SERIES(k->options.metrics, FINDINGS, rule, severity), 1);
    if (v->waiver != NULL) {
        iv_series_add(IV_SERIES(k->options.metrics, SUPPRESSED, rule), 1);
    }
    if (wall > v->trigger.time) {
        iv_series_observe(iv_metrics_only(k->options.metrics, IV_METRIC_TIME_TO_DETECT),
                          wall - v->trigger.time);
    }
    if (node->written > 0 && wall > node->written) {
        iv_series_observe(iv_metrics_only(k->options.metrics, IV_METRIC_DETECTION), wall - node->written);
    }
}

/* Only what the store did not have: what is found again after a restart was counted when
 * it was found first. */
static void count_fresh(struct iv_keep *k, struct iv_commit *const *group, size_t count)
{
    iv_ns wall = iv_wall(&k->clock);
    for (size_t i = 0; i < count; i++) {
        for (const struct iv_verdict_node *node = group[i]->verdicts; node != NULL; node = node->next) {
            if (node->fresh) {
                count_verdict(k, node, wall);
            }
        }
    }
}

static size_t pop_group(struct iv_keep *k, struct iv_commit **group)
{
    size_t count = 0;
    group[0] = iv_handoff_pop(k->options.commits, POP_WAIT);
    if (group[0] == NULL) {
        return 0;
    }
    size_t verdicts = group[0]->verdict_count;
    for (count = 1; count < GROUP_MAX && verdicts < GROUP_VERDICTS; count++) {
        group[count] = iv_handoff_pop(k->options.commits, 0);
        if (group[count] == NULL) {
            break;
        }
        verdicts += group[count]->verdict_count;
    }
    return count;
}

/* Waits until the broker has taken enough of what was found before, or the end is near. */
static void wait_for_outbox(struct iv_keep *k)
{
    bool told = false;
    while (iv_store_outbox_count(k->options.store) >= OUTBOX_MOST && atomic_load(&k->deadline) == IV_NS_MAX) {
        if (!told) {
            LOG_WARN("outbox.full", KV_I64("messages", iv_store_outbox_count(k->options.store)),
                     KV_TEXT("then", "nothing more is read until the broker takes them"));
        }
        told = true;
        iv_turn(k->options.turns);
        iv_pause(OUTBOX_WAIT);
    }
}

static iv_rc turn(struct iv_keep *k, struct iv_err *err)
{
    struct iv_commit *group[GROUP_MAX];
    wait_for_outbox(k);
    size_t count = pop_group(k, group);
    struct iv_rc_s rc = IV_OK;
    if (count > 0) {
        iv_ns begun = iv_monotonic(&k->clock);
        rc = keep_stubbornly(k, group, count, err);
        if (iv_ok(rc)) {
            iv_series_observe(iv_metrics_only(k->options.metrics, IV_METRIC_COMMIT),
                              iv_monotonic(&k->clock) - begun);
            count_fresh(k, group, count);
            (void)atomic_fetch_add(k->options.kept, count);
            k->options.committed(k->options.ctx);
        }
    }
    for (size_t i = 0; i < count; i++) {
        iv_commit_free(group[i]);
    }
    return rc;
}

static void *keep_thread(void *argument)
{
    struct iv_keep *k = argument;
    struct iv_err err = {.text = ""};
    struct iv_rc_s rc = IV_OK;
    (void)pthread_setname_np(pthread_self(), "iv-keep");
    while (iv_ok(rc) && !iv_handoff_drained(k->options.commits)) {
        rc = turn(k, &err);
        iv_turn(k->options.turns);
    }
    if (!iv_ok(rc)) {
        LOG_ERROR("store.failed", KV_TEXT("why", err.text));
        k->options.failed(k->options.ctx, &err);
        iv_handoff_close(k->options.commits);
        for (struct iv_commit *left; (left = iv_handoff_pop(k->options.commits, 0)) != NULL;) {
            iv_commit_free(left); /* nothing of it was acknowledged: it will be read again */
        }
    }
    return NULL;
}

static void keep_free(struct iv_keep *k)
{
    iv_alerter_free(k->step.alerter);
    iv_keep_step_deinit(&k->step);
    iv_free(k);
}

iv_rc iv_keep_start(struct iv_keep **out, const struct iv_keep_options *options, struct iv_err *err)
{
    struct iv_keep *k = iv_calloc(1, sizeof *k);
    ENSURE(k != NULL, err, IV_E_NOMEM, "cannot allocate the keeper");
    k->options = *options;
    k->clock = iv_clock_system();
    atomic_store(&k->deadline, IV_NS_MAX);
    iv_keep_step_init(&k->step, options->store, k->clock);
    k->step.tells_coverage = options->tells_coverage;
    struct iv_rc_s rc =
        options->alerting == NULL ? IV_OK : iv_alerter_new(&k->step.alerter, options->alerting, err);
    if (iv_ok(rc) && pthread_create(&k->thread, NULL, keep_thread, k) != 0) {
        rc = iv_err_set(err, IV_E_NOMEM, "cannot start a thread");
    }
    if (!iv_ok(rc)) {
        keep_free(k);
        return rc;
    }
    *out = k;
    return IV_OK;
}

void iv_keep_hurry(struct iv_keep *keep, iv_ns grace)
{
    if (keep != NULL) {
        atomic_store(&keep->deadline, iv_monotonic(&keep->clock) + grace);
    }
}

void iv_keep_stop(struct iv_keep *keep, struct iv_reader *reader)
{
    struct iv_err err = {.text = ""};
    if (keep == NULL) {
        return;
    }
    (void)pthread_join(keep->thread, NULL);
    if (!iv_ok(iv_keep_last_words(&keep->step, reader, &err))) {
        LOG_WARN("coverage.untold", KV_TEXT("why", err.text));
    }
    keep_free(keep);
}
