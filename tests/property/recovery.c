/* SPDX-License-Identifier: Apache-2.0 */
/* A worker that dies anywhere and goes on from its newest snapshot, as often as it may be, says what one says
 * that never died: the same verdicts under the same uids, none lost, and none that is another; and it has
 * counted the same populations, told at whatever moments.
 * Snapshots are taken as the daemon does it: by a child, beside the stream, under a name only when released.
 */
#include "base/alloc.h"
#include "base/guard.h"
#include "detect/saver.h"
#include "event/decode.h"
#include "trial.h"
#include "vault/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CELL IV_STR("all")
#define LONG_ENOUGH (100 * IV_NS_PER_S)
#define SAVED_ONE_IN 40
#define DIES_ONE_IN 60
#define TELLS_ONE_IN 25
#define POPULATIONS_MOST 8192

struct verdict {
    unsigned char uid[IV_UID_BYTES];
    enum iv_verdict_kind kind;
};

struct population {
    uint16_t rule;
    iv_ns hour;
    uint64_t count;
};

struct life {
    struct trial *trial;
    const struct arrivals *arrivals;
    struct dice dice;
    bool mortal;
    const char *folder;
    struct iv_judge *judge;
    struct iv_decoder *decoder;
    struct iv_saver *saver;
    struct iv_arena arena;
    size_t next;  /* of the arrivals */
    size_t saves; /* begun */
    size_t deaths;
    struct verdict *said;
    size_t said_count;
    size_t said_room;
    struct population *populations; /* as the store keeps them: the greatest that was told */
    size_t population_count;
};

static void on_verdict(void *ctx, const struct iv_verdict *v)
{
    struct life *l = ctx;
    if (l->said_count == l->said_room) {
        l->said_room = l->said_room == 0 ? 64 : l->said_room * 2;
        l->said = iv_realloc(l->said, l->said_room * sizeof *l->said);
        IV_CHECK(l->said != NULL);
    }
    struct verdict *to = &l->said[l->said_count++];
    memset(to, 0, sizeof *to);
    memcpy(to->uid, v->uid, sizeof to->uid);
    to->kind = v->kind;
}

static void on_populated(void *ctx, const struct iv_populated *told)
{
    struct life *l = ctx;
    size_t i = 0;
    while (i < l->population_count &&
           (l->populations[i].rule != told->rule->index || l->populations[i].hour != told->hour)) {
        i++;
    }
    if (told->count == 0) {
        IV_CHECK(told->since == IV_NS_MIN);
        return;
    }
    IV_CHECK(i < POPULATIONS_MOST);
    if (i == l->population_count) {
        l->populations[l->population_count++] = (struct population){told->rule->index, told->hour, 0};
    }
    uint64_t *count = &l->populations[i].count;
    *count = told->count > *count ? told->count : *count;
}

static void appoint(struct life *l, const struct iv_vault_reader *r)
{
    struct iv_err err = {.text = ""};
    struct iv_judge_options judge = {.baseline = l->trial->baseline,
                                     .verdict = on_verdict,
                                     .populated = on_populated,
                                     .ctx = l,
                                     .digests = true,
                                     .hash_key = {l->trial->seed, l->deaths}};
    for (size_t i = 0; r != NULL && i < r->head.engine_count; i++) {
        judge.bytes[i] = r->engines[i];
    }
    IV_CHECK(iv_ok(iv_judge_new(&l->judge, &judge, &err)));
    IV_CHECK(iv_ok(iv_decoder_new(&l->decoder, l->trial->baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT,
                                  iv_judge_hash_key(l->judge), &err)));
    for (int s = 0; s < IV_STREAMS && r == NULL; s++) {
        for (int32_t p = 0; p < l->trial->world.partitions[s]; p++) {
            IV_CHECK(iv_ok(iv_judge_open(l->judge, (enum iv_stream)s, p, &err)));
        }
    }
}

static iv_rc take(void *ctx, struct iv_vault_reader *r, struct iv_err *err)
{
    struct life *l = ctx;
    (void)err;
    l->next = (size_t)r->head.places[0].next;
    appoint(l, r);
    return IV_OK;
}

static void be_born(struct life *l)
{
    struct iv_err err = {.text = ""};
    const struct iv_saver_options saver = {.folder = iv_str_of(l->folder),
                                           .every = IV_NS_PER_S,
                                           .keep = 1 + dice_below(&l->dice, 2),
                                           .clock = iv_clock_system()};
    IV_CHECK(iv_ok(iv_vault_folder_open(saver.folder, &err)));
    IV_CHECK(iv_ok(iv_saver_new(&l->saver, &saver, &err)));
    struct iv_rc_s rc = iv_saver_restore(l->saver, CELL, take, l, &err);
    IV_CHECK(iv_ok(rc) || rc.code == IV_E_ABSENT);
    if (!iv_ok(rc)) {
        l->next = 0;
        appoint(l, NULL);
    }
}

static void die(struct life *l)
{
    l->deaths++;
    iv_saver_free(TAKE(l->saver));
    iv_judge_free(TAKE(l->judge));
    iv_decoder_free(TAKE(l->decoder));
}

