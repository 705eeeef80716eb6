/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "respond/halt.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define STEP                                                                                                 \
    "- name: announce\n  kafka: {topic: commands, key: \"{{trigger.token_id}}\", value: {t: "                \
    "\"{{trigger.token_id}}\"}}\n"

struct command {
    int count;
    int64_t id;
    char topic[32];
    char key[32];
    char value[64];
    char idempotency_key[IV_UID_HEX + 1];
};

static void copy(char *out, size_t size, struct iv_str s)
{
    cr_assert(s.n < size);
    memcpy(out, s.p, s.n);
    out[s.n] = '\0';
}

static void find_command(void *ctx, const struct iv_posting *p)
{
    struct command *c = ctx;
    if (p->channel == IV_CHANNEL_COMMAND) {
        c->count++;
        c->id = p->id;
        copy(c->topic, sizeof c->topic, p->topic);
        copy(c->key, sizeof c->key, p->key);
        copy(c->value, sizeof c->value, p->value);
        copy(c->idempotency_key, sizeof c->idempotency_key, p->idempotency_key);
    }
}

static struct command command_in_outbox(struct stage *s)
{
    struct command c = {0};
    cr_assert(iv_ok(iv_store_outbox(s->store, 0, 1000, find_command, &c, NULL)));
    return c;
}

static void deliver(struct stage *s, int64_t id)
{
    cr_assert(iv_ok(iv_store_begin(s->store, NULL)));
    cr_assert(iv_ok(iv_store_delivered(s->store, &id, 1, NULL)));
    cr_assert(iv_ok(iv_store_commit(s->store, NULL)));
}

Test(kafka, hands_a_command_to_the_outbox_and_is_done_when_it_was_delivered)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP);
    stage_find(&s);
    stage_respond(&s, NULL);

    stage_run(&s, false);
    struct command c = command_in_outbox(&s);
    struct iv_step step = stage_step(&s, 0);
    cr_assert(c.count == 1);
    cr_expect_str_eq(c.topic, "commands");
    cr_expect_str_eq(c.key, "t-1");
    cr_expect_str_eq(c.value, "{\"t\":\"t-1\"}");
    cr_expect_str_eq(c.idempotency_key, step.key.p);
    cr_expect(step.state == IV_STEP_CALLING);

    deliver(&s, c.id);
    stage_run(&s, false);
    cr_expect(stage_step(&s, 0).state == IV_STEP_DONE);
    cr_expect(stage_execution(&s).state == IV_RUN_DONE);
}

Test(kafka, does_not_hand_a_command_over_again_after_a_restart)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP);
    stage_find(&s);
    stage_respond(&s, NULL);
    stage_run(&s, false);

    stage_respond(&s, NULL);
    stage_run(&s, false);

    cr_expect(command_in_outbox(&s).count == 1);
    cr_expect(stage_step(&s, 0).state == IV_STEP_CALLING && stage_step(&s, 0).attempt == 1);
}

Test(kafka, fails_a_command_that_is_larger_than_the_broker_takes)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP);
    stage_find(&s);
    stage_respond(&s, NULL);
    stage_run(&s, false);
    int64_t id = command_in_outbox(&s).id;

    cr_assert(iv_ok(iv_store_begin(s.store, NULL)));
    cr_assert(iv_ok(iv_store_undeliverable(s.store, &id, 1, NULL)));
    cr_assert(iv_ok(iv_store_commit(s.store, NULL)));
    stage_run(&s, false);

    cr_expect(command_in_outbox(&s).count == 0);
    cr_expect(stage_step(&s, 0).state == IV_STEP_FAILED);
    cr_expect(stage_execution(&s).state == IV_RUN_FAILED);
}

#define S IV_NS_PER_S
#define IMPATIENT STEP "  timeout: 5s\n  retry: {attempts: 3, backoff: 2s}\n"

static void run_at(struct stage *s, iv_ns now)
{
    s->now = now;
    stage_run(s, false);
}

