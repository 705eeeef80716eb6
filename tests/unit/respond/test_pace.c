/* SPDX-License-Identifier: Apache-2.0 */
/* What was held up is not made up for all at once: limits hold for what begins, whenever it was let pass. */
#include "base/arena.h"
#include "base/guard.h"
#include "respond/guard.h"
#include "respond/moves.h"
#include "support/hook_server.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define STEPS "- name: one\n  http: {endpoint: hook, path: /x}\n"
/* Nobody is called, so many may begin in no time. */
#define COMMAND "- name: one\n  kafka: {topic: t, key: k, value: {}}\n"
#define MINUTE (60 * IV_NS_PER_S)
#define HOUR (60 * MINUTE)
#define AGENTS 6

static void find(struct stage *s, unsigned number, unsigned agent)
{
    static char token[16]; /* the sample refers to both for as long as it is found again */
    static char name[16];
    (void)snprintf(token, sizeof token, "tok-%u", number);
    (void)snprintf(name, sizeof name, "a%u", agent);
    sample_number(&s->sample, number);
    sample_set(&s->sample, "token_id", iv_val_str(iv_str_of(token)));
    sample_set(&s->sample, "agent", iv_val_str(iv_str_of(name)));
    stage_find(s);
}

static void run_at(struct stage *s, iv_ns now)
{
    s->now = now;
    stage_run(s, false);
}

static bool keep_cause(void *ctx, const struct iv_execution *e)
{
    char *cause = ctx;
    bool waits = e->state == IV_RUN_PLANNED;
    (void)(waits && snprintf(cause, IV_HELD_BYTES, IV_STR_FMT, IV_STR_ARG(e->cause)));
    return !waits;
}

/* Why the first of those that have not begun waits; empty: all have. */
static const char *cause_of_waiting(struct stage *s)
{
    static char cause[IV_HELD_BYTES];
    cause[0] = '\0';
    cr_assert(
        iv_ok(iv_reader_executions(s->reader, &(struct iv_execution_filter){0}, keep_cause, cause, NULL)));
    return cause;
}

Test(pace, what_was_held_up_begins_as_its_guards_let_it_after_a_restart_too)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "guards: {executions: {minute: 2}, ramp: {start: 100}}\n", STEPS);
    for (unsigned number = 1; number <= 6; number++) {
        s.now += number % 2 == 1 ? MINUTE : 0;
        find(&s, number, 1);
        cr_assert(stage_execution(&s).state == IV_RUN_PLANNED, "%u: it was let pass", number);
    }
    const iv_ns began = s.now;
    stage_respond(&s, hook_url(hook));
    run_at(&s, began);

    cr_expect(hook_count(hook) == 2, "%zu", hook_count(hook));
    cr_expect_str_eq(cause_of_waiting(&s),
                     "guard executions.minute: at most 2 executions within a minute; waits for its turn");
    stage_respond(&s, hook_url(hook));
    run_at(&s, began + MINUTE - 1);
    cr_expect(hook_count(hook) == 2, "%zu", hook_count(hook));
    run_at(&s, began + MINUTE);
    cr_expect(hook_count(hook) == 4, "%zu", hook_count(hook));
    find(&s, 7, 1); /* behind those that were there before */
    cr_expect(stage_step(&s, 0).state == IV_STEP_QUEUED);
    run_at(&s, began + 2 * MINUTE);
    cr_expect(hook_count(hook) == 6, "%zu", hook_count(hook));
    run_at(&s, began + 3 * MINUTE);
    cr_expect(hook_count(hook) == 7, "%zu", hook_count(hook));
    cr_expect_str_eq(cause_of_waiting(&s), "");
}

Test(pace, what_may_begin_is_called_back_where_its_guards_let_less_begin_by_then)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "guards: {executions: {minute: 9}, ramp: {start: 100}}\n", STEPS);
    for (unsigned number = 1; number <= 3; number++) {
        find(&s, number, 1);
        cr_assert(stage_step(&s, 0).state == IV_STEP_DUE);
    }
    iv_playbooks_unref(TAKE(s.playbooks));
    stage_load(&s, "guards: {executions: {minute: 1}, ramp: {start: 100}}\n", STEPS);
    stage_respond(&s, hook_url(hook));
    const iv_ns began = s.now;
    run_at(&s, began);

    cr_expect(hook_count(hook) == 1, "%zu", hook_count(hook));
    cr_expect(strstr(cause_of_waiting(&s), "guard executions.minute: at most 1 ") != NULL);
    run_at(&s, began + MINUTE);
    cr_expect(hook_count(hook) == 2, "%zu", hook_count(hook));
    run_at(&s, began + 2 * MINUTE);
    cr_expect(hook_count(hook) == 3, "%zu", hook_count(hook));
}

