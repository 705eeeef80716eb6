/* SPDX-License-Identifier: Apache-2.0 */
/* The engine agrees with the reference on random baselines and streams, in any order of arrival, at every
 * moment, and so do two engines that share the rules. Environment: IV_SEED=n begins there (else at random);
 * IV_SEEDS=n tries so many (else as many as fit into 20 seconds, or ten minutes with IV_LONG=1). What fails
 * is told with its seed, and with the fewest records that still show it. */
#include "compare.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RULE_WORDS 4

struct trial {
    uint64_t seed;
    struct world world;
    struct iv_buf baseline_yaml;
    struct iv_buf pack_yaml;
    struct iv_baseline *baseline;
    struct reference *reference;
    bool every_moment;
};

static void write_file(const char *folder, const char *name, const struct iv_buf *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    IV_CHECK(file != NULL && fwrite(text->p, 1, text->n, file) == text->n && fclose(file) == 0);
}

static bool load(struct trial *trial, const char *folder)
{
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    struct iv_err err;
    write_file(folder, "baseline.yaml", &trial->baseline_yaml);
    write_file(folder, "pack.yaml", &trial->pack_yaml);
    IV_CHECK(iv_ok(iv_problems_new(&problems, &err)));
    if (iv_ok(iv_baseline_load(&trial->baseline, iv_str_of(folder), problems, &err))) {
        trial->reference = reference_new(trial->baseline);
        return true;
    }
    struct iv_buf text;
    iv_buf_init(&text, 1u << 20);
    iv_problems_render(&text, problems);
    printf("seed %llu: the baseline does not load: %s\n" IV_STR_FMT "\n", (unsigned long long)trial->seed,
           err.text, IV_STR_ARG(iv_buf_slice(&text)));
    iv_buf_deinit(&text);
    return false;
}

/* One order of arrival, held against the reference. split NULL: one engine has all rules. */
static bool try_order(struct iv_buf *why, struct trial *trial, const struct arrivals *arrivals,
                      const struct split *split, struct engine_run *run)
{
    const char *failure = engine_run(run, trial->baseline, &trial->world, arrivals, split);
    if (failure != NULL) {
        iv_buf_printf(why, "  %s\n", failure);
        return false;
    }
    return compare_verdicts(why, trial->reference, run) &&
           (!trial->every_moment ||
            compare_moments(why, trial->reference, trial->baseline, &trial->world, run));
}

/* Drops records one by one as long as what is left still fails. */
static void shrink(struct trial *trial, struct arrivals *arrivals, const struct split *split,
                   struct iv_buf *why)
{
    for (size_t i = arrivals->count; i-- > 0;) {
        struct arrival dropped = arrivals->items[i];
        size_t behind = arrivals->count - i - 1;
        memmove(&arrivals->items[i], &arrivals->items[i + 1], behind * sizeof dropped);
        arrivals->count--;
        struct engine_run run;
        struct iv_buf fewer;
        iv_buf_init(&fewer, 1u << 20);
        if (try_order(&fewer, trial, arrivals, split, &run)) {
            memmove(&arrivals->items[i + 1], &arrivals->items[i], behind * sizeof dropped);
            arrivals->items[i] = dropped;
            arrivals->count++;
        } else {
            iv_buf_clear(why);
            iv_buf_str(why, iv_buf_slice(&fewer));
        }
        iv_buf_deinit(&fewer);
        engine_run_deinit(&run);
    }
}

