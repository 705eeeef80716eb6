/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
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
