/* SPDX-License-Identifier: Apache-2.0 */
#include "trial_scene.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/guard.h"
#include "baseline/yaml.h"
#include "evidence/admitted.h"
#include "evidence/approvals.h"
#include "evidence/awaited.h"
#include "respond/inquiry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAKEN_AT_ONCE 1024
#define ANSWER_WAIT (20 * IV_NS_PER_MS)

void must(struct iv_rc_s rc, const struct iv_err *err)
{
    if (!iv_ok(rc)) {
        (void)fprintf(stderr, "respond_trial: %s\n", err->text);
        exit(1);
    }
}

static iv_ns tell_time(void *ctx)
{
    const struct iv_clock system = iv_clock_system();
    return iv_ns_add(iv_wall(&system), ((const struct scene *)ctx)->skipped);
}

static void read_time(struct scene *s, const char *store)
{
    struct iv_err err = {.text = ""};
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, 64);
    (void)snprintf(s->time_path, sizeof s->time_path, "%s.time", store);
    struct iv_rc_s rc = iv_file_read(&text, iv_str_of(s->time_path), &err);
    if (rc.code != IV_E_ABSENT) {
        must(rc, &err);
        s->skipped = strtoll(text.p, NULL, 10);
    }
}

void scene_skip_to(struct scene *s, iv_ns then)
{
    char text[32];
    struct iv_err err = {.text = ""};
    iv_ns now = iv_wall(&s->clock);
    if (then > now) {
        s->skipped = iv_ns_add(s->skipped, then - now);
        (void)snprintf(text, sizeof text, "%lld\n", (long long)s->skipped);
        must(iv_file_replace(s->time_path, 0600, iv_str_of(text), &err), &err);
    }
}

static void load(struct scene *s, const char *folder, const char *names)
{
    struct iv_err err = {.text = ""};
    size_t count = 0;
    for (const char *name = names; *name != '\0' && count < SCENE_PLAYBOOKS; count++) {
        char path[SCENE_PATH];
        int n = (int)strcspn(name, ",");
        (void)snprintf(path, sizeof path, "%s/%.*s.yaml", folder, n, name);
        iv_buf_init(&s->texts[count], 1 << 16);
        must(iv_file_read(&s->texts[count], iv_str_of(path), &err), &err);
        const struct iv_str called = {name, (size_t)n};
        s->sources[count] = (struct iv_playbook_source){
            .name = called, .file = called, .text = iv_buf_slice(&s->texts[count])};
        name += n + (name[n] == ',');
    }
    s->sample.baseline.playbooks = s->sources;
    s->sample.baseline.playbook_count = count;
    must(iv_problems_new(&s->problems, &err), &err);
    struct iv_rc_s rc = iv_playbooks_load(&s->playbooks, &s->sample.baseline, s->problems, &err);
    IV_AUTO(iv_buf_deinit) struct iv_buf shown;
    iv_buf_init(&shown, 1 << 16);
    iv_problems_render(&shown, s->problems);
    if (rc.code == IV_E_REFUSED) {
        (void)snprintf(err.text, sizeof err.text, "%.400s", shown.p == NULL ? "" : shown.p);
    }
    must(rc, &err);
}

void scene_open(struct scene *s, const char *store, const char *folder, const char *names)
{
    struct iv_err err = {.text = ""};
    s->clock = (struct iv_clock){tell_time, tell_time, s};
    sample_init(&s->sample);
    read_time(s, store);
    load(s, folder, names);
    must(iv_store_open(&s->store, iv_str_of(store), &err), &err);
    must(iv_reader_open(&s->reader, iv_str_of(store), &err), &err);
}

void scene_close(struct scene *s)
{
    iv_responder_free(s->responder);
    iv_alerter_free(s->alerter);
    iv_alerting_free(s->alerting);
    iv_reader_close(s->reader);
    iv_store_close(s->store);
    iv_playbooks_unref(s->playbooks);
    iv_problems_free(s->problems);
    for (size_t i = 0; i < s->sample.baseline.playbook_count; i++) {
        iv_buf_deinit(&s->texts[i]);
    }
    people_go(s);
    sample_deinit(&s->sample);
    iv_hand_stop(s->hand);
}

