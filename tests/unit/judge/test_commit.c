/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/commit.h"

#include "base/guard.h"
#include "baseline/problems.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#define VALUES 64

static bool is(struct iv_str s, const char *text)
{
    return iv_str_eq(s, iv_str_of(text));
}

static struct iv_baseline *shipped(void)
{
    struct iv_baseline *baseline = NULL;
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    cr_assert(iv_ok(iv_problems_new(&problems, NULL)));
    cr_assert(iv_ok(iv_baseline_load(&baseline, IV_STR(IV_SOURCE_DIR "/rules"), problems, NULL)));
    return baseline;
}

/* An event of that type with this text as its id, its agent and the detail of a verdict. */
static struct iv_sighting sighting(struct iv_val values[VALUES], const struct iv_event_type *type,
                                   struct iv_str text)
{
    cr_assert(le(sz, type->slot_count, VALUES));
    memset(values, 0, VALUES * sizeof *values);
    values[IV_ATTR_AGENT] = iv_val_str(text);
    return (struct iv_sighting){
        .source = text, .id = text, .type = type, .object = {.slot_of = type->slot_of, .slots = values}};
}

Test(commit, holds_a_verdict_after_the_batch_that_it_came_from_is_gone)
{
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *baseline = shipped();
    struct iv_commit *commit = NULL;
    struct iv_val trigger[VALUES];
    struct iv_val witness[VALUES];
    char batch[] = "agent-7";
    struct iv_str text = {batch, sizeof batch - 1};
    struct iv_sighting partner =
        sighting(witness, iv_catalogue_find(baseline->catalogue, IV_STR("token.revoked")), text);
    struct iv_verdict verdict = {
        .rule = baseline->rules[0],
        .trigger = sighting(trigger, iv_catalogue_find(baseline->catalogue, IV_STR("token.used")), text),
        .witnesses = &partner,
        .witness_count = 1,
        .witness_total = 1,
        .detail = text,
    };
    cr_assert(iv_ok(iv_commit_new(&commit, baseline, NULL)));
    cr_assert(iv_ok(iv_commit_verdict(commit, &verdict, 7, NULL)));

    memset(batch, 'x', sizeof batch - 1);
    memset(trigger, 0, sizeof trigger);
    memset(witness, 0, sizeof witness);
    memset(&partner, 0, sizeof partner);

    const struct iv_verdict_node *kept = commit->verdicts;
    cr_expect(eq(sz, commit->verdict_count, 1));
    cr_expect(eq(i64, kept->written, 7));
    cr_expect(is(kept->verdict.trigger.id, "agent-7"));
    cr_expect(is(kept->verdict.detail, "agent-7"));
    cr_expect(is(iv_val_slice(kept->verdict.trigger.object.slots[IV_ATTR_AGENT]), "agent-7"));
    cr_expect(is(kept->verdict.witnesses[0].source, "agent-7"));
    cr_expect(is(iv_val_slice(kept->verdict.witnesses[0].object.slots[IV_ATTR_AGENT]), "agent-7"));
    iv_commit_free(commit);
}

Test(commit, keeps_verdicts_in_the_order_in_which_they_fell)
{
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *baseline = shipped();
    struct iv_commit *commit = NULL;
    struct iv_val values[VALUES];
    const struct iv_event_type *type = iv_catalogue_find(baseline->catalogue, IV_STR("token.used"));
    cr_assert(iv_ok(iv_commit_new(&commit, baseline, NULL)));

    for (size_t i = 0; i < 2; i++) {
        struct iv_str text = i == 0 ? IV_STR("first") : IV_STR("second");
        struct iv_verdict verdict = {.rule = baseline->rules[0], .trigger = sighting(values, type, text)};
        cr_assert(iv_ok(iv_commit_verdict(commit, &verdict, 0, NULL)));
    }

    cr_expect(is(commit->verdicts->verdict.trigger.id, "first"));
    cr_expect(is(commit->verdicts->next->verdict.trigger.id, "second"));
    iv_commit_free(commit);
}

Test(commit, has_one_position_for_each_partition_the_last)
{
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *baseline = shipped();
    struct iv_commit *commit = NULL;
    static const struct iv_cursor moves[] = {{IV_LEDGER, 0, 5}, {IV_TELEMETRY, 0, 8}, {IV_LEDGER, 0, 6}};
    cr_assert(iv_ok(iv_commit_new(&commit, baseline, NULL)));

    for (size_t i = 0; i < IV_COUNT(moves); i++) {
        cr_assert(iv_ok(iv_commit_position(commit, IV_STR("topic"), &moves[i], NULL)));
    }

    size_t count = 0;
    for (const struct iv_position_node *p = commit->positions; p != NULL; p = p->next, count++) {
        cr_expect(eq(i64, p->cursor.offset, p->cursor.stream == IV_LEDGER ? 6 : 8));
    }
    cr_expect(eq(sz, count, 2));
    iv_commit_free(commit);
}

Test(commit, a_dead_letter_says_where_the_record_stood_and_why_it_was_refused)
{
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *baseline = shipped();
    struct iv_commit *commit = NULL;
    struct iv_record record = {.origin = {IV_LEDGER, 3, 42, IV_STR("ledger")}, .bytes = IV_STR("{")};
    cr_assert(iv_ok(iv_commit_new(&commit, baseline, NULL)));

    cr_assert(iv_ok(iv_commit_letter(commit, &record, IV_STR("data: missing"), 9, NULL)));

    const struct iv_dead_letter *letter = &commit->letters->letter;
    cr_expect(is(letter->topic, "ledger"));
    cr_expect(is(letter->reason, "data: missing"));
    cr_expect(eq(i64, letter->partition, 3));
    cr_expect(eq(i64, letter->offset, 42));
    cr_expect(eq(i64, letter->time, 9));
    cr_expect(ne(ptr, strstr(letter->json.p, "ew=="), NULL), "the bytes, as base64: %s", letter->json.p);
    iv_commit_free(commit);
}
