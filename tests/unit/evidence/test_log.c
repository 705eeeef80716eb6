/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/guard.h"
#include "event/checkpoint.h"
#include "evidence/coverage.h"
#include "evidence/log.h"
#include "evidence/reader.h"
#include "support/log_audit.h"
#include "support/sample.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>

#define MINUTE (60 * IV_NS_PER_S)

struct world {
    struct scratch dir;
    struct sample s;
    struct iv_store *store;
    iv_ns now;
    char path[128];
};

static iv_ns now_of(void *ctx)
{
    return *(iv_ns *)ctx;
}

static struct iv_store *open_store(struct world *w)
{
    struct iv_store *store = NULL;
    struct iv_err err = {.text = ""};
    struct iv_clock clock = {now_of, now_of, &w->now};
    cr_assert(iv_ok(iv_store_open(&store, iv_str_of(w->path), &err)), "%s", err.text);
    iv_store_use_clock(store, &clock);
    return store;
}

static void world_init(struct world *w)
{
    w->dir = scratch_make();
    w->now = SAMPLE_TIME;
    sample_init(&w->s);
    struct iv_str path = scratch_file(&w->dir, "s.db");
    (void)snprintf(w->path, sizeof w->path, "%.*s", (int)path.n, path.p);
    w->store = open_store(w);
}

static void world_deinit(struct world *w)
{
    iv_store_close(w->store);
    sample_deinit(&w->s);
    scratch_remove(&w->dir);
}

static void put(struct world *w, struct iv_store *store)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf scratch;
    iv_buf_init(&scratch, 1 << 16);
    struct iv_finding row;
    struct iv_err err = {.text = ""};
    enum iv_put how = IV_PUT_SAME;
    cr_assert(iv_ok(iv_finding_of_verdict(&row, &scratch, &w->s.baseline, &w->s.verdict, w->now, &err)), "%s",
              err.text);
    cr_assert(iv_ok(iv_store_put_finding(store, &how, &row, &err)), "%s", err.text);
}

/* How many entries the log has, if all of it is in order. */
static int audited(const struct world *w)
{
    uint64_t size = 0;
    const char *wrong = log_audit(&size, w->path);
    cr_assert_null(wrong, "%s", wrong);
    return (int)size;
}

static void begin(struct iv_store *store)
{
    cr_assert(iv_ok(iv_store_begin(store, NULL)));
}

static void commit(struct iv_store *store)
{
    cr_assert(iv_ok(iv_store_commit(store, NULL)));
}

Test(log, a_finding_has_one_entry_for_each_change)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);

    for (unsigned n = 1; n <= 20; n++) {
        begin(w.store);
        sample_number(&w.s, n);
        w.s.verdict.kind = IV_VIOLATED;
        put(&w, w.store);
        put(&w, w.store);
        if (n % 3 == 0) {
            w.s.verdict.kind = IV_CONTRADICTED;
            put(&w, w.store);
        }
        commit(w.store);
    }

    cr_expect_eq(audited(&w), 26);
}

Test(log, what_is_rolled_back_was_never_entered)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);

    for (unsigned n = 1; n <= 20; n++) {
        begin(w.store);
        sample_number(&w.s, n);
        put(&w, w.store);
        if (n % 3 == 1) {
            iv_store_rollback(w.store);
        } else {
            commit(w.store);
        }
    }

    cr_expect_eq(audited(&w), 13);
}

Test(log, two_that_write_one_store_make_one_log)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    IV_AUTO(iv_store_closep) struct iv_store *other = open_store(&w);

    for (unsigned n = 1; n <= 20; n++) {
        struct iv_store *store = n % 3 == 0 ? other : w.store;
        begin(store);
        sample_number(&w.s, n);
        put(&w, store);
        commit(store);
    }

    cr_expect_eq(audited(&w), 20);
}

Test(log, its_time_never_goes_back)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);

    for (unsigned n = 1; n <= 6; n++) {
        begin(w.store);
        sample_number(&w.s, n);
        put(&w, w.store);
        commit(w.store);
        w.now -= n % 2 == 0 ? 3600 * IV_NS_PER_S : -IV_NS_PER_S;
    }

    cr_expect_eq(audited(&w), 6);
}

Test(log, findings_of_an_older_store_are_entered_when_it_is_opened)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    begin(w.store);
    for (unsigned n = 1; n <= 5; n++) {
        sample_number(&w.s, n);
        put(&w, w.store);
    }
    commit(w.store);
    iv_store_close(w.store);
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open(w.path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "DELETE FROM log; UPDATE findings SET leaf = -1", NULL, NULL, NULL),
                 SQLITE_OK);
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);

    w.store = open_store(&w);

    cr_expect_eq(audited(&w), 5);
}

static void cover(struct world *w, iv_ns reach, const struct iv_loss *losses, size_t count)
{
    struct iv_cover cover = {.stream = IV_LEDGER,
                             .partition = 3,
                             .state = IV_COVER_READ,
                             .first = SAMPLE_TIME,
                             .reach = reach,
                             .losses = losses,
                             .loss_count = count};
    struct iv_err err = {.text = ""};
    begin(w->store);
    cr_assert(iv_ok(iv_store_put_cover(w->store, IV_STR("ledger"), &cover, &err)), "%s", err.text);
    commit(w->store);
}

