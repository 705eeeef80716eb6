/* SPDX-License-Identifier: Apache-2.0 */
/* Many steps that are looked for at a time: who is asked about what. */
#include "base/guard.h"
#include "event/decode.h"
#include "respond/inquiry_set.h"
#include "support/sample.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define S IV_NS_PER_S
#define MANY 1000

struct world {
    struct sample sample;
    struct iv_arena arena;
    struct iv_decoder *decoder;
    struct iv_inquiry_set *set;
};

static void world_init(struct world *w)
{
    const struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    sample_init(&w->sample);
    iv_arena_init(&w->arena, 0);
    cr_assert(
        iv_ok(iv_decoder_new(&w->decoder, w->sample.catalogue, &limits, (struct iv_hash_key){0, 0}, NULL)));
    cr_assert(iv_ok(iv_inquiry_set_new(&w->set, NULL)));
}

static void world_deinit(struct world *w)
{
    iv_inquiry_set_free(w->set);
    iv_decoder_free(w->decoder);
    iv_arena_deinit(&w->arena);
    sample_deinit(&w->sample);
}

static struct iv_step step_of(struct world *w, unsigned number)
{
    struct iv_step step = {
        .position = number % 3, .done = SAMPLE_TIME, .started = SAMPLE_TIME, .within = 60 * S};
    step.execution = iv_arena_printf(&w->arena, "execution-%u", number / 3);
    return step;
}

/* "must not be seen", of the token t-NUMBER. */
static void add(struct world *w, unsigned number, const char *event, const char *where)
{
    struct iv_task task = {.step = step_of(w, number)};
    struct iv_inquiry *inquiry = NULL;
    struct iv_err err = {.text = ""};
    task.step.expectation =
        iv_arena_printf(&w->arena,
                        "{\"sense\":\"unseen\",\"event\":\"%s\",\"stream\":\"telemetry\",\"as\":\"e\","
                        "\"where\":\"%s\",\"after\":0,"
                        "\"settle\":0,\"complete\":true,\"names\":{\"target\":\"\\\"t-%u\\\"\"}}",
                        event, where, number);
    cr_assert(iv_ok(iv_inquiry_new(&inquiry, &task, w->decoder, w->sample.catalogue, SAMPLE_TIME, &err)),
              "%s", err.text);
    iv_inquiry_set_add(w->set, inquiry);
}

/* A record of a second later; false: nobody wants it decoded. */
static bool show(struct world *w, const char *json, bool back)
{
    char room[1024] = "";
    struct iv_event event;
    struct iv_record record = {.origin = {IV_TELEMETRY, 0, 7, IV_STR("telemetry")}};
    record.bytes = (struct iv_str){room, (size_t)snprintf(room, sizeof room - IV_RECORD_PADDING, "%s", json)};
    if (!iv_inquiry_set_wants(w->set, &record)) {
        return false;
    }
    bool decoded = iv_ok(iv_decode(w->decoder, &record, &w->arena, &event, NULL));
    cr_assert(iv_ok(iv_inquiry_set_show(w->set, &record, decoded ? &event : NULL, back, NULL)));
    return true;
}

#define RECORD(type, data)                                                                                   \
    "{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"s\",\"type\":\"" type                                \
    "\",\"time\":\"2026-01-01T00:00:03.5Z\",\"data\":" data "}"

/* How many come to which verdict, once all has been read. */
static size_t proven(struct world *w, enum iv_proof_verdict verdict)
{
    size_t count = 0;
    size_t found = 0;
    struct iv_proof proof;
    const struct iv_sought *items = iv_inquiry_set_items(w->set, &count);
    for (size_t i = 0; i < count; i++) {
        struct iv_inquiry_state state = {.reached = iv_inquiry_settled(items[i].inquiry), .now = SAMPLE_TIME};
        cr_assert(iv_inquiry_decide(items[i].inquiry, &proof, &state));
        found += proof.verdict == verdict;
    }
    return found;
}

static bool is_failed(struct world *w, size_t at)
{
    size_t count = 0;
    struct iv_proof proof;
    const struct iv_sought *items = iv_inquiry_set_items(w->set, &count);
    struct iv_inquiry_state state = {.reached = IV_NS_MIN, .now = SAMPLE_TIME};
    return iv_inquiry_decide(items[at].inquiry, &proof, &state) && proof.verdict == IV_PROOF_FAILED;
}