void scene_find(struct scene *s, unsigned number, const char *token, const char *playbook)
{
    struct iv_err err = {.text = ""};
    struct iv_finding row;
    enum iv_put how;
    iv_ns now = iv_wall(&s->clock);
    IV_AUTO(iv_buf_deinit) struct iv_buf scratch;
    iv_buf_init(&scratch, 1 << 16);
    sample_number(&s->sample, number);
    if (token != NULL) {
        sample_set(&s->sample, "token_id", iv_val_str(iv_str_of(token)));
    }
    s->sample.rule.remediate = playbook == NULL ? s->sources[0].name : iv_str_of(playbook);
    must(iv_finding_of_verdict(&row, &scratch, &s->sample.baseline, &s->sample.verdict, now, &err), &err);
    must(iv_store_begin(s->store, &err), &err);
    must(iv_store_put_finding(s->store, &how, &row, &err), &err);
    must(iv_respond_plan(s->playbooks, s->store, &row, &s->sample.verdict, &s->sample.baseline, now, &err),
         &err);
    must(iv_store_commit(s->store, &err), &err);
}

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

/* The broker: acknowledges what it is sent, and prints the commands among it. */
static void deliver(struct scene *s)
{
    struct iv_err err = {.text = ""};
    struct delivery d = {.count = 0};
    must(iv_store_outbox(s->store, 0, TAKEN_AT_ONCE, take, &d, &err), &err);
    if (d.count > 0) {
        must(iv_store_begin(s->store, &err), &err);
        must(iv_store_delivered(s->store, d.ids, d.count, &err), &err);
        must(iv_store_commit(s->store, &err), &err);
    }
}

/* The observer: the streams have been read to their end, and were empty. Of a step "lost" some was not there
 * any more. */
static bool prove(struct scene *s)
{
    struct iv_err err = {.text = ""};
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
    must(iv_reader_awaited(s->reader, &awaited, &count, 1, &arena, &err), &err);
    if (count == 0 || s->silent) {
        return false;
    }
    must(iv_reader_awaited_task(s->reader, &task, &found, awaited, &arena, &err), &err);
    IV_CHECK(found);
    must(iv_decoder_new(&decoder, s->sample.catalogue, &limits, (struct iv_hash_key){0, 0}, &err), &err);
    must(iv_inquiry_new(&inquiry, &task, decoder, s->sample.catalogue, 0, &err), &err);
    if (iv_str_eq(task.step.name, IV_STR("lost"))) {
        iv_inquiry_missed(inquiry, "some of it is gone");
    }
    struct iv_inquiry_state state = {.reached = IV_NS_MAX, .heard = 0, .now = 0};
    IV_CHECK(iv_inquiry_decide(inquiry, &proof, &state));
    must(iv_store_begin(s->store, &err), &err);
    must(iv_move_by_evidence(s->store, &task, &proof, task.step.done, &arena, &err), &err);
    must(iv_store_commit(s->store, &err), &err);
    return true;
}

void scene_alert(struct scene *s)
{
    static const char section[] = "sinks: {page: {webhook: {url: \"http://127.0.0.1:9/\"}}}\n";
    struct iv_err err = {.text = ""};
    struct iv_yaml *document = NULL;
    must(iv_yaml_parse(&document, IV_STR("alerts.yaml"), iv_str_of(section), NULL, s->problems, &err), &err);
    must(iv_alerting_read(&s->alerting, iv_yaml_root(document), s->problems, &err), &err);
    iv_yaml_free(document);
    must(iv_alerter_new(&s->alerter, s->alerting, &err), &err);
}

/* What the store has become is told, in a transaction of its own, as the alerting thread does. */
static void tell(struct scene *s)
{
    struct iv_err err = {.text = ""};
    bool any = false;
    if (s->alerter != NULL) {
        must(iv_store_begin(s->store, &err), &err);
        must(iv_alerter_remediation(s->alerter, s->store, &any, iv_wall(&s->clock), &err), &err);
        if (any) {
            must(iv_store_commit(s->store, &err), &err);
        } else {
            iv_store_rollback(s->store);
        }
    }
}