static size_t count_of(struct stage *s, enum iv_run_state state)
{
    struct iv_store_totals totals;
    cr_assert(iv_ok(iv_reader_totals(s->reader, &totals, NULL)));
    return (size_t)totals.executions[state];
}

/* Both what waits for its turn and what may begin. */
Test(pace, what_a_limit_of_zero_holds_by_now_waits_for_an_approval)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "guards: {ramp: {start: 2}}\n", STEPS);
    for (unsigned number = 1; number <= 4; number++) {
        find(&s, number, 1);
    }
    cr_assert(count_of(&s, IV_RUN_PLANNED) == 4 && stage_step(&s, 0).state == IV_STEP_QUEUED);
    iv_playbooks_unref(TAKE(s.playbooks));
    stage_load(&s, "guards: {agents: {hour: 0}, ramp: {start: 2}}\n", STEPS);
    stage_respond(&s, hook_url(hook));
    run_at(&s, s.now);
    run_at(&s, s.now);

    cr_expect(hook_count(hook) == 0 && count_of(&s, IV_RUN_WAITING) == 4, "%zu wait",
              count_of(&s, IV_RUN_WAITING));
    cr_expect_str_eq(stage_execution(&s).cause.p,
                     "guard agents.hour: at most 0 distinct agents within a hour;"
                     " waits for an approval");
    cr_expect(stage_execution(&s).quorum == 1 && stage_execution(&s).expires == s.now + 24 * HOUR);
}

Test(pace, what_is_held_up_for_what_it_touches_holds_up_nobody_behind_it)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    static const unsigned agents[] = {1, 2, 2, 1, 3};
    stage_init_playbook(&s, "guards: {agents: {minute: 9}, ramp: {start: 2}}\n", STEPS);
    for (unsigned i = 0; i < IV_COUNT(agents); i++) {
        find(&s, i + 1, agents[i]);
    }
    iv_playbooks_unref(TAKE(s.playbooks));
    stage_load(&s, "guards: {agents: {minute: 1, share: 1}, ramp: {start: 2}}\n", STEPS);
    stage_respond(&s, hook_url(hook));
    const iv_ns began = s.now;
    for (int turns = 0; turns < 4; turns++) {
        run_at(&s, began);
    }

    cr_expect(hook_count(hook) == 2, "%zu: both of the first agent", hook_count(hook));
    cr_expect(strstr(cause_of_waiting(&s), "guard agents.minute: at most 1 ") != NULL);
    for (int turns = 0; turns < 4; turns++) {
        run_at(&s, began + MINUTE);
    }
    cr_expect(hook_count(hook) == 4, "%zu: both of the second", hook_count(hook));
}

Test(pace, what_is_planned_later_does_not_go_before_what_waits)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "guards: {executions: {minute: 2}, ramp: {start: 100}}\n", STEPS);
    for (unsigned number = 1; number <= 4; number++) {
        s.now += number == 3 ? MINUTE : 0;
        find(&s, number, 1);
    }
    stage_respond(&s, hook_url(hook));
    run_at(&s, s.now);
    cr_assert(hook_count(hook) == 2);
    s.now += MINUTE; /* there is room again when it is planned */
    find(&s, 5, 1);

    cr_expect(stage_step(&s, 0).state == IV_STEP_QUEUED);
    cr_expect_str_eq(stage_execution(&s).cause.p, "guard ramp: others were there before; waits for its turn");
    run_at(&s, s.now);
    cr_expect(hook_count(hook) == 4 && count_of(&s, IV_RUN_PLANNED) == 1);
    run_at(&s, s.now + MINUTE);
    cr_expect(hook_count(hook) == 5);
}

Test(pace, what_has_fallen_is_refused_whatever_guard_it_waits_for)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "guards: {executions: {hour: 1}, ramp: {start: 100}}\n", STEPS);
    find(&s, 1, 1);
    s.now += HOUR;
    find(&s, 2, 1);
    stage_respond(&s, hook_url(hook));
    run_at(&s, s.now);
    cr_assert(hook_count(hook) == 1 && count_of(&s, IV_RUN_PLANNED) == 1);
    s.sample.verdict.kind = IV_CONTRADICTED;
    stage_find(&s);
    run_at(&s, s.now);

    cr_expect(stage_execution(&s).state == IV_RUN_REFUSED);
    cr_expect_str_eq(stage_execution(&s).cause.p, "later evidence contradicts the finding");
}