Test(inquiries, are_told_by_the_text_that_their_condition_asks_for)
{
    static const struct {
        const char *where;
        bool keyed;
    } rows[] = {
        {"e.token_id == target", true},
        {"target == e.token_id && e.scope != 'x'", true},
        {"has(e.scope) && e.token_id == target", true},
        {"e.token_id != target", false},
        {"e.token_id == target || e.scope == 'x'", false},
        {"e.token_id in [target, 't-2']", false},
        {"e.token_id.startsWith(target)", false},
        {"true", false},
    };
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        size_t count = 0;
        struct iv_str text;
        uint16_t name = 0;
        add(&w, 1, "token.used", rows[i].where);
        const struct iv_sought *items = iv_inquiry_set_items(w.set, &count);

        bool keyed = iv_inquiry_key(items[count - 1].inquiry, &name, &text);

        cr_expect(keyed == rows[i].keyed, "row %zu", i);
        cr_expect(!keyed || iv_str_eq(text, IV_STR("t-1")), "row %zu: " IV_STR_FMT, i, IV_STR_ARG(text));
    }
}

Test(inquiries, are_shown_what_they_may_count_however_many_there_are)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    for (unsigned i = 0; i < MANY; i++) {
        add(&w, i, "token.used", "e.token_id == target");
    }
    add(&w, MANY, "token.used", "e.token_id.endsWith('-7')");
    add(&w, MANY + 1, "token.revoked", "e.token_id == target");

    cr_expect(!show(&w, RECORD("enclave.terminated", "{\"enclave_id\":\"t-7\"}"), false));
    cr_expect(show(&w, RECORD("token.used", "{\"token_id\":\"t-7\"}"), false));

    cr_expect(proven(&w, IV_PROOF_FAILED) == 2 && is_failed(&w, 7) && is_failed(&w, MANY));
    cr_expect(show(&w, RECORD("token.revoked", "{\"token_id\":\"t-1001\"}"), false));
    cr_expect(proven(&w, IV_PROOF_FAILED) == 3 && is_failed(&w, MANY + 1));
    cr_expect(proven(&w, IV_PROOF_AMBIGUOUS) == 0);
}

Test(inquiries, of_a_type_are_all_in_doubt_about_a_record_that_cannot_be_told)
{
    static const char *const records[] = {
        RECORD("token.used", "{\"token_id\":7}"),
        RECORD("token.used", "{}"),
        RECORD("token.used", "{\"token_id\":\"t-1\""),
    };
    for (size_t i = 0; i < IV_COUNT(records); i++) {
        IV_AUTO(world_deinit) struct world w;
        world_init(&w);
        for (unsigned n = 0; n < 10; n++) {
            add(&w, n, n < 5 ? "token.used" : "token.revoked", "e.token_id == target");
        }

        cr_expect(show(&w, records[i], false));

        cr_expect(proven(&w, IV_PROOF_AMBIGUOUS) == 5, "row %zu: %zu", i, proven(&w, IV_PROOF_AMBIGUOUS));
    }
}

Test(inquiries, that_do_not_wait_for_what_lies_before_are_not_shown_it)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    size_t count = 0;
    for (unsigned i = 0; i < 2; i++) {
        add(&w, i, "token.used", "e.token_id in ['t-1']");
    }
    iv_inquiry_set_items(w.set, &count)[1].lane = IV_LANE_BACK;

    cr_expect(show(&w, RECORD("token.used", "{\"token_id\":\"t-1\"}"), true));
    iv_inquiry_set_missed(w.set, IV_TELEMETRY, true, "a gap");
    cr_expect(!is_failed(&w, 0) && is_failed(&w, 1));
    cr_expect(proven(&w, IV_PROOF_VERIFIED) == 1);

    iv_inquiry_set_missed(w.set, IV_LEDGER, false, "a gap");
    cr_expect(proven(&w, IV_PROOF_VERIFIED) == 1);
    iv_inquiry_set_missed(w.set, IV_TELEMETRY, false, "a gap");
    cr_expect(proven(&w, IV_PROOF_AMBIGUOUS) == 1);
}

Test(inquiries, stay_as_long_as_their_steps_wait)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    struct iv_step steps[MANY];
    bool known[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        add(&w, i, "token.used", "e.token_id == target");
        steps[i] = step_of(&w, i % 2 == 0 ? i : i + MANY);
    }
    steps[0].done++; /* taken back, and done again */

    iv_inquiry_set_keep(w.set, known, steps, MANY);

    size_t count = 0;
    const struct iv_sought *items = iv_inquiry_set_items(w.set, &count);
    cr_expect(count == MANY / 2 - 1);
    for (size_t i = 0; i < MANY; i++) {
        cr_expect(known[i] == (i % 2 == 0 && i > 0), "%zu", i);
        bool there = false;
        for (size_t k = 0; k < count; k++) {
            there = there || iv_inquiry_is_of(items[k].inquiry, &steps[i]);
        }
        cr_expect(there == known[i], "%zu", i);
    }
    cr_expect(show(&w, RECORD("token.used", "{\"token_id\":\"t-8\"}"), false));
    cr_expect(proven(&w, IV_PROOF_FAILED) == 1);
}