/* Nobody takes anything out of the outbox: the broker is not there. */
Test(kafka, tries_as_often_as_it_may_with_one_message_and_then_fails)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, IMPATIENT);
    stage_find(&s);
    stage_respond(&s, NULL);
    const iv_ns began = s.now;
    run_at(&s, began);
    const int64_t id = command_in_outbox(&s).id;

    run_at(&s, began + 5 * S - 1);
    cr_expect(stage_step(&s, 0).attempt == 1);
    run_at(&s, began + 5 * S);
    struct iv_step step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_CALLING && step.attempt == 2);
    cr_expect_str_eq(step.cause.p, "the broker has not taken it within 5s");
    cr_expect(step.due >= s.now + 6 * S && step.due <= s.now + 7 * S, "the back-off, and as long again");
    run_at(&s, began + 12 * S);
    struct command c = command_in_outbox(&s);
    cr_expect(c.count == 1 && c.id == id && stage_step(&s, 0).attempt == 3, "it is the same message");
    run_at(&s, began + 21 * S);

    step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_FAILED && stage_execution(&s).state == IV_RUN_FAILED);
    cr_expect_str_eq(step.cause.p, "the broker has not taken it within 5s, after 3 attempts");
    cr_expect(command_in_outbox(&s).count == 0, "nor is it to be taken later");
}

Test(kafka, is_done_when_the_message_is_delivered_at_a_further_attempt)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, IMPATIENT);
    stage_find(&s);
    stage_respond(&s, NULL);
    const iv_ns began = s.now;
    run_at(&s, began);
    run_at(&s, began + 5 * S);

    deliver(&s, command_in_outbox(&s).id);
    run_at(&s, began + 30 * S);

    cr_expect(stage_step(&s, 0).state == IV_STEP_DONE && stage_step(&s, 0).attempt == 2);
    cr_expect(stage_execution(&s).state == IV_RUN_DONE);
}

static void halt(struct stage *s, bool holds)
{
    cr_assert(iv_ok(iv_store_begin(s->store, NULL)));
    cr_assert(iv_ok(iv_halt_put(s->store, holds, IV_STR("ann"), IV_STR("drill"), s->now, NULL)));
    cr_assert(iv_ok(iv_store_commit(s->store, NULL)));
}

Test(kafka, lets_no_time_pass_while_nothing_can_be_sent)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, IMPATIENT);
    stage_find(&s);
    stage_respond(&s, NULL);
    stage_run(&s, false);

    s.now += 60 * S;
    stage_respond(&s, NULL); /* it was not there meanwhile */
    stage_run(&s, false);
    cr_expect(stage_step(&s, 0).attempt == 1);
    halt(&s, true);
    stage_run(&s, false);
    run_at(&s, s.now + 60 * S);
    cr_expect(stage_step(&s, 0).attempt == 1);
    halt(&s, false);
    stage_run(&s, false);
    cr_expect(stage_step(&s, 0).attempt == 1);

    run_at(&s, s.now + 5 * S);
    cr_expect(stage_step(&s, 0).attempt == 2);
}

Test(kafka, that_is_not_there_holds_up_no_ramp_for_ever)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP "  timeout: 5s\n  retry: {attempts: 1}\n");
    for (unsigned number = 1; number <= 2; number++) {
        char token[16];
        (void)snprintf(token, sizeof token, "tok-%u", number);
        sample_number(&s.sample, number);
        sample_set(&s.sample, "token_id", iv_val_str(iv_str_of(token)));
        stage_find(&s);
    }
    stage_respond(&s, NULL);
    stage_run(&s, false);
    cr_expect_str_eq(command_in_outbox(&s).key, "tok-1");

    run_at(&s, s.now + 5 * S);
    stage_run(&s, false);

    struct command c = command_in_outbox(&s);
    cr_expect(c.count == 1);
    cr_expect_str_eq(c.key, "tok-2");
}
