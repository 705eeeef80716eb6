/* SPDX-License-Identifier: Apache-2.0 */
/* The engine agrees with the reference on random baselines and streams: in any order of arrival, at every
 * moment, whatever is repeated; so do two engines that share the rules, and engines that are made anew from
 * their snapshots at random points, and one that passes no rule over. */
#include "base/guard.h"
#include "compare.h"
#include "coverage.h"
#include "trial.h"

#define RULE_WORDS 4

/* One way to run the engine, and what it said. */
struct way {
    const char *words;
    const struct split *split;       /* NULL: one engine has all rules */
    const struct upheaval *upheaval; /* NULL: none */
    struct engine_run run;
};

static bool agrees(struct iv_buf *why, struct trial *trial, const struct arrivals *arrivals, void *ctx)
{
    struct way *way = ctx;
    engine_run_deinit(&way->run);
    const char *failure =
        engine_run(&way->run, trial->baseline, &trial->world, arrivals, way->split, way->upheaval);
    iv_buf_text(why, way->words);
    if (failure != NULL) {
        iv_buf_printf(why, "  %s: %s\n", failure, way->run.err.text);
    }
    return failure == NULL && compare_verdicts(why, trial->reference, &way->run) &&
           (!trial->every_moment ||
            compare_moments(why, trial->reference, trial->baseline, &trial->world, &way->run, NULL));
}

/* Any rules but EVT-001 can be another engine's. */
static struct split random_split(uint64_t *bits, size_t words, const struct iv_baseline *baseline,
                                 uint64_t seed)
{
    struct split split = {.dice = {~seed}, .second = bits};
    for (size_t i = 0; i < words; i++) {
        bits[i] = dice_next(&split.dice);
    }
    uint16_t equivocation = baseline->equivocation->index;
    bits[equivocation / 64] &= ~(UINT64_C(1) << (equivocation % 64));
    return split;
}

enum { FIRST, REARRANGED, REPEATED, SHARED, RESTORED, SHARED_RESTORED, UNGATED, WAYS };

/* Without asking the reference: the same verdicts, and where only repetition or the engines differ, each at
 * the same record. */
static bool alike(const struct trial *trial, const struct arrivals *first, const struct way ways[WAYS])
{
    struct iv_buf why;
    iv_buf_init(&why, 1u << 20);
    bool same = true;
    for (int i = FIRST + 1; i < WAYS && same; i++) {
        same = compare_runs(&why, &ways[FIRST].run, &ways[i].run) &&
               (i < SHARED || compare_when(&why, &ways[FIRST].run, &ways[i].run));
    }
    same = same && compare_figures(&why, trial->baseline, &ways[FIRST].run, &ways[UNGATED].run);
    if (!same) {
        trial_report(trial, first, &why);
    }
    iv_buf_deinit(&why);
    return same;
}

static bool law(struct trial *trial)
{
    uint64_t bits[RULE_WORDS];
    IV_CHECK(trial->baseline->rule_count <= RULE_WORDS * 64);
    const struct split split = random_split(bits, RULE_WORDS, trial->baseline, trial->seed);
    struct arrivals first = generate_arrivals(&trial->dice, &trial->world, &trial->arena);
    struct arrivals second = generate_rearrangement(&trial->dice, &trial->world, &first, &trial->arena);
    struct arrivals third = generate_repetition(&trial->dice, &trial->world, &first, &trial->arena);
    const struct upheaval restores = {.dice = {trial->seed ^ UINT64_C(0x5eed)}, .restores = true};
    const struct upheaval ungated = {.no_gates = true};
    struct arrivals *arrivals[WAYS] = {&first, &second, &third, &first, &first, &first, &first};
    struct way ways[WAYS] = {
        [FIRST] = {.words = ""},
        [REARRANGED] = {.words = "  in another order of arrival\n"},
        [REPEATED] = {.words = "  with repetitions\n"},
        [SHARED] = {"  by two engines that share the rules\n", &split, NULL, {0}},
        [RESTORED] = {"  by an engine made anew from its snapshots\n", NULL, &restores, {0}},
        [SHARED_RESTORED] = {"  by two engines made anew from their snapshots\n", &split, &restores, {0}},
        [UNGATED] = {"  by an engine that looks at every rule\n", NULL, &ungated, {0}},
    };
    bool passed = true;
    for (int i = 0; i < WAYS && passed; i++) {
        passed = trial_try(trial, arrivals[i], agrees, &ways[i]);
    }
    passed = passed && alike(trial, &first, ways);
    coverage_note(trial, &ways[FIRST].run);
    for (int i = 0; i < WAYS; i++) {
        engine_run_deinit(&ways[i].run);
    }
    return passed;
}

int main(void)
{
    int status = trials_run(law);
    return coverage_print() ? status : 1;
}
