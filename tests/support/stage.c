/* SPDX-License-Identifier: Apache-2.0 */
#include "support/stage.h"

#include "base/arena.h"
#include "base/guard.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

static iv_ns stage_wall(void *ctx)
{
    const struct stage *s = ctx;
    return s->now;
}

static iv_ns stage_monotonic(void *ctx)
{
    const struct stage *s = ctx;
    return s->now - s->set_by;
}

static void load(struct stage *s, const char *text)
{
    s->source = (struct iv_playbook_source){
        .name = IV_STR("revoke"), .file = IV_STR("revoke.yaml"), .text = iv_str_of(text)};
    s->sample.baseline.playbooks = &s->source;
    s->sample.baseline.playbook_count = 1;
    struct iv_err err = {0};
    struct iv_rc_s rc = iv_playbooks_load(&s->playbooks, &s->sample.baseline, s->problems, &err);
    cr_assert(iv_ok(rc) || rc.code == IV_E_REFUSED, "%s", err.text);
}

void stage_init(struct stage *s, const char *steps)
{
    stage_init_playbook(s, "", steps);
}

void stage_init_playbook(struct stage *s, const char *keys, const char *steps)
{
    memset(s, 0, sizeof *s);
    s->dir = scratch_make();
    s->now = STAGE_NOW;
    s->endpoint = (struct iv_endpoint){.name = IV_STR("hook"), .hmac_key = IV_STR("secret")};
    sample_init(&s->sample);
    cr_assert(iv_ok(iv_problems_new(&s->problems, NULL)));
    cr_assert(iv_ok(iv_store_open(&s->store, scratch_file(&s->dir, "s.db"), NULL)));
    cr_assert(iv_ok(iv_reader_open(&s->reader, scratch_file(&s->dir, "s.db"), NULL)));
    stage_load(s, keys, steps);
}

void stage_load(struct stage *s, const char *keys, const char *steps)
{
    struct iv_buf text;
    iv_buf_init(&text, 1 << 16);
    iv_buf_text(&text, STAGE_PLAYBOOK);
    iv_buf_text(&text, keys);
    iv_buf_text(&text, "steps:\n");
    iv_buf_text(&text, steps);
    load(s, text.p);
    struct iv_buf shown;
    iv_buf_init(&shown, 1 << 16);
    iv_problems_render(&shown, s->problems);
    cr_assert(s->playbooks != NULL, "%.*s", (int)shown.n, shown.p);
    iv_buf_deinit(&shown);
    iv_buf_deinit(&text);
}

void stage_deinit(struct stage *s)
{
    iv_responder_free(s->responder);
    iv_playbooks_unref(s->playbooks);
    iv_problems_free(s->problems);
    iv_reader_close(s->reader);
    iv_store_close(s->store);
    sample_deinit(&s->sample);
    scratch_remove(&s->dir);
}

void stage_problems(struct stage *s, struct iv_buf *out, const char *playbook)
{
    iv_playbooks_unref(TAKE(s->playbooks));
    iv_problems_free(s->problems);
    cr_assert(iv_ok(iv_problems_new(&s->problems, NULL)));
    load(s, playbook);
    iv_buf_clear(out);
    iv_buf_text(out, "");
    iv_problems_render(out, s->problems);
}

void stage_refuses(struct stage *s, const char *playbook, const char *want)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf shown;
    iv_buf_init(&shown, 1 << 16);
    stage_problems(s, &shown, playbook);

    cr_expect(s->playbooks == NULL, "it was loaded, without a word of '%s'", want);
    cr_expect(strstr(shown.p, want) != NULL, "want '%s' in\n%s", want, shown.p);
    cr_expect(strstr(shown.p, "revoke.yaml:") != NULL, "want its file in\n%s", shown.p);
}

void stage_find(struct stage *s)
{
    stage_find_under(s, &s->sample.baseline);
}