static void feed(struct life *l, size_t number)
{
    const struct arrival *a = &l->arrivals->items[number];
    struct iv_err err = {.text = ""};
    struct iv_event event;
    iv_arena_reset(&l->arena);
    struct iv_record record = {
        .origin = {a->stream, a->partition, (int64_t)number, iv_str_of(iv_stream_name(a->stream))},
        .bytes = a->json};
    IV_CHECK(iv_ok(iv_decode(l->decoder, &record, &l->arena, &event, &err)));
    IV_CHECK(iv_ok(iv_judge_event(l->judge, &event, &err)));
}

/* What became of the one before, then perhaps another. */
static void see_to_snapshots(struct life *l)
{
    struct iv_err err = {.text = ""};
    if (iv_saver_busy(l->saver)) {
        if (dice_one_in(&l->dice, 4)) {
            iv_saver_release(l->saver);
            IV_CHECK(iv_saver_wait(l->saver, LONG_ENOUGH, &err) == IV_SAVER_KEPT);
        }
        return;
    }
    if (!dice_one_in(&l->dice, SAVED_ONE_IN)) {
        return;
    }
    struct iv_vault_place place = {IV_STR("all"), 0, (int64_t)l->next};
    const struct iv_saver_cell cell = {
        .name = CELL, .judge = l->judge, .baseline = IV_STR("-"), .places = &place, .place_count = 1};
    IV_CHECK(iv_ok(iv_saver_begin(l->saver, &cell, 1, &err)));
    l->saves++;
}

static void clean(const char *folder)
{
    struct iv_err err;
    IV_CHECK(iv_ok(iv_vault_folder_open(iv_str_of(folder), &err)));
    IV_CHECK(iv_ok(iv_vault_folder_prune(iv_str_of(folder), CELL, 0, &err)));
}

static int by_uid(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct verdict));
}

/* As the store keeps them: each once. */
static void settle(struct life *l)
{
    size_t n = 0;
    if (l->said_count > 0) {
        qsort(l->said, l->said_count, sizeof *l->said, by_uid);
    }
    for (size_t i = 0; i < l->said_count; i++) {
        if (n == 0 || by_uid(&l->said[n - 1], &l->said[i]) != 0) {
            l->said[n++] = l->said[i];
        }
    }
    l->said_count = n;
}

static int by_rule_and_hour(const void *a, const void *b)
{
    const struct population *x = a;
    const struct population *y = b;
    return x->rule != y->rule ? (x->rule > y->rule) - (x->rule < y->rule)
                              : (x->hour > y->hour) - (x->hour < y->hour);
}

static bool counted_the_same(const struct life *a, const struct life *b)
{
    bool same = a->population_count == b->population_count;
    for (size_t i = 0; same && i < a->population_count; i++) {
        same = by_rule_and_hour(&a->populations[i], &b->populations[i]) == 0 &&
               a->populations[i].count == b->populations[i].count;
    }
    return same;
}

static void live(struct life *l)
{
    struct iv_err err = {.text = ""};
    l->populations = iv_calloc(POPULATIONS_MOST, sizeof *l->populations);
    IV_CHECK(l->populations != NULL);
    iv_arena_init(&l->arena, 0);
    be_born(l);
    while (l->next < l->arrivals->count) {
        feed(l, l->next++);
        if (l->mortal) {
            see_to_snapshots(l);
        }
        if (l->mortal && dice_one_in(&l->dice, TELLS_ONE_IN)) {
            iv_judge_populations(l->judge);
        }
        if (l->mortal && dice_one_in(&l->dice, DIES_ONE_IN)) {
            die(l);
            be_born(l);
        }
    }
    IV_CHECK(iv_ok(iv_judge_finish(l->judge, &err)));
    iv_judge_populations(l->judge);
    qsort(l->populations, l->population_count, sizeof *l->populations, by_rule_and_hour);
    die(l);
    clean(l->folder);
    settle(l);
    iv_arena_deinit(&l->arena);
}

static bool holds(struct iv_buf *why, struct trial *trial, const struct arrivals *arrivals, void *ctx)
{
    const char *folder = ctx;
    struct life one = {.trial = trial, .arrivals = arrivals, .dice = {trial->seed}, .folder = folder};
    struct life many = one;
    many.mortal = true;
    live(&one);
    live(&many);
    bool good = one.said_count == many.said_count &&
                (one.said_count == 0 || memcmp(one.said, many.said, one.said_count * sizeof *one.said) == 0);
    if (!good) {
        iv_buf_printf(why, "  %zu verdicts of one life, %zu of %zu lives with %zu snapshots\n",
                      one.said_count, many.said_count, many.deaths, many.saves);
    }
    if (good && !counted_the_same(&one, &many)) {
        good = false;
        iv_buf_printf(why,
                      "  populations of one life are others than those of %zu lives with %zu snapshots\n",
                      many.deaths, many.saves);
    }
    iv_free(one.populations);
    iv_free(many.populations);
    iv_free(one.said);
    iv_free(many.said);
    return good;
}

static bool law(struct trial *trial)
{
    static char folder[] = "/tmp/invigil-recovery-XXXXXX";
    static bool made;
    IV_CHECK(made || mkdtemp(folder) != NULL);
    made = true;
    struct arrivals arrivals = generate_arrivals(&trial->dice, &trial->world, &trial->arena);
    bool passed = trial_try(trial, &arrivals, holds, folder);
    (void)rmdir(folder);
    return passed;
}

int main(void)
{
    return trials_run(law);
}
