/* SPDX-License-Identifier: Apache-2.0 */
/* Fronts and backs with the exchange between them say what one engine says that reads everything: however
 * they take turns, wherever one of them is killed and goes on from an older snapshot, whoever goes on reading
 * that was thought to be dead. */
#include "base/guard.h"
#include "exchange_world.h"
#include "trial.h"

#include <stdio.h>
#include <stdlib.h>

static int by_text(const void *a, const void *b)
{
    return iv_str_cmp(*(const struct iv_str *)a, *(const struct iv_str *)b);
}

/* Sorted, each line once: a verdict that is said again is the same verdict. */
static size_t distinct(struct said *said)
{
    size_t n = 0;
    qsort(said->lines, said->count, sizeof *said->lines, by_text);
    for (size_t i = 0; i < said->count; i++) {
        if (n == 0 || !iv_str_eq(said->lines[n - 1], said->lines[i])) {
            said->lines[n++] = said->lines[i];
        }
    }
    return said->count = n;
}

static bool same_lines(struct iv_buf *why, struct said *one, struct said *many)
{
    size_t n = distinct(one);
    size_t m = distinct(many);
    size_t i = 0;
    size_t j = 0;
    while (i < n && j < m && iv_str_eq(one->lines[i], many->lines[j])) {
        i++;
        j++;
    }
    if (i == n && j == m) {
        return true;
    }
    bool missing = j == m || (i < n && iv_str_cmp(one->lines[i], many->lines[j]) < 0);
    iv_buf_printf(why, "  through the exchange %s: " IV_STR_FMT "\n", missing ? "is not said" : "is said",
                  IV_STR_ARG(missing ? one->lines[i] : many->lines[j]));
    return false;
}

static bool holds(struct iv_buf *why, struct trial *trial, const struct arrivals *arrivals, void *ctx)
{
    (void)ctx;
    struct said one = {.baseline = trial->baseline, .arrivals = arrivals};
    struct said many = {.baseline = trial->baseline, .arrivals = arrivals};
    iv_arena_init(&one.arena, 0);
    iv_arena_init(&many.arena, 0);
    struct iv_err err = {.text = ""};
    bool ran = iv_ok(run_whole(&one, trial->baseline, &trial->world, &err)) &&
               iv_ok(run_exchange(&many, trial->baseline, &trial->world, trial->seed, &err));
    if (!ran) {
        iv_buf_printf(why, "  %s\n", err.text);
    }
    bool good = ran && same_lines(why, &one, &many);
    said_deinit(&one);
    said_deinit(&many);
    return good;
}

static bool law(struct trial *trial)
{
    if (trial->world.partitions[IV_LEDGER] == 0) {
        return true; /* where a stream has no partitions, it ends where the others do */
    }
    struct arrivals first = generate_arrivals(&trial->dice, &trial->world, &trial->arena);
    int32_t partitions = 1 + (int32_t)dice_below(&trial->dice, 4);
    struct arrivals arrivals = by_tenant(&first, &trial->world, partitions, trial->baseline, &trial->arena);
    return trial_try(trial, &arrivals, holds, NULL);
}

int main(void)
{
    int status = trials_run(law);
    return exchange_coverage() ? status : 1;
}
