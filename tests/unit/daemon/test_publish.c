/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves the outbox, to a broker that the client library has within itself. */
#include "base/guard.h"
#include "daemon/publish_step.h"
#include "respond/halt.h"
#include "support/overdue.h"
#include "support/scratch.h"

#include <criterion/criterion.h>

#define TURNS_MAX 100000

struct world {
    struct scratch dir;
    struct iv_property properties[2];
    struct iv_config config;
    struct iv_store *store;
    struct iv_publish_step *step;
};

static void world_init_with(struct world *w, const char *name, const char *value, const char *linger)
{
    struct iv_err err = {.text = ""};
    *w = (struct world){.dir = scratch_make()};
    w->properties[0] = (struct iv_property){.name = iv_str_of(name), .value = iv_str_of(value)};
    w->properties[1] = (struct iv_property){.name = IV_STR("linger.ms"), .value = iv_str_of(linger)};
    w->config.kafka = w->properties;
    w->config.kafka_count = 2;
    w->config.topics.findings = IV_STR("findings");
    cr_assert(iv_ok(iv_store_open(&w->store, scratch_file(&w->dir, "store.db"), &err)), "%s", err.text);
    const struct iv_publish_step_options options = {
        .store = w->store, .config = &w->config, .clock = iv_clock_system()};
    cr_assert(iv_ok(iv_publish_step_new(&w->step, &options, &err)), "%s", err.text);
}

static void world_init(struct world *w)
{
    world_init_with(w, "test.mock.num.brokers", "1", "1");
}

static void world_deinit(struct world *w)
{
    iv_publish_step_free(w->step);
    iv_store_close(w->store);
    scratch_remove(&w->dir);
}

static void post(struct world *w, enum iv_channel channel)
{
    const struct iv_posting posting = {.channel = channel,
                                       .topic = IV_STR("commands"),
                                       .key = IV_STR("k"),
                                       .value = IV_STR("{}"),
                                       .idempotency_key = IV_STR("")};
    cr_assert(iv_ok(iv_store_begin(w->store, NULL)));
    cr_assert(iv_ok(iv_store_post(w->store, NULL, &posting, NULL)));
    cr_assert(iv_ok(iv_store_commit(w->store, NULL)));
}

static void halt(struct world *w, bool holds)
{
    cr_assert(iv_ok(iv_store_begin(w->store, NULL)));
    cr_assert(iv_ok(iv_halt_put(w->store, holds, IV_STR("ann"), IV_STR("drill"), IV_NS_PER_S, NULL)));
    cr_assert(iv_ok(iv_store_commit(w->store, NULL)));
}

static void turn_until(struct world *w, int64_t left)
{
    for (int i = 0; i < TURNS_MAX && iv_store_outbox_count(w->store) != left; i++) {
        if (!iv_publish_turn(w->step)) {
            iv_pause(IV_NS_PER_MS);
        }
    }
    cr_expect_eq(iv_store_outbox_count(w->store), left, "%lld are left",
                 (long long)iv_store_outbox_count(w->store));
}

/* It was given before the stop, while the broker was away. */
Test(publish, lets_no_command_out_while_the_stop_holds_and_findings_pass_it_by)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    post(&w, IV_CHANNEL_COMMAND);
    post(&w, IV_CHANNEL_FINDING);
    halt(&w, true);
    turn_until(&w, 1);
    post(&w, IV_CHANNEL_FINDING);
    turn_until(&w, 1);

    halt(&w, false);

    turn_until(&w, 0);
}

Test(publish, lets_no_command_out_while_the_file_of_the_stop_exists)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    scratch_write(&w.dir, "pause", IV_STR(""));
    w.config.respond.pause_file = scratch_file(&w.dir, "pause");
    post(&w, IV_CHANNEL_COMMAND);
    post(&w, IV_CHANNEL_FINDING);
    turn_until(&w, 1);

    w.config.respond.pause_file = (struct iv_str){NULL, 0};

    turn_until(&w, 0);
}

Test(publish, of_what_is_withdrawn_while_the_broker_is_not_there_nothing_is_left)
{
    IV_AUTO(world_deinit) struct world w;
    int64_t id = 0;
    const struct iv_posting command = {.channel = IV_CHANNEL_COMMAND,
                                       .topic = IV_STR("commands"),
                                       .key = IV_STR("k"),
                                       .value = IV_STR("{}"),
                                       .idempotency_key = IV_STR("")};
    world_init_with(&w, "bootstrap.servers", "127.0.0.1:1", "1");
    cr_assert(iv_ok(iv_store_begin(w.store, NULL)));
    cr_assert(iv_ok(iv_store_post(w.store, &id, &command, NULL)));
    cr_assert(iv_ok(iv_store_commit(w.store, NULL)));
    for (int i = 0; i < 10; i++) {
        cr_expect(iv_publish_turn(w.step), "it is under way");
    }
    cr_expect_eq(iv_store_outbox_count(w.store), 1);

    cr_assert(iv_ok(iv_store_begin(w.store, NULL)));
    cr_assert(iv_ok(iv_store_withdraw(w.store, id, NULL)));
    cr_assert(iv_ok(iv_store_commit(w.store, NULL)));
    (void)iv_publish_turn(w.step);

    cr_expect_eq(iv_store_outbox_count(w.store), 0);
}

/* The client keeps it for a while, as it would for a broker that is away. */
Test(publish, calls_back_the_commands_that_have_not_left_when_the_stop_comes)
{
    IV_AUTO(world_deinit) struct world w;
    world_init_with(&w, "test.mock.num.brokers", "1", "200000");
    post(&w, IV_CHANNEL_COMMAND);
    for (int i = 0; i < 10; i++) {
        cr_assert(iv_publish_turn(w.step), "it is under way");
    }

    halt(&w, true);
    while (iv_publish_turn(w.step)) {
        cr_assert(!overdue(), "the client still has it");
    }

    cr_expect_eq(iv_store_outbox_count(w.store), 1, "nor is it lost");
}