Test(log, coverage_is_entered_when_something_was_lost_or_an_hour_was_read)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    const struct iv_loss lost = {.cause = IV_LOSS_LATE, .from = 1, .until = 2, .records = 1};

    cover(&w, SAMPLE_TIME, NULL, 0);
    cr_expect_eq(audited(&w), 1, "the first that is heard of it");
    w.now += MINUTE;
    cover(&w, SAMPLE_TIME + MINUTE, NULL, 0);
    cr_expect_eq(audited(&w), 1, "a minute is nothing new");
    cover(&w, SAMPLE_TIME + MINUTE, &lost, 1);
    cr_expect_eq(audited(&w), 2);
    w.now += MINUTE - 1;
    cover(&w, SAMPLE_TIME + MINUTE, NULL, 0);
    cr_expect_eq(audited(&w), 2, "not more than once a minute");
    w.now += 1;
    cover(&w, SAMPLE_TIME + MINUTE, NULL, 0);
    cr_expect_eq(audited(&w), 3, "but then");
    w.now += MINUTE;
    cover(&w, SAMPLE_TIME + 61 * MINUTE, NULL, 0);
    cr_expect_eq(audited(&w), 4, "an hour");
}

Test(log, what_a_rule_has_lost_is_entered)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    const struct iv_loss lost = {.cause = IV_LOSS_EVICTED, .from = 1, .until = 2, .records = 1};

    begin(w.store);
    cr_assert(iv_ok(iv_store_add_rule_loss(w.store, IV_STR("TOK-002"), &lost, NULL)));
    commit(w.store);

    cr_expect_eq(audited(&w), 1);
}

static struct iv_keyring *ring_of(struct iv_str id, const struct iv_signer *signer)
{
    struct iv_keyring *ring = NULL;
    IV_AUTO(iv_buf_deinit) struct iv_buf pem;
    iv_buf_init(&pem, 4096);
    cr_assert(iv_ok(iv_signer_public_pem(&pem, signer, NULL)));
    cr_assert(iv_ok(iv_keyring_new(&ring, NULL)));
    struct iv_key key = {.id = id, .role = IV_STR("log"), .public_key = iv_buf_slice(&pem)};
    cr_assert(iv_ok(iv_keyring_add(ring, &key, NULL)));
    return ring;
}

/* The newest checkpoint, if it is in order; its size. */
static uint64_t checkpoint_of(const struct world *w, const struct iv_signer *signer)
{
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    IV_AUTO(iv_digester_freep) struct iv_digester *digester = NULL;
    IV_AUTO(iv_buf_deinit) struct iv_buf bytes;
    struct iv_note note;
    struct iv_checkpoint checkpoint;
    struct iv_err err = {.text = ""};
    iv_buf_init(&bytes, IV_NOTE_BYTES);
    cr_assert(iv_ok(iv_digester_new(&digester, NULL)));
    cr_assert(iv_ok(iv_reader_open(&reader, iv_str_of(w->path), &err)), "%s", err.text);
    struct iv_rc_s rc = iv_reader_checkpoint(reader, &bytes, &err);
    if (rc.code == IV_E_ABSENT) {
        return 0;
    }
    cr_assert(iv_ok(rc), "%s", err.text);
    cr_assert(iv_ok(iv_note_parse(&note, iv_buf_slice(&bytes), &err)), "%s", err.text);
    cr_assert(iv_ok(iv_checkpoint_parse(&checkpoint, note.text, &err)), "%s", err.text);
    struct iv_keyring *ring = ring_of(checkpoint.origin, signer);
    cr_assert(iv_note_verify(&note, ring, IV_STR("log"), iv_instant_of_ns(w->now), digester));
    iv_keyring_free(ring);
    return checkpoint.size;
}

static void put_number(struct world *w, unsigned n)
{
    begin(w->store);
    sample_number(&w->s, n);
    put(w, w->store);
    commit(w->store);
}

Test(log, is_signed_when_there_is_enough_or_it_was_long_ago)
{
    static const unsigned char seed[32] = {7};
    IV_AUTO(world_deinit) struct world w;
    IV_AUTO(iv_signer_freep) struct iv_signer *signer = NULL;
    world_init(&w);
    cr_assert(iv_ok(iv_signer_of_seed(&signer, seed, NULL)));
    cr_expect_eq(checkpoint_of(&w, signer), 0);
    put_number(&w, 1);
    cr_expect_eq(checkpoint_of(&w, signer), 0, "nobody signs");

    cr_assert(iv_ok(
        iv_store_sign_log(w.store, &(struct iv_log_signing){signer, .entries = 3, .every = MINUTE}, NULL)));
    put_number(&w, 2);
    cr_expect_eq(checkpoint_of(&w, signer), 2, "the first there is to sign");
    put_number(&w, 3);
    put_number(&w, 4);
    cr_expect_eq(checkpoint_of(&w, signer), 2);
    put_number(&w, 5);
    cr_expect_eq(checkpoint_of(&w, signer), 5, "three of them");
    put_number(&w, 6);
    w.now += MINUTE;
    begin(w.store);
    commit(w.store);
    cr_expect_eq(checkpoint_of(&w, signer), 6, "a minute, in whatever transaction comes");
    put_number(&w, 7);
    begin(w.store);
    iv_store_seal_log(w.store);
    iv_store_rollback(w.store);
    cr_expect_eq(checkpoint_of(&w, signer), 6, "rolled back");
    begin(w.store);
    iv_store_seal_log(w.store);
    commit(w.store);
    cr_expect_eq(checkpoint_of(&w, signer), 7, "on demand");
    cr_expect_eq(audited(&w), 7);
}