Test(pace, what_somebody_approved_begins_at_once)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    IV_AUTO(stage_deinit) struct stage s;
    iv_arena_init(&arena, 0);
    stage_init_playbook(&s, "guards: {executions: {minute: 2}, ramp: {start: 100}}\n", STEPS);
    for (unsigned number = 1; number <= 3; number++) {
        find(&s, number, 1);
    }
    struct iv_execution held = stage_execution(&s);
    cr_assert(held.state == IV_RUN_WAITING);
    stage_respond(&s, hook_url(hook));
    stage_run(&s, false);

    cr_assert(iv_ok(iv_store_begin(s.store, NULL)));
    struct iv_task *all = NULL;
    size_t count = 0;
    cr_assert(iv_ok(iv_store_tasks(s.store, &all, &count, IV_TASKS_OF, held.key, 0, 1, &arena, NULL)));
    cr_assert(iv_ok(iv_move_approved(s.store, &all[0].execution, IV_STR("approved"), s.now, &arena, NULL)));
    cr_assert(iv_ok(iv_store_commit(s.store, NULL)));
    stage_run(&s, false);

    cr_expect(hook_count(hook) == 3 && stage_execution(&s).state == IV_RUN_DONE);
}

/* Each execution that began: when, and at whom. */
struct begun {
    struct {
        iv_ns at;
        unsigned agent;
    } items[512];
    size_t count;
    size_t planned; /* not begun yet, and waiting for nobody */
};

static bool add(void *ctx, const struct iv_execution *e)
{
    struct begun *b = ctx;
    cr_assert(b->count < IV_COUNT(b->items) && e->touched.agent.n == 2);
    b->planned += e->state == IV_RUN_PLANNED;
    if (e->started > 0) {
        b->items[b->count].at = e->started;
        b->items[b->count++].agent = (unsigned)(e->touched.agent.p[1] - '0');
    }
    return true;
}

static struct begun read_begun(struct stage *s)
{
    struct begun b = {.count = 0};
    const struct iv_execution_filter all = {.limit = IV_COUNT(b.items)};
    cr_assert(iv_ok(iv_reader_executions(s->reader, &all, add, &b, NULL)));
    return b;
}

/* No window that ends as one begins has more in it than it may. */
static void check_window(const struct begun *b, iv_ns window, size_t executions, size_t agents)
{
    for (size_t i = 0; i < b->count; i++) {
        bool seen[AGENTS] = {false};
        size_t begun = 0;
        size_t distinct = 0;
        for (size_t k = 0; k < b->count; k++) {
            if (b->items[k].at > b->items[i].at || b->items[k].at <= b->items[i].at - window) {
                continue;
            }
            begun++;
            distinct += !seen[b->items[k].agent];
            seen[b->items[k].agent] = true;
        }
        cr_assert(begun <= executions && distinct <= agents, "%zu executions, %zu agents within %d s", begun,
                  distinct, (int)(window / IV_NS_PER_S));
    }
}

static unsigned next(uint64_t *seed, unsigned below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*seed >> 33) % below;
}

/* Findings come, calls are made at times and not for long stretches, and everything is restarted. */
static void live(struct stage *s, uint64_t *seed)
{
    bool up = true;
    for (unsigned number = 1; number <= 250; number++) {
        s->now += (iv_ns)next(seed, 45) * IV_NS_PER_S + (next(seed, 15) == 0 ? next(seed, 6) * HOUR : 0);
        find(s, number, next(seed, AGENTS));
        if (next(seed, 40) == 0) {
            up = !up;
        }
        if (next(seed, 40) == 0) {
            iv_responder_free(TAKE(s->responder));
            iv_store_close(TAKE(s->store));
            cr_assert(iv_ok(iv_store_open(&s->store, scratch_file(&s->dir, "s.db"), NULL)));
            stage_respond(s, NULL);
        }
        if (up) {
            stage_run(s, false);
        }
    }
}

Test(pace, in_no_window_does_more_begin_than_it_allows_however_long_it_was_held_up)
{
    IV_AUTO(stage_deinit) struct stage s;
    uint64_t seed = 11;
    stage_init_playbook(&s,
                        "guards: {executions: {minute: 3, hour: 40, day: 90}, agents: {minute: 2, hour: 4,"
                        " day: 6, share: 1}, ramp: {start: 1000, errors: 1}}\n",
                        COMMAND);
    stage_respond(&s, NULL);

    live(&s, &seed);
    for (unsigned turns = 0; turns < 300 && read_begun(&s).planned > 0; turns++) {
        run_at(&s, s.now + 20 * MINUTE);
    }

    struct begun b = read_begun(&s);
    cr_expect(b.planned == 0 && b.count > 90, "%zu begun, %zu have not", b.count, b.planned);
    check_window(&b, MINUTE, 3, 2);
    check_window(&b, HOUR, 40, 4);
    check_window(&b, 24 * HOUR, 90, 6);
}
