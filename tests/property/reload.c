/* SPDX-License-Identifier: Apache-2.0 */
/* A baseline that changes in mid-stream: the rules that stay say what they would have said without it, each
 * at the same record; the rules that are new or others convict only whom they would have convicted had they
 * been in force from the beginning. */
#include "base/guard.h"
#include "compare.h"
#include "trial.h"

#include <stdio.h>

struct change {
    struct iv_baseline *after;
    size_t reload_after; /* records */
};

/* Of the first baseline, of the second, and of the first that the second takes over from. */
struct runs {
    struct engine_run before;
    struct engine_run after;
    struct engine_run reloaded;
};

static bool is_of(const struct iv_baseline *baseline, const struct iv_rule *rule)
{
    return iv_baseline_rule(baseline, rule->id) == rule;
}

/* Whether a rule of one stands in the other, too. */
static bool stays(const struct iv_rule *rule, const struct iv_baseline *other)
{
    const struct iv_rule *same = iv_baseline_rule(other, rule->id);
    return same != NULL && memcmp(same->digest, rule->digest, sizeof rule->digest) == 0;
}

static bool has(const struct engine_run *run, const struct emission *wanted, bool same_moment)
{
    for (size_t i = 0; i < run->emission_count; i++) {
        const struct emission *e = &run->emissions[i];
        bool same = memcmp(e->uid, wanted->uid, sizeof e->uid) == 0 && e->kind == wanted->kind &&
                    e->time == wanted->time && e->waived == wanted->waived;
        if (same &&
            (!same_moment || (e->after == wanted->after && e->witness_total == wanted->witness_total))) {
            return true;
        }
    }
    return false;
}

static bool complain(struct iv_buf *why, const struct emission *e, const char *words)
{
    iv_buf_printf(why, "  " IV_STR_FMT " " IV_STR_FMT "/" IV_STR_FMT " when %zu records had arrived: %s\n",
                  IV_STR_ARG(e->rule->id), IV_STR_ARG(e->source), IV_STR_ARG(e->id), e->after, words);
    return false;
}

/* What was said must be what one of the others says; see above of which. */
static bool says_nothing_wrong(struct iv_buf *why, const struct trial *trial, const struct change *c,
                               const struct runs *runs)
{
    for (size_t i = 0; i < runs->reloaded.emission_count; i++) {
        const struct emission *e = &runs->reloaded.emissions[i];
        bool old = is_of(trial->baseline, e->rule);
        if (old || stays(e->rule, trial->baseline)) {
            if (!has(&runs->before, e, true)) {
                return complain(why, e, "is not said without the reload, or at another moment");
            }
        } else if (e->kind == IV_VIOLATED && !has(&runs->after, e, false)) {
            return complain(why, e, "is no violation of the new rule");
        }
    }
    (void)c;
    return true;
}

static bool says_all(struct iv_buf *why, const struct change *c, const struct runs *runs)
{
    for (size_t i = 0; i < runs->before.emission_count; i++) {
        const struct emission *e = &runs->before.emissions[i];
        bool due = stays(e->rule, c->after) || e->after <= c->reload_after;
        if (due && !has(&runs->reloaded, e, true)) {
            return complain(why, e, "is not said with the reload, or at another moment");
        }
    }
    return true;
}

static bool holds(struct iv_buf *why, struct trial *trial, const struct arrivals *arrivals, void *ctx)
{
    const struct change *c = ctx;
    const struct upheaval upheaval = {
        .dice = {trial->seed}, .restores = true, .reload = c->after, .reload_after = c->reload_after};
    struct runs runs = {{0}, {0}, {0}};
    const char *failure = engine_run(&runs.before, trial->baseline, &trial->world, arrivals, NULL, NULL);
    failure =
        failure != NULL ? failure : engine_run(&runs.after, c->after, &trial->world, arrivals, NULL, NULL);
    failure = failure != NULL
                  ? failure
                  : engine_run(&runs.reloaded, trial->baseline, &trial->world, arrivals, NULL, &upheaval);
    if (failure != NULL) {
        iv_buf_printf(why, "  %s: %s\n", failure, runs.reloaded.err.text);
    }
    bool good = failure == NULL && says_nothing_wrong(why, trial, c, &runs) && says_all(why, c, &runs);
    engine_run_deinit(&runs.before);
    engine_run_deinit(&runs.after);
    engine_run_deinit(&runs.reloaded);
    return good;
}

static bool law(struct trial *trial)
{
    struct iv_buf pack;
    iv_buf_init(&pack, 64u << 10);
    generate_changed_pack(&pack, &trial->dice, &trial->pack_yaml);
    struct arrivals arrivals = generate_arrivals(&trial->dice, &trial->world, &trial->arena);
    struct change change = {.after = trial_load(trial, &pack),
                            .reload_after = dice_below(&trial->dice, arrivals.count + 1)};
    bool passed = change.after != NULL && trial_try(trial, &arrivals, holds, &change);
    if (!passed) {
        printf("after %zu records:\n" IV_STR_FMT "\n", change.reload_after, IV_STR_ARG(iv_buf_slice(&pack)));
    }
    iv_baseline_unref(change.after);
    iv_buf_deinit(&pack);
    return passed;
}

int main(void)
{
    return trials_run(law);
}
