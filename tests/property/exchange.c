/* SPDX-License-Identifier: Apache-2.0 */
/* Fronts and backs with the exchange between them say what one engine says that reads everything: however
 * they take turns, wherever one of them is killed and goes on from an older snapshot, whoever goes on reading
 * that was thought to be dead. While a changed baseline goes round, the rules that stay say the same, and
 * nobody is convicted but by the one baseline or the other. Where packets are lost nobody is convicted
 * without reason. */
#include "base/guard.h"
#include "exchange_world.h"
#include "trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b)
{
    return iv_str_cmp(*(const struct iv_str *)a, *(const struct iv_str *)b);
}

/* Sorted, each line once: a verdict that is said again is the same verdict. */
static size_t distinct(struct said *said)
{
    size_t n = 0;
    if (said->count == 0) {
        return 0;
    }
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

static struct said nothing_said(const struct trial *trial, const struct arrivals *arrivals)
{
    struct said said = {.baseline = trial->baseline, .arrivals = arrivals};
    iv_arena_init(&said.arena, 0);
    return said;
}

static bool holds(struct iv_buf *why, struct trial *trial, const struct arrivals *arrivals, void *ctx)
{
    (void)ctx;
    const struct circumstances none = {.before = trial->baseline};
    struct said one = nothing_said(trial, arrivals);
    struct said many = nothing_said(trial, arrivals);
    struct iv_err err = {.text = ""};
    bool ran = iv_ok(run_whole(&one, trial->baseline, &trial->world, &err)) &&
               iv_ok(run_exchange(&many, &none, &trial->world, trial->seed, &err));
    if (!ran) {
        iv_buf_printf(why, "  %s\n", err.text);
    }
    bool good = ran && same_lines(why, &one, &many);
    said_deinit(&one);
    said_deinit(&many);
    return good;
}

static bool has(const struct said *said, struct iv_str line)
{
    return said->count > 0 && bsearch(&line, said->lines, said->count, sizeof line, by_text) != NULL;
}

/* A line begins with the rule's id and the verdict's kind. */
static const struct iv_rule *rule_of(const struct iv_baseline *baseline, struct iv_str line, bool *violated)
{
    struct iv_str id = {line.p, (size_t)((const char *)memchr(line.p, ' ', line.n) - line.p)};
    *violated = line.p[id.n + 1] == '0' + IV_VIOLATED;
    return iv_baseline_rule(baseline, id);
}

static bool stays(const struct circumstances *change, struct iv_str line, bool *violated)
{
    const struct iv_rule *before = rule_of(change->before, line, violated);
    const struct iv_rule *after = rule_of(change->after, line, violated);
    return before != NULL && after != NULL &&
           memcmp(before->digest, after->digest, sizeof before->digest) == 0;
}

static bool tell_line(struct iv_buf *why, const char *words, struct iv_str line)
{
    iv_buf_printf(why, "  while others have another baseline, %s: " IV_STR_FMT "\n", words, IV_STR_ARG(line));
    return false;
}

/* Rules that stay say what they say without the change; of the others a violation is one under the one
 * baseline or the other. */
static bool fits_change(struct iv_buf *why, const struct circumstances *change, struct said *before,
                        struct said *after, struct said *many)
{
    bool violated = false;
    (void)distinct(before);
    (void)distinct(after);
    (void)distinct(many);
    for (size_t i = 0; i < before->count; i++) {
        if (stays(change, before->lines[i], &violated) && !has(many, before->lines[i])) {
            return tell_line(why, "is not said", before->lines[i]);
        }
    }
    for (size_t i = 0; i < many->count; i++) {
        bool stay = stays(change, many->lines[i], &violated);
        bool known = has(before, many->lines[i]) || (!stay && has(after, many->lines[i]));
        if (!known && (stay || violated)) {
            return tell_line(why, "is said", many->lines[i]);
        }
    }
    return true;
}

static bool holds_while_rules_change(struct iv_buf *why, struct trial *trial, const struct arrivals *arrivals,
                                     void *ctx)
{
    const struct circumstances *change = ctx;
    struct said before = nothing_said(trial, arrivals);
    struct said after = nothing_said(trial, arrivals);
    struct said many = nothing_said(trial, arrivals);
    struct iv_err err = {.text = ""};
    bool ran = iv_ok(run_whole(&before, change->before, &trial->world, &err)) &&
               iv_ok(run_whole(&after, change->after, &trial->world, &err)) &&
               iv_ok(run_exchange(&many, change, &trial->world, trial->seed, &err));
    if (!ran) {
        iv_buf_printf(why, "  %s\n", err.text);
    }
    bool good = ran && fits_change(why, change, &before, &after, &many);
    said_deinit(&before);
    said_deinit(&after);
    said_deinit(&many);
    return good;
}

/* Where packets are lost, violations may be; none is invented. */
static bool invents_nothing(struct iv_buf *why, struct trial *trial, const struct arrivals *arrivals,
                            void *ctx)
{
    (void)ctx;
    const struct circumstances lossy = {.before = trial->baseline, .loses = true};
    struct said one = nothing_said(trial, arrivals);
    struct said many = nothing_said(trial, arrivals);
    struct iv_err err = {.text = ""};
    bool good = iv_ok(run_whole(&one, trial->baseline, &trial->world, &err)) &&
                iv_ok(run_exchange(&many, &lossy, &trial->world, trial->seed, &err));
    if (!good) {
        iv_buf_printf(why, "  %s\n", err.text);
    }
    (void)distinct(&one);
    for (size_t i = 0; i < many.count && good; i++) {
        bool violated = false;
        (void)rule_of(trial->baseline, many.lines[i], &violated);
        good = !violated || has(&one, many.lines[i]) ||
               tell_line(why, "or packets are lost is said", many.lines[i]);
    }
    said_deinit(&one);
    said_deinit(&many);
    return good;
}

static bool law(struct trial *trial)
{
    if (trial->world.partitions[IV_LEDGER] == 0) {
        return true; /* where a stream has no partitions, it ends where the others do */
    }
    struct iv_buf pack;
    struct arrivals first = generate_arrivals(&trial->dice, &trial->world, &trial->arena);
    int32_t partitions = 1 + (int32_t)dice_below(&trial->dice, 4);
    struct arrivals arrivals = by_tenant(&first, &trial->world, partitions, trial->baseline, &trial->arena);
    bool good =
        trial_try(trial, &arrivals, holds, NULL) && trial_try(trial, &arrivals, invents_nothing, NULL);
    iv_buf_init(&pack, 64u << 10);
    generate_changed_pack(&pack, &trial->dice, &trial->pack_yaml);
    struct circumstances change = {.before = trial->baseline, .after = trial_load(trial, &pack)};
    good = good && change.after != NULL && trial_try(trial, &arrivals, holds_while_rules_change, &change);
    if (!good) {
        printf("changed to:\n" IV_STR_FMT "\n", IV_STR_ARG(iv_buf_slice(&pack)));
    }
    iv_baseline_unref(change.after);
    iv_buf_deinit(&pack);
    return good;
}

int main(void)
{
    int status = trials_run(law);
    return exchange_coverage() ? status : 1;
}
