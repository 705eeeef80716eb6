/* SPDX-License-Identifier: Apache-2.0 */
#include "trial.h"

#include "base/clock.h"
#include "base/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WHY_MAX (1u << 20)

static void write_file(const char *folder, const char *name, const struct iv_buf *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    IV_CHECK(file != NULL && fwrite(text->p, 1, text->n, file) == text->n && fclose(file) == 0);
}

struct iv_baseline *trial_load(const struct trial *trial, const struct iv_buf *pack_yaml)
{
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    struct iv_baseline *baseline = NULL;
    struct iv_err err;
    write_file(trial->folder, "baseline.yaml", &trial->baseline_yaml);
    write_file(trial->folder, "pack.yaml", pack_yaml);
    IV_CHECK(iv_ok(iv_problems_new(&problems, &err)));
    if (iv_ok(iv_baseline_load(&baseline, iv_str_of(trial->folder), problems, &err))) {
        return baseline;
    }
    struct iv_buf text;
    iv_buf_init(&text, 1u << 20);
    iv_problems_render(&text, problems);
    printf("seed %llu: the baseline does not load: %s\n" IV_STR_FMT "\n" IV_STR_FMT "\n",
           (unsigned long long)trial->seed, err.text, IV_STR_ARG(iv_buf_slice(&text)),
           IV_STR_ARG(iv_buf_slice(pack_yaml)));
    iv_buf_deinit(&text);
    return NULL;
}

void trial_report(const struct trial *trial, const struct arrivals *arrivals, const struct iv_buf *why)
{
    printf("seed %llu (IV_SEED=%llu IV_SEEDS=1):\n" IV_STR_FMT "\n" IV_STR_FMT "\n" IV_STR_FMT "\n",
           (unsigned long long)trial->seed, (unsigned long long)trial->seed, IV_STR_ARG(iv_buf_slice(why)),
           IV_STR_ARG(iv_buf_slice(&trial->baseline_yaml)), IV_STR_ARG(iv_buf_slice(&trial->pack_yaml)));
    for (size_t i = 0; i < arrivals->count; i++) {
        const struct arrival *a = &arrivals->items[i];
        printf("%s[%d] " IV_STR_FMT "\n", iv_stream_name(a->stream), (int)a->partition, IV_STR_ARG(a->json));
    }
}

static void shrink(struct trial *trial, struct arrivals *arrivals, trial_holds_fn holds, void *ctx,
                   struct iv_buf *why)
{
    for (size_t i = arrivals->count; i-- > 0;) {
        struct arrival dropped = arrivals->items[i];
        size_t behind = arrivals->count - i - 1;
        memmove(&arrivals->items[i], &arrivals->items[i + 1], behind * sizeof dropped);
        arrivals->count--;
        struct iv_buf fewer;
        iv_buf_init(&fewer, WHY_MAX);
        if (holds(&fewer, trial, arrivals, ctx)) {
            memmove(&arrivals->items[i + 1], &arrivals->items[i], behind * sizeof dropped);
            arrivals->items[i] = dropped;
            arrivals->count++;
        } else {
            iv_buf_clear(why);
            iv_buf_str(why, iv_buf_slice(&fewer));
        }
        iv_buf_deinit(&fewer);
    }
}

bool trial_try(struct trial *trial, struct arrivals *arrivals, trial_holds_fn holds, void *ctx)
{
    struct iv_buf why;
    iv_buf_init(&why, WHY_MAX);
    bool held = holds(&why, trial, arrivals, ctx);
    if (!held) {
        shrink(trial, arrivals, holds, ctx, &why);
        trial_report(trial, arrivals, &why);
    }
    iv_buf_deinit(&why);
    return held;
}

static bool try_seed(uint64_t seed, const char *folder, bool (*law)(struct trial *trial))
{
    struct trial trial = {.seed = seed, .dice = {seed}, .every_moment = seed % 3 == 0, .folder = folder};
    bool passed = false;
    trial.world = generate_world(&trial.dice);
    iv_arena_init(&trial.arena, 0);
    iv_buf_init(&trial.baseline_yaml, 64u << 10);
    iv_buf_init(&trial.pack_yaml, 64u << 10);
    generate_baseline(&trial.baseline_yaml, &trial.dice, &trial.world);
    generate_pack(&trial.pack_yaml, &trial.dice, &trial.world);
    trial.baseline = trial_load(&trial, &trial.pack_yaml);
    if (trial.baseline != NULL) {
        trial.reference = reference_new(trial.baseline);
        passed = law(&trial);
    }
    reference_free(trial.reference);
    iv_baseline_unref(trial.baseline);
    iv_buf_deinit(&trial.baseline_yaml);
    iv_buf_deinit(&trial.pack_yaml);
    iv_arena_deinit(&trial.arena);
    return passed;
}

int trials_run(bool (*law)(struct trial *trial))
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
    (void)setvbuf(stdout, NULL, _IOLBF, 0); /* the seeds are known also of a run that was cut off */
    printf("seeds from %llu on\n", (unsigned long long)seed);
    while (passed + failed < most && failed < FAILURES_SHOWN && iv_monotonic(&clock) < end) {
        bool ok = try_seed(seed++, folder, law);
        passed += ok;
        failed += !ok;
    }

    char path[256];
    (void)snprintf(path, sizeof path, "%s/baseline.yaml", folder);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/pack.yaml", folder);
    (void)unlink(path);
    (void)rmdir(folder);
    printf("holds for %llu seeds, fails for %llu\n", (unsigned long long)passed, (unsigned long long)failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}