static void report(const struct trial *trial, const struct arrivals *arrivals, const struct iv_buf *why)
{
    printf("seed %llu (IV_SEED=%llu IV_SEEDS=1):\n" IV_STR_FMT "\n" IV_STR_FMT "\n" IV_STR_FMT "\n",
           (unsigned long long)trial->seed, (unsigned long long)trial->seed, IV_STR_ARG(iv_buf_slice(why)),
           IV_STR_ARG(iv_buf_slice(&trial->baseline_yaml)), IV_STR_ARG(iv_buf_slice(&trial->pack_yaml)));
    for (size_t i = 0; i < arrivals->count; i++) {
        const struct arrival *a = &arrivals->items[i];
        printf("%s[%d] " IV_STR_FMT "\n", iv_stream_name(a->stream), (int)a->partition, IV_STR_ARG(a->json));
    }
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

static bool try_orders(struct trial *trial, struct arrivals *first, struct arrivals *second)
{
    struct engine_run a = {0};
    struct engine_run b = {0};
    struct engine_run c = {0};
    uint64_t bits[RULE_WORDS];
    IV_CHECK(trial->baseline->rule_count <= RULE_WORDS * 64);
    const struct split split = random_split(bits, RULE_WORDS, trial->baseline, trial->seed);
    struct iv_buf why;
    iv_buf_init(&why, 1u << 20);
    bool passed = true;
    if (!try_order(&why, trial, first, NULL, &a)) {
        shrink(trial, first, NULL, &why);
        report(trial, first, &why);
        passed = false;
    } else if (!try_order(&why, trial, second, NULL, &b)) {
        shrink(trial, second, NULL, &why);
        report(trial, second, &why);
        passed = false;
    } else if (!try_order(&why, trial, first, &split, &c)) {
        shrink(trial, first, &split, &why);
        iv_buf_text(&why, "  by two engines that share the rules\n");
        report(trial, first, &why);
        passed = false;
    } else if (!compare_runs(&why, &a, &b) || !compare_runs(&why, &a, &c) || !compare_when(&why, &a, &c)) {
        report(trial, first, &why);
        passed = false;
    }
    engine_run_deinit(&a);
    engine_run_deinit(&b);
    engine_run_deinit(&c);
    iv_buf_deinit(&why);
    return passed;
}

static bool try_seed(uint64_t seed, const char *folder)
{
    struct dice dice = {seed};
    struct trial trial = {.seed = seed, .world = generate_world(&dice), .every_moment = seed % 3 == 0};
    struct iv_arena arena;
    iv_arena_init(&arena, 0);
    iv_buf_init(&trial.baseline_yaml, 64u << 10);
    iv_buf_init(&trial.pack_yaml, 64u << 10);
    generate_baseline(&trial.baseline_yaml, &dice, &trial.world);
    generate_pack(&trial.pack_yaml, &dice);
    bool passed = false;
    if (load(&trial, folder)) {
        struct arrivals first = generate_arrivals(&dice, &trial.world, &arena);
        struct arrivals second = generate_rearrangement(&dice, &trial.world, &first, &arena);
        passed = try_orders(&trial, &first, &second);
    } else {
        printf(IV_STR_FMT, IV_STR_ARG(iv_buf_slice(&trial.pack_yaml)));
    }
    reference_free(trial.reference);
    iv_baseline_unref(trial.baseline);
    iv_buf_deinit(&trial.baseline_yaml);
    iv_buf_deinit(&trial.pack_yaml);
    iv_arena_deinit(&arena);
    return passed;
}

int main(void)
{
    enum { SECONDS = 20, SECONDS_LONG = 600, FAILURES_SHOWN = 3 };
    char folder[] = "/tmp/invigil-property-XXXXXX";
    struct iv_clock clock = iv_clock_system();
    const char *seed_text = getenv("IV_SEED");
    const char *seeds_text = getenv("IV_SEEDS");
    uint64_t seed = seed_text != NULL ? strtoull(seed_text, NULL, 10) : iv_hash_key_random().k0 % 1000000000;
    uint64_t most = seeds_text != NULL ? strtoull(seeds_text, NULL, 10) : UINT64_MAX;
    iv_ns length = (getenv("IV_LONG") != NULL ? SECONDS_LONG : SECONDS) * IV_NS_PER_S;
    iv_ns end = iv_ns_add(iv_monotonic(&clock), seeds_text != NULL ? IV_NS_MAX : length);
    IV_CHECK(mkdtemp(folder) != NULL);

    uint64_t passed = 0;
    uint64_t failed = 0;
    printf("seeds from %llu on\n", (unsigned long long)seed);
    while (passed + failed < most && failed < FAILURES_SHOWN && iv_monotonic(&clock) < end) {
        bool ok = try_seed(seed++, folder);
        passed += ok;
        failed += !ok;
    }

    char path[256];
    (void)snprintf(path, sizeof path, "%s/baseline.yaml", folder);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/pack.yaml", folder);
    (void)unlink(path);
    (void)rmdir(folder);
    printf("agreed on %llu seeds, disagreed on %llu\n", (unsigned long long)passed,
           (unsigned long long)failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}
