/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "evidence/reader.h"
#include "evidence/store.h"
#include "support/sample.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct iv_store *open_store(const struct scratch *dir)
{
    struct iv_store *store = NULL;
    struct iv_err err = {0};
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(dir, "s.db"), &err)), "%s", err.text);
    return store;
}

static enum iv_put put(struct iv_store *store, const struct sample *s)
{
    struct iv_buf scratch;
    iv_buf_init(&scratch, 1 << 16);
    struct iv_finding row;
    struct iv_err err = {0};
    enum iv_put how = IV_PUT_SAME;
    cr_assert(iv_ok(iv_finding_of_verdict(&row, &scratch, &s->baseline, &s->verdict, 1, &err)), "%s",
              err.text);
    cr_assert(iv_ok(iv_store_put_finding(store, &how, &row, &err)), "%s", err.text);
    iv_buf_deinit(&scratch);
    return how;
}

static bool count_rows(void *ctx, const struct iv_finding *finding)
{
    (void)finding;
    ++*(int *)ctx;
    return true;
}

static int findings_of(const struct scratch *dir)
{
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    struct iv_err err = {0};
    int count = 0;
    cr_assert(iv_ok(iv_reader_open(&reader, scratch_file(dir, "s.db"), &err)), "%s", err.text);
    cr_assert(iv_ok(iv_reader_findings(reader, &(struct iv_finding_filter){0}, count_rows, &count, &err)));
    return count;
}

Test(store, keeps_a_finding_once_however_often_it_is_put)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(sample_deinit) struct sample s;
    sample_init(&s);
    IV_AUTO(iv_store_closep) struct iv_store *store = open_store(&dir);

    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    cr_expect(put(store, &s) == IV_PUT_NEW);
    cr_expect(put(store, &s) == IV_PUT_SAME);
    cr_assert(iv_ok(iv_store_commit(store, NULL)));
    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    cr_expect(put(store, &s) == IV_PUT_SAME);
    cr_assert(iv_ok(iv_store_commit(store, NULL)));

    cr_expect(findings_of(&dir) == 1);
}

/* An equivocation that is met again in another order: the same uid, the least time of its events. */
Test(store, a_finding_moves_to_an_earlier_time_and_never_back)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(sample_deinit) struct sample s;
    sample_init(&s);
    IV_AUTO(iv_store_closep) struct iv_store *store = open_store(&dir);
    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    cr_expect(put(store, &s) == IV_PUT_NEW);

    s.verdict.trigger.time -= 1;
    cr_expect(put(store, &s) == IV_PUT_UPDATED);
    cr_expect(put(store, &s) == IV_PUT_SAME);
    s.verdict.trigger.time += 1;
    cr_expect(put(store, &s) == IV_PUT_SAME);
    cr_assert(iv_ok(iv_store_commit(store, NULL)));
}

Test(store, forgets_all_of_a_transaction_that_was_rolled_back)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(sample_deinit) struct sample s;
    sample_init(&s);
    IV_AUTO(iv_store_closep) struct iv_store *store = open_store(&dir);

    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    cr_expect(put(store, &s) == IV_PUT_NEW);
    iv_store_rollback(store);

    cr_expect(findings_of(&dir) == 0);
}

Test(store, moves_a_finding_forward_only)
{
    static const struct {
        enum iv_verdict_kind kind;
        size_t witnesses;
        enum iv_put want;
    } rows[] = {
        {IV_OPEN, 0, IV_PUT_NEW},        {IV_INCONCLUSIVE, 0, IV_PUT_UPDATED},
        {IV_OPEN, 0, IV_PUT_SAME},       {IV_VIOLATED, 1, IV_PUT_NEW},
        {IV_UPDATED, 2, IV_PUT_UPDATED}, {IV_VIOLATED, 1, IV_PUT_SAME},
        {IV_UPDATED, 2, IV_PUT_SAME},    {IV_UPDATED, 3, IV_PUT_UPDATED},
        {IV_UPDATED, 2, IV_PUT_SAME},    {IV_CONTRADICTED, 1, IV_PUT_UPDATED},
        {IV_UPDATED, 9, IV_PUT_SAME},
    };
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(sample_deinit) struct sample s;
    sample_init(&s);
    IV_AUTO(iv_store_closep) struct iv_store *store = open_store(&dir);
    cr_assert(iv_ok(iv_store_begin(store, NULL)));

    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        s.verdict.kind = rows[i].kind;
        s.verdict.witness_total = rows[i].witnesses;
        cr_expect(put(store, &s) == rows[i].want, "row %zu", i);
    }

    cr_assert(iv_ok(iv_store_commit(store, NULL)));
    cr_expect(findings_of(&dir) == 1);
}

static bool take_time(void *ctx, const struct iv_finding *finding)
{
    *(iv_ns *)ctx = iv_str_eq(finding->tenant, IV_STR("umbrella")) ? finding->time : 0;
    return true;
}

/* EVT-001 is dated by the earliest of its contents, which may be the last to arrive. */
Test(store, gives_an_updated_finding_the_columns_of_its_new_text)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(sample_deinit) struct sample s;
    sample_init(&s);
    IV_AUTO(iv_store_closep) struct iv_store *store = open_store(&dir);
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    iv_ns time = 0;
    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    cr_assert(put(store, &s) == IV_PUT_NEW);

    s.verdict.kind = IV_UPDATED;
    s.verdict.witness_total = 2;
    s.verdict.trigger.time -= IV_NS_PER_S;
    sample_set(&s, "tenant", iv_val_str(IV_STR("umbrella")));
    cr_assert(put(store, &s) == IV_PUT_UPDATED);

    cr_assert(iv_ok(iv_store_commit(store, NULL)));
    cr_assert(iv_ok(iv_reader_open(&reader, scratch_file(&dir, "s.db"), NULL)));
    cr_assert(iv_ok(iv_reader_findings(reader, &(struct iv_finding_filter){0}, take_time, &time, NULL)));
    cr_expect(time == SAMPLE_TIME - IV_NS_PER_S);
}