void stage_find_under(struct stage *s, const struct iv_baseline *baseline)
{
    struct iv_buf scratch;
    iv_buf_init(&scratch, 1 << 16);
    struct iv_finding row;
    struct iv_err err = {0};
    enum iv_put how;
    cr_assert(
        iv_ok(iv_finding_of_verdict(&row, &scratch, &s->sample.baseline, &s->sample.verdict, s->now, &err)));
    cr_assert(iv_ok(iv_store_begin(s->store, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_put_finding(s->store, &how, &row, &err)), "%s", err.text);
    cr_assert(
        iv_ok(iv_respond_plan(s->playbooks, s->store, &row, &s->sample.verdict, baseline, s->now, &err)),
        "%s", err.text);
    cr_assert(iv_ok(iv_store_commit(s->store, &err)), "%s", err.text);
    if (s->responder != NULL) {
        iv_responder_wake(s->responder);
    }
    iv_buf_deinit(&scratch);
}

void stage_respond(struct stage *s, const char *url)
{
    iv_responder_free(TAKE(s->responder));
    s->endpoint.url = iv_str_of(url);
    struct iv_responder_options options = {
        .store = s->store,
        .endpoints = &s->endpoint,
        .endpoint_count = url == NULL ? 0 : 1,
        .dry_run = s->dry_run,
        .pause_file = s->pause_file,
        .in_flight = s->in_flight,
        .government = {.keyring = s->keyring, .baseline = s->governs, .playbooks = s->playbooks},
        .hand = s->hand,
        .fresh = s->fresh,
        .ctx = s->fresh_ctx,
        .clock = {.wall = stage_wall, .monotonic = stage_monotonic, .ctx = s},
    };
    struct iv_err err = {0};
    cr_assert(iv_ok(iv_responder_new(&s->responder, &options, &err)), "%s", err.text);
}

static bool newest(void *ctx, const struct iv_execution *e)
{
    static char texts[8][256];
    struct iv_execution *out = ctx;
    *out = *e;
    struct iv_str *kept[] = {&out->key, &out->finding, &out->target, &out->cause};
    for (size_t i = 0; i < IV_COUNT(kept); i++) {
        cr_assert(kept[i]->n < sizeof texts[i]);
        memcpy(texts[i], kept[i]->p, kept[i]->n);
        texts[i][kept[i]->n] = '\0';
        kept[i]->p = texts[i];
    }
    return false;
}

struct iv_execution stage_execution(struct stage *s)
{
    struct iv_execution e = {.key = {NULL, 0}};
    struct iv_execution_filter filter = {.newest_first = true, .limit = 1};
    cr_assert(iv_ok(iv_reader_executions(s->reader, &filter, newest, &e, NULL)));
    return e;
}

struct wanted {
    int64_t position;
    struct iv_step step;
};

static bool pick(void *ctx, const struct iv_step *step)
{
    static char texts[6][8192];
    struct wanted *wanted = ctx;
    if (step->position != wanted->position) {
        return true;
    }
    wanted->step = *step;
    struct iv_str *kept[] = {&wanted->step.key,    &wanted->step.cause,       &wanted->step.request,
                             &wanted->step.answer, &wanted->step.expectation, &wanted->step.evidence};
    for (size_t i = 0; i < IV_COUNT(kept); i++) {
        cr_assert(kept[i]->n < sizeof texts[i]);
        memcpy(texts[i], kept[i]->p, kept[i]->n);
        texts[i][kept[i]->n] = '\0';
        kept[i]->p = texts[i];
    }
    return false;
}

struct iv_step stage_step(struct stage *s, int64_t position)
{
    struct iv_execution e = stage_execution(s);
    struct wanted wanted = {.position = position};
    cr_assert(iv_ok(iv_reader_steps(s->reader, e.key, pick, &wanted, NULL)));
    cr_assert(wanted.step.key.n > 0, "there is no step %d", (int)position);
    return wanted.step;
}

static bool count(void *ctx, const struct iv_execution *e)
{
    (void)e;
    ++*(size_t *)ctx;
    return true;
}

size_t stage_executions(struct stage *s)
{
    size_t n = 0;
    cr_assert(iv_ok(iv_reader_executions(s->reader, &(struct iv_execution_filter){0}, count, &n, NULL)));
    return n;
}

static iv_ns next_due(struct stage *s)
{
    iv_ns due = IV_NS_MAX;
    cr_assert(iv_ok(iv_store_begin(s->store, NULL)));
    cr_assert(iv_ok(iv_store_next_due(s->store, &due, NULL)));
    iv_store_rollback(s->store);
    return due;
}

void stage_run(struct stage *s, bool skip_waits)
{
    for (int turns = 0; turns < 1000; turns++) {
        struct iv_err err = {0};
        struct iv_responder_stats stats;
        cr_assert(iv_ok(iv_responder_turn(s->responder, 100 * IV_NS_PER_MS, &err)), "%s", err.text);
        iv_responder_stats(s->responder, &stats);
        iv_ns due = next_due(s);
        if (stats.in_flight > 0 || due <= s->now) {
            continue;
        }
        if (due == IV_NS_MAX || !skip_waits) {
            return;
        }
        s->now = due;
    }
    cr_assert(false, "the responder does not come to rest");
}