static bool is_fresh(void *ctx, const char **why)
{
    *why = "the broker does not answer";
    return !((const struct scene *)ctx)->stale;
}

static void begin(struct scene *s)
{
    struct iv_err err = {.text = ""};
    const struct iv_responder_options options = {.store = s->store,
                                                 .endpoints = &s->endpoint,
                                                 .endpoint_count = 1,
                                                 .clock = s->clock,
                                                 .hand = s->hand,
                                                 .government = {.keyring = people_keyring(s),
                                                                .baseline = &s->sample.baseline,
                                                                .playbooks = s->playbooks},
                                                 .dry_run = s->dry_run,
                                                 .fresh = is_fresh,
                                                 .ctx = s};
    if (s->responder == NULL) {
        must(iv_responder_new(&s->responder, &options, &err), &err);
    }
}

static void turn(struct scene *s)
{
    struct iv_err err = {.text = ""};
    struct iv_responder_stats stats;
    iv_responder_stats(s->responder, &stats);
    must(iv_responder_turn(s->responder, stats.in_flight > 0 ? ANSWER_WAIT : 0, &err), &err);
    deliver(s);
    tell(s);
}

/* How far the log has come, what is to be done at once, and when there is more. */
struct outlook {
    int64_t log;
    bool busy;
    iv_ns next;
};

static void count_one(void *ctx, const struct iv_posting *posting)
{
    (void)posting;
    ++*(size_t *)ctx;
}

static void look_inside(struct scene *s, struct outlook *o, struct iv_arena *arena)
{
    struct iv_err err = {.text = ""};
    struct iv_task *tasks = NULL;
    struct iv_execution *waiting = NULL;
    struct iv_approval *pending = NULL;
    size_t delivered = 0;
    size_t said = 0;
    size_t held = 0;
    must(iv_store_next_due(s->store, &o->next, &err), &err);
    must(iv_store_tasks(s->store, &tasks, &delivered, IV_TASKS_DELIVERED, IV_STR(""), 0, 1, arena, &err),
         &err);
    must(iv_store_pending_approvals(s->store, &pending, &said, 1, arena, &err), &err);
    must(iv_store_expired(s->store, &waiting, &held, IV_NS_MAX, 1, arena, &err), &err);
    if (held > 0 && waiting[0].expires < o->next) {
        o->next = waiting[0].expires;
    }
    o->busy = delivered > 0 || (said > 0 && s->people != NULL);
}

static struct outlook look(struct scene *s)
{
    struct iv_err err = {.text = ""};
    struct iv_store_heads heads;
    struct iv_responder_stats stats;
    struct outlook o = {.busy = false};
    size_t posted = 0;
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    iv_arena_init(&arena, 0);
    must(iv_store_begin(s->store, &err), &err);
    look_inside(s, &o, &arena);
    iv_store_rollback(s->store);
    must(iv_store_outbox(s->store, 0, 1, count_one, &posted, &err), &err);
    must(iv_reader_heads(s->reader, &heads, &err), &err);
    iv_responder_stats(s->responder, &stats);
    o.log = heads.actions;
    o.busy = o.busy || posted > 0 || stats.in_flight > 0 || o.next <= iv_wall(&s->clock);
    return o;
}

void scene_rest(struct scene *s, iv_ns within)
{
    begin(s);
    for (int64_t log = -1;;) {
        turn(s);
        while (prove(s)) {
            tell(s);
        }
        struct outlook o = look(s);
        bool moved = o.log != log;
        log = o.log;
        if (moved || o.busy) {
            continue;
        }
        if (o.next == IV_NS_MAX || o.next - iv_wall(&s->clock) > within) {
            return;
        }
        scene_skip_to(s, o.next);
    }
}

void scene_turn(struct scene *s, unsigned turns)
{
    begin(s);
    for (unsigned i = 0; i < turns; i++) {
        turn(s);
        struct outlook o = look(s);
        scene_skip_to(s, o.next == IV_NS_MAX ? 0 : o.next);
    }
}