Test(store, keeps_the_greatest_position_of_a_partition_that_is_read_again)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(iv_store_closep) struct iv_store *store = open_store(&dir);
    int64_t next = 0;
    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    cr_assert(iv_ok(iv_store_put_position(store, IV_STR("ledger"), 3, 250, NULL)));

    cr_assert(iv_ok(iv_store_put_position(store, IV_STR("ledger"), 3, 100, NULL)));

    cr_assert(iv_ok(iv_store_position(store, &next, IV_STR("ledger"), 3, NULL)));
    cr_expect(next == 250);
    iv_store_rollback(store);
}

Test(store, keeps_positions_over_a_restart)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    struct iv_store *store = open_store(&dir);
    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    cr_assert(iv_ok(iv_store_put_position(store, IV_STR("ledger"), 3, 100, NULL)));
    cr_assert(iv_ok(iv_store_put_position(store, IV_STR("ledger"), 3, 250, NULL)));
    cr_assert(iv_ok(iv_store_commit(store, NULL)));
    iv_store_close(store);

    store = open_store(&dir);
    int64_t next = 0;
    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    cr_expect(iv_ok(iv_store_position(store, &next, IV_STR("ledger"), 3, NULL)));
    cr_expect(next == 250);
    cr_expect(iv_store_position(store, &next, IV_STR("ledger"), 4, NULL).code == IV_E_ABSENT);
    iv_store_rollback(store);
    iv_store_close(store);
}

Test(store, keeps_a_dead_letter_once_for_its_place)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(iv_store_closep) struct iv_store *store = open_store(&dir);
    struct iv_dead_letter letter = {.topic = IV_STR("ledger"),
                                    .partition = 1,
                                    .offset = 5,
                                    .reason = IV_STR("id: is absent"),
                                    .json = IV_STR("{}")};
    bool fresh = false;

    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    cr_expect(iv_ok(iv_store_put_dead_letter(store, &fresh, &letter, NULL)) && fresh);
    cr_expect(iv_ok(iv_store_put_dead_letter(store, &fresh, &letter, NULL)) && !fresh);
    letter.offset = 6;
    cr_expect(iv_ok(iv_store_put_dead_letter(store, &fresh, &letter, NULL)) && fresh);
    cr_assert(iv_ok(iv_store_commit(store, NULL)));
}

struct seen {
    int64_t ids[8];
    size_t count;
    enum iv_channel channel;
    char value[32];
};

static void note(void *ctx, const struct iv_posting *posting)
{
    struct seen *seen = ctx;
    seen->ids[seen->count++] = posting->id;
    seen->channel = posting->channel;
    memcpy(seen->value, posting->value.p, posting->value.n);
}

Test(outbox, holds_messages_in_order_until_they_are_delivered)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(iv_store_closep) struct iv_store *store = open_store(&dir);
    static const char *const values[] = {"one", "two", "six"};
    int64_t ids[3];
    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    for (size_t i = 0; i < 3; i++) {
        struct iv_posting p = {
            .channel = IV_CHANNEL_ACTION, .key = IV_STR("k"), .value = iv_str_of(values[i])};
        cr_assert(iv_ok(iv_store_post(store, &ids[i], &p, NULL)));
    }
    cr_assert(iv_ok(iv_store_commit(store, NULL)));

    struct seen seen = {0};
    cr_assert(iv_ok(iv_store_outbox(store, 0, 2, note, &seen, NULL)));
    cr_expect(seen.count == 2 && seen.ids[0] == ids[0] && seen.ids[1] == ids[1]);
    cr_expect_str_eq(seen.value, "two");
    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    cr_assert(iv_ok(iv_store_delivered(store, ids, 2, NULL)));
    cr_assert(iv_ok(iv_store_commit(store, NULL)));
    seen.count = 0;
    cr_assert(iv_ok(iv_store_outbox(store, 0, 8, note, &seen, NULL)));
    cr_expect(seen.count == 1 && seen.ids[0] == ids[2] && seen.channel == IV_CHANNEL_ACTION);
}

Test(outbox, knows_how_many_wait_as_far_as_is_committed)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    struct iv_store *store = open_store(&dir);
    int64_t ids[2];
    const struct iv_posting posting = {
        .channel = IV_CHANNEL_ACTION, .key = IV_STR("k"), .value = IV_STR("v")};
    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    cr_assert(iv_ok(iv_store_post(store, &ids[0], &posting, NULL)));
    cr_assert(iv_ok(iv_store_post(store, &ids[1], &posting, NULL)));
    cr_expect_eq(iv_store_outbox_count(store), 0);
    cr_assert(iv_ok(iv_store_commit(store, NULL)));
    cr_expect_eq(iv_store_outbox_count(store), 2);

    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    cr_assert(iv_ok(iv_store_delivered(store, ids, 2, NULL)));
    iv_store_rollback(store);
    cr_expect_eq(iv_store_outbox_count(store), 2);

    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    cr_assert(iv_ok(iv_store_delivered(store, ids, 1, NULL)));
    cr_assert(iv_ok(iv_store_delivered(store, ids, 1, NULL)), "again is no change");
    cr_assert(iv_ok(iv_store_commit(store, NULL)));
    cr_expect_eq(iv_store_outbox_count(store), 1);

    iv_store_close(store);
    store = open_store(&dir);
    cr_expect_eq(iv_store_outbox_count(store), 1);
    iv_store_close(store);
}
