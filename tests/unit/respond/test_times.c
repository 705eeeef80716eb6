/* SPDX-License-Identifier: Apache-2.0 */
/* How long it took, from what the store keeps. */
#include "base/guard.h"
#include "evidence/times.h"
#include "support/hook_server.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#define S IV_NS_PER_S

Test(times, are_those_that_an_execution_has_come_to)
{
    static const struct {
        struct iv_execution e;
        struct iv_times want;
    } rows[] = {
        {{.state = IV_RUN_WAITING, .event_time = S, .planned = 3 * S}, {2 * S, -1, -1}},
        {{.state = IV_RUN_DONE, .event_time = S, .planned = 3 * S, .started = 4 * S, .finished = 9 * S},
         {2 * S, S, -1}},
        {{.state = IV_RUN_VERIFIED, .event_time = S, .planned = 3 * S, .started = 3 * S, .finished = 9 * S},
         {2 * S, 0, 8 * S}},
        {{.state = IV_RUN_FAILED, .event_time = 5 * S, .planned = 3 * S, .finished = 3 * S}, {-1, -1, -1}},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_times t = iv_times_of(&rows[i].e);
        cr_expect(t.detect == rows[i].want.detect && t.act == rows[i].want.act &&
                      t.contain == rows[i].want.contain,
                  "row %zu", i);
    }
}

struct seen {
    size_t count;
    iv_ns act;
    iv_ns contain;
};

static void look(void *ctx, const struct iv_times *t)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->act = t->act >= 0 ? t->act : seen->act;
    seen->contain = t->contain >= 0 ? t->contain : seen->contain;
}

static void verify(struct stage *s)
{
    struct iv_execution e = stage_execution(s);
    e.state = IV_RUN_VERIFIED;
    e.finished = s->now;
    struct iv_action action = {
        .execution = e.key, .step = -1, .state = IV_STR("verified"), .time = s->now, .ocsf = IV_STR("{}")};
    cr_assert(iv_ok(iv_store_begin(s->store, NULL)));
    cr_assert(iv_ok(iv_store_move_execution(s->store, &e, NULL)));
    cr_assert(iv_ok(iv_store_log_action(s->store, &action, NULL)));
    cr_assert(iv_ok(iv_store_commit(s->store, NULL)));
}

Test(times, are_told_once_each)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    struct seen seen = {.act = -1, .contain = -1};
    int64_t last = 0;
    stage_init(&s, "- name: one\n  http: {endpoint: hook, path: /x}\n");
    stage_find(&s);
    s.now += 2 * S;
    stage_respond(&s, hook_url(hook));
    stage_run(&s, false);

    cr_assert(iv_ok(iv_reader_times(s.reader, &last, last, look, &seen, NULL)));
    cr_expect(seen.count == 1 && seen.act == 2 * S && seen.contain == -1);
    s.now += 3 * S;
    verify(&s);
    cr_assert(iv_ok(iv_reader_times(s.reader, &last, last, look, &seen, NULL)));
    cr_expect(seen.count == 2 && seen.contain == s.now - SAMPLE_TIME);
    cr_assert(iv_ok(iv_reader_times(s.reader, &last, last, look, &seen, NULL)));
    cr_expect(seen.count == 2);
}
