/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the monitor that acts, without the rest: puts FINDINGS findings into the store and plans their
 * playbook, as a replay of the same input does, then carries out what is planned, to the end. Run by
 * tests/crash/respond, which has it killed (IV_FAULT_AT) and starts it again. respond_trial STORE HOOK_URL
 * FINDINGS PLAYBOOK */
#include "base/arena.h"
#include "base/guard.h"
#include "baseline/problems.h"
#include "evidence/admitted.h"
#include "evidence/awaited.h"
#include "evidence/store.h"
#include "respond/inquiry.h"
#include "respond/playbook.h"
#include "respond/responder.h"
#include "support/sample.h"

#include <stdio.h>
#include <stdlib.h>

static void must(struct iv_rc_s rc, const struct iv_err *err)
{
    if (!iv_ok(rc)) {
        (void)fprintf(stderr, "respond_trial: %s\n", err->text);
        exit(1);
    }
}

static void find(struct iv_store *store, const struct iv_playbooks *playbooks, struct sample *s,
                 unsigned number)
{
    struct iv_err err = {0};
    struct iv_finding row;
    enum iv_put how;
    IV_AUTO(iv_buf_deinit) struct iv_buf scratch;
    iv_buf_init(&scratch, 1 << 16);
    sample_number(s, number);
    must(iv_finding_of_verdict(&row, &scratch, &s->baseline, &s->verdict, 1, &err), &err);
    must(iv_store_begin(store, &err), &err);
    must(iv_store_put_finding(store, &how, &row, &err), &err);
    must(iv_respond_plan(playbooks, store, &row, &s->verdict, &s->baseline, 1, &err), &err);
    must(iv_store_commit(store, &err), &err);
}

#define TAKEN_AT_ONCE 1024

struct delivery {
    int64_t ids[TAKEN_AT_ONCE];
    size_t count;
};

static void take(void *ctx, const struct iv_posting *posting)
{
    struct delivery *d = ctx;
    d->ids[d->count++] = posting->id;
    if (posting->channel == IV_CHANNEL_COMMAND) {
        (void)printf("command %.*s\n", (int)posting->idempotency_key.n, posting->idempotency_key.p);
        (void)fflush(stdout);
    }
}

static void count_one(void *ctx, const struct iv_posting *posting)
{
    (void)posting;
    ++*(size_t *)ctx;
}

/* The broker: acknowledges what it is sent, and prints the commands among it. */
static void deliver(struct iv_store *store)
{
    struct iv_err err = {0};
    struct delivery d = {.count = 0};
    must(iv_store_outbox(store, 0, TAKEN_AT_ONCE, take, &d, &err), &err);
    if (d.count > 0) {
        must(iv_store_begin(store, &err), &err);
        must(iv_store_delivered(store, d.ids, d.count, &err), &err);
        must(iv_store_commit(store, &err), &err);
    }
}

/* The observer: the streams have been read to their end, and were empty. Of a step "lost" some was not there
 * any more. */
static bool prove(struct iv_store *store, struct iv_reader *reader, const struct sample *s)
{
    struct iv_err err = {0};
    const struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    IV_AUTO(iv_decoder_freep) struct iv_decoder *decoder = NULL;
    IV_AUTO(iv_inquiry_freep) struct iv_inquiry *inquiry = NULL;
    struct iv_step *awaited = NULL;
    struct iv_task task;
    size_t count = 0;
    bool found = false;
    struct iv_proof proof;
    iv_arena_init(&arena, 0);
    must(iv_reader_awaited(reader, &awaited, &count, 1, &arena, &err), &err);
    if (count == 0) {
        return false;
    }
    must(iv_reader_awaited_task(reader, &task, &found, awaited, &arena, &err), &err);
    IV_CHECK(found);
    must(iv_decoder_new(&decoder, s->catalogue, &limits, (struct iv_hash_key){0, 0}, &err), &err);
    must(iv_inquiry_new(&inquiry, &task, decoder, s->catalogue, 0, &err), &err);
    if (iv_str_eq(task.step.name, IV_STR("lost"))) {
        iv_inquiry_missed(inquiry, "some of it is gone");
    }
    struct iv_inquiry_state state = {.reached = IV_NS_MAX, .heard = 0, .now = 0};
    IV_CHECK(iv_inquiry_decide(inquiry, &proof, &state));
    must(iv_store_begin(store, &err), &err);
    must(iv_move_by_evidence(store, &task, &proof, task.step.done, &arena, &err), &err);
    must(iv_store_commit(store, &err), &err);
    return true;
}

/* Nothing in flight, nothing due, nothing that waits for approval, nothing that waits in the outbox or has
 * left it unnoticed. */
static bool at_rest(struct iv_store *store, const struct iv_responder *responder)
{
    struct iv_err err = {0};
    struct iv_responder_stats stats;
    size_t waiting = 0;
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    iv_arena_init(&arena, 0);
    struct iv_task *task = NULL;
    struct iv_execution *waits = NULL;
    size_t delivered = 0;
    size_t waiting_for = 0;
    iv_ns due = 0;
    iv_responder_stats(responder, &stats);
    must(iv_store_begin(store, &err), &err);
    must(iv_store_next_due(store, &due, &err), &err);
    must(iv_store_tasks(store, &task, &delivered, IV_TASKS_DELIVERED, IV_STR(""), 0, 1, &arena, &err), &err);
    must(iv_store_expired(store, &waits, &waiting_for, IV_NS_MAX, 1, &arena, &err), &err);
    iv_store_rollback(store);
    must(iv_store_outbox(store, 0, 1, count_one, &waiting, &err), &err);
    return stats.in_flight == 0 && due == IV_NS_MAX && waiting == 0 && delivered == 0 && waiting_for == 0;
}

static void carry_out(struct iv_store *store, struct iv_reader *reader, const struct sample *s,
                      const char *url)
{
    struct iv_err err = {0};
    struct iv_endpoint endpoint = {.name = IV_STR("hook"), .url = iv_str_of(url)};
    struct iv_responder_options options = {
        .store = store, .endpoints = &endpoint, .endpoint_count = 1, .clock = iv_clock_system()};
    IV_AUTO(iv_responder_freep) struct iv_responder *responder = NULL;
    must(iv_responder_new(&responder, &options, &err), &err);
    do {
        while (prove(store, reader, s)) {
        }
        must(iv_responder_turn(responder, 20 * IV_NS_PER_MS, &err), &err);
        deliver(store);
        must(iv_responder_turn(responder, 0, &err), &err);
    } while (prove(store, reader, s) || !at_rest(store, responder));
}

int main(int argc, char **argv)
{
    IV_CHECK(argc == 5);
    struct iv_err err = {0};
    IV_AUTO(sample_deinit) struct sample s;
    sample_init(&s);
    struct iv_playbook_source source = {
        .name = IV_STR("revoke"), .file = IV_STR("revoke.yaml"), .text = iv_str_of(argv[4])};
    s.baseline.playbooks = &source;
    s.baseline.playbook_count = 1;
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    IV_AUTO(iv_playbooks_unrefp) struct iv_playbooks *playbooks = NULL;
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    must(iv_problems_new(&problems, &err), &err);
    must(iv_playbooks_load(&playbooks, &s.baseline, problems, &err), &err);
    must(iv_store_open(&store, iv_str_of(argv[1]), &err), &err);
    for (unsigned n = 1; n <= (unsigned)strtoul(argv[3], NULL, 10); n++) {
        find(store, playbooks, &s, n);
    }
    must(iv_reader_open(&reader, iv_str_of(argv[1]), &err), &err);
    carry_out(store, reader, &s, argv[2]);
    return 0;
}
