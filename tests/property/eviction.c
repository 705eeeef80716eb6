/* SPDX-License-Identifier: Apache-2.0 */
/* An engine that forgets what it still needs, to stay within its memory, says nothing wrong:
 *   - every violation that it finds is one that an unbounded engine finds;
 *   - every violation that it does not find, and every inconclusive verdict that the other has no part in, is
 * of a trigger in the event time that the rule was told to have lost. With snapshots at random moments it is
 * the same. */
#include "base/guard.h"
#include "trial.h"

#include <stdio.h>
#include <string.h>

static uint64_t evictions;
static uint64_t missed;
static uint64_t doubted;

static bool is_violation(const struct emission *e)
{
    return e->kind == IV_VIOLATED;
}

static const struct emission *find(const struct engine_run *run, const struct emission *wanted,
                                   enum iv_verdict_kind kind)
{
    for (size_t i = 0; i < run->emission_count; i++) {
        const struct emission *e = &run->emissions[i];
        if (e->kind == kind && memcmp(e->uid, wanted->uid, sizeof e->uid) == 0) {
            return e;
        }
    }
    return NULL;
}

static bool is_lost(const struct engine_run *run, const struct emission *e)
{
    for (size_t i = 0; i < run->forgotten_count; i++) {
        const struct forgotten *f = &run->forgotten[i];
        if (f->rule == e->rule && e->time >= f->from && e->time < f->until) {
            return true;
        }
    }
    return false;
}

static void complain(struct iv_buf *why, const char *what, const struct engine_run *run,
                     const struct emission *e)
{
    iv_buf_printf(why,
                  "%s: " IV_STR_FMT " " IV_STR_FMT "/" IV_STR_FMT " at %lld, kind %d, after %zu records\n",
                  what, IV_STR_ARG(e->rule->id), IV_STR_ARG(e->source), IV_STR_ARG(e->id), (long long)e->time,
                  (int)e->kind, e->after);
    for (size_t i = 0; i < run->forgotten_count; i++) {
        const struct forgotten *f = &run->forgotten[i];
        iv_buf_printf(why, "  " IV_STR_FMT " lost %lld to %lld\n", IV_STR_ARG(f->rule->id),
                      (long long)f->from, (long long)f->until);
    }
}

/* The runs of the unbounded engine and of the other. */
static bool compare(struct iv_buf *why, const struct engine_run *whole, const struct engine_run *bounded)
{
    for (size_t i = 0; i < bounded->emission_count; i++) {
        const struct emission *e = &bounded->emissions[i];
        if (is_violation(e) && find(whole, e, IV_VIOLATED) == NULL) {
            complain(why, "invented", bounded, e);
            return false;
        }
        bool doubt = e->kind == IV_INCONCLUSIVE && find(whole, e, IV_INCONCLUSIVE) == NULL;
        doubted += doubt ? 1 : 0;
        if (doubt && !is_lost(bounded, e)) {
            complain(why, "inconclusive without a loss", bounded, e);
            return false;
        }
    }
    for (size_t i = 0; i < whole->emission_count; i++) {
        const struct emission *e = &whole->emissions[i];
        bool misses = is_violation(e) && find(bounded, e, IV_VIOLATED) == NULL;
        missed += misses ? 1 : 0;
        if (misses && !is_lost(bounded, e)) {
            complain(why, "missed without a loss", bounded, e);
            return false;
        }
    }
    return true;
}

static bool holds(struct iv_buf *why, struct trial *trial, const struct arrivals *arrivals, void *ctx)
{
    const struct upheaval *upheaval = ctx;
    struct engine_run whole;
    struct engine_run bounded;
    const char *failed = engine_run(&whole, trial->baseline, &trial->world, arrivals, NULL, NULL);
    const char *other = engine_run(&bounded, trial->baseline, &trial->world, arrivals, NULL, upheaval);
    failed = failed != NULL ? failed : other;
    if (failed != NULL) {
        iv_buf_printf(why, "%s: %s\n", failed, bounded.err.text);
    }
    bool held = failed == NULL && compare(why, &whole, &bounded);
    evictions += bounded.stats.evictions;
    engine_run_deinit(&whole);
    engine_run_deinit(&bounded);
    return held;
}

static bool law(struct trial *trial)
{
    struct arrivals arrivals = generate_arrivals(&trial->dice, &trial->world, &trial->arena);
    struct upheaval evicts = {.dice = {trial->seed}, .evicts = true};
    struct upheaval restores = {.dice = {trial->seed}, .evicts = true, .restores = true};
    return trial_try(trial, &arrivals, holds, &evicts) && trial_try(trial, &arrivals, holds, &restores);
}

int main(void)
{
    int status = trials_run(law);
    printf("%llu evictions, %llu violations missed, %llu verdicts doubted\n", (unsigned long long)evictions,
           (unsigned long long)missed, (unsigned long long)doubted);
    bool met = evictions > 0 && missed > 0 && doubted > 0;
    return met ? status : 1;
}
