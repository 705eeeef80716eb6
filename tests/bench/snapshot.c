/* SPDX-License-Identifier: Apache-2.0 */
/* BASELINE FOLDER ENTITIES: has the engines remember so many entities (tokens that are issued and wait for
 * their end), saves them beside the stream while it goes on, and makes engines from what was saved. Prints
 * how long the stream stood still, its slowest call while the child wrote, how long and how large the
 * snapshot was, and how long it took to go on from it. All times are of the wall: a pause is what somebody
 * waits. */
#include "base/buf.h"
#include "base/guard.h"
#include "detect/saver.h"
#include "event/decode.h"
#include "stand.h"
#include "vault/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define SPACING_NS INT64_C(10000)
#define LOOK_EVERY 256 /* events */
#define CELL IV_STR("bench")

struct bench {
    struct iv_clock clock;
    struct iv_baseline *baseline;
    struct iv_decoder *decoder;
    struct iv_judge *judge;
    struct iv_saver *saver;
    struct iv_arena arena;
    struct iv_buf json;
    uint64_t sequence;
    iv_ns longest; /* of the calls so far */
    iv_ns pause;   /* of the thread */
    iv_ns restored;
};

static iv_ns worked(void)
{
    struct timespec t;
    IV_CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
    return (iv_ns)t.tv_sec * IV_NS_PER_S + t.tv_nsec;
}

static double worked_by_children(void)
{
    struct rusage u;
    IV_CHECK(getrusage(RUSAGE_CHILDREN, &u) == 0);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void no_verdict(void *ctx, const struct iv_verdict *verdict)
{
    (void)ctx;
    (void)verdict;
}

static void feed(struct bench *b)
{
    struct iv_err err;
    struct iv_event event;
    stand_write_token(&b->json, "token.issued", b->sequence, STAND_START_NS + (iv_ns)b->sequence * SPACING_NS,
                      STAND_START_NS + 3600 * IV_NS_PER_S);
    b->sequence++;
    iv_arena_reset(&b->arena);
    struct iv_record record = {.origin = {IV_TELEMETRY, 0, (int64_t)b->sequence, IV_STR("telemetry")},
                               .bytes = iv_arena_str(&b->arena, iv_buf_slice(&b->json))};
    IV_CHECK(iv_ok(iv_decode(b->decoder, &record, &b->arena, &event, &err)));
    iv_ns before = worked();
    IV_CHECK(iv_ok(iv_judge_event(b->judge, &event, &err)));
    iv_ns took = worked() - before;
    b->longest = took > b->longest ? took : b->longest;
}

static struct iv_judge_options judging(struct bench *b)
{
    return (struct iv_judge_options){
        .baseline = b->baseline, .verdict = no_verdict, .ctx = b, .digests = true, .hash_key = {1, 2}};
}

static void open_bench(struct bench *b, const char *rules, const char *folder)
{
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    struct iv_err err = {.text = ""};
    b->clock = iv_clock_system();
    IV_CHECK(iv_ok(iv_problems_new(&problems, &err)));
    IV_CHECK(iv_ok(iv_baseline_load(&b->baseline, iv_str_of(rules), problems, &err)));
    struct iv_judge_options judge = judging(b);
    struct iv_saver_options saver = {
        .folder = iv_str_of(folder), .every = IV_NS_PER_S, .keep = 1, .clock = b->clock};
    IV_CHECK(iv_ok(iv_decoder_new(&b->decoder, b->baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT,
                                  judge.hash_key, &err)));
    IV_CHECK(iv_ok(iv_judge_new(&b->judge, &judge, &err)));
    IV_CHECK(iv_ok(iv_judge_open(b->judge, IV_TELEMETRY, 0, &err)));
    IV_CHECK(iv_ok(iv_vault_folder_open(saver.folder, &err)));
    IV_CHECK(iv_ok(iv_saver_new(&b->saver, &saver, &err)));
    iv_arena_init(&b->arena, 0);
    iv_buf_init(&b->json, 4096);
}

static void close_bench(struct bench *b)
{
    iv_saver_free(b->saver);
    iv_judge_free(b->judge);
    iv_decoder_free(b->decoder);
    iv_baseline_unref(b->baseline);
    iv_arena_deinit(&b->arena);
    iv_buf_deinit(&b->json);
}

/* The stream goes on until the snapshot is there. */
static void save(struct bench *b)
{
    struct iv_err err = {.text = ""};
    struct iv_vault_place place = {IV_STR("telemetry"), 0, (int64_t)b->sequence};
    const struct iv_saver_cell cell = {.name = CELL,
                                       .judge = b->judge,
                                       .baseline = iv_str_of(b->baseline->digest_hex),
                                       .places = &place,
                                       .place_count = 1};
    b->pause = worked();
    IV_CHECK(iv_ok(iv_saver_begin(b->saver, &cell, 1, &err)));
    b->pause = worked() - b->pause;
    iv_saver_release(b->saver);
    enum iv_saver_state state = IV_SAVER_WRITING;
    b->longest = 0;
    while (state == IV_SAVER_WRITING) {
        for (size_t i = 0; i < LOOK_EVERY; i++) {
            feed(b);
        }
        state = iv_saver_look(b->saver, &err);
    }
    IV_CHECK(state == IV_SAVER_KEPT);
}

static iv_rc take(void *ctx, struct iv_vault_reader *r, struct iv_err *err)
{
    struct bench *b = ctx;
    struct iv_judge_options judge = judging(b);
    for (size_t i = 0; i < r->head.engine_count; i++) {
        judge.bytes[i] = r->engines[i];
    }
    return iv_judge_new(&b->judge, &judge, err);
}

int main(int argc, char **argv)
{
    IV_CHECK(argc == 4);
    size_t entities = strtoull(argv[3], NULL, 10);
    struct bench b = {.longest = 0};
    struct iv_saver_figures figures;
    struct iv_engine_stats stats;
    struct iv_err err = {.text = ""};
    open_bench(&b, argv[1], argv[2]);
    for (size_t i = 0; i < entities; i++) {
        feed(&b);
    }
    iv_judge_stats(b.judge, &stats);
    iv_ns before = b.longest;
    save(&b);
    iv_saver_figures(b.saver, &figures);
    iv_judge_free(TAKE(b.judge));
    iv_ns begun = worked();
    IV_CHECK(iv_ok(iv_saver_restore(b.saver, CELL, take, &b, &err)));
    b.restored = worked() - begun;
    printf("%10zu%12.1f%12.1f%12.2f%12.2f%12.2f%12.2f%10.2f%10.2f\n", entities,
           (double)stats.state_bytes / 1e6, (double)figures.bytes / 1e6, (double)b.pause / 1e6,
           (double)figures.pause / 1e6, (double)before / 1e6, (double)b.longest / 1e6, worked_by_children(),
           (double)b.restored / 1e9);
    close_bench(&b);
    return 0;
}
