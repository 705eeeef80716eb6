/* SPDX-License-Identifier: Apache-2.0 */
/* The store on a disk that fails at each operation in turn, in each way, once or for good, and on one that
 * loses power there: the error is told, what was acknowledged is there afterwards, and nothing is there by
 * halves. */
#include "base/guard.h"
#include "evidence/reader.h"
#include "evidence/store.h"
#include "support/disk_with_store.h"
#include "support/log_audit.h"
#include "support/sample.h"
#include "support/scratch.h"
#include "support/sqlite_memory.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMITS 6
#define REOPENED_AFTER 4 /* a store that is closed moves its log into the database */
#define ALL_OPS ((1u << DISK_OPS) - 1)
#define STRIDE 11
#define STRIDE_BEHIND 3
#define TOPIC IV_STR("telemetry")

/* For its speed: nothing is out of memory here. */
static void setup(void)
{
    sqlite_allocates_by_base();
}
TestSuite(disk, .init = setup);

struct trial {
    struct scratch dir;
    struct disk *disk;
    struct sample sample;
    bool acknowledged[COMMITS]; /* the commit was said to be durable */
    struct iv_err err;          /* of the first failure */
    bool failed;
};

/* The log is moved into the database after every other page, not after a thousand. */
static int checkpoint_early(sqlite3 *db, char **message, const struct sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    return sqlite3_wal_autocheckpoint(db, 2);
}

static void trial_init(struct trial *t, bool has_store)
{
    memset(t, 0, sizeof *t);
    t->dir = scratch_make();
    t->disk = has_store ? disk_new_with_store(scratch_file(&t->dir, "s.db")) : disk_new();
    sample_init(&t->sample);
    cr_assert(sqlite3_auto_extension((void (*)(void))checkpoint_early) == SQLITE_OK);
}

static void trial_deinit(struct trial *t)
{
    disk_free(t->disk);
    sample_deinit(&t->sample);
    scratch_remove(&t->dir);
}

static void note_failure(struct trial *t, const struct iv_err *err)
{
    t->err = t->failed ? t->err : *err;
    t->failed = true;
}

/* A finding, a message and a position: what one commit of the daemon writes. */
static iv_rc write_inside(struct trial *t, struct iv_store *store, unsigned number, struct iv_err *err)
{
    struct iv_finding row;
    enum iv_put how;
    IV_AUTO(iv_buf_deinit) struct iv_buf scratch;
    iv_buf_init(&scratch, 1 << 16);
    sample_number(&t->sample, number);
    TRY(iv_finding_of_verdict(&row, &scratch, &t->sample.baseline, &t->sample.verdict, 1, err));
    TRY(iv_store_put_finding(store, &how, &row, err));
    if (how == IV_PUT_NEW) {
        struct iv_posting posting = {.key = row.uid, .value = row.ocsf};
        TRY(iv_store_post(store, NULL, &posting, err));
    }
    return iv_store_put_position(store, TOPIC, 0, number, err);
}

static iv_rc write_one(struct trial *t, struct iv_store *store, unsigned number, struct iv_err *err)
{
    TRY(iv_store_begin(store, err));
    struct iv_rc_s rc = write_inside(t, store, number, err);
    if (!iv_ok(rc)) {
        iv_store_rollback(store);
        return rc;
    }
    return iv_store_commit(store, err);
}

/* As the keeper does: what is of the class RETRY is tried again, a bounded number of times here; anything
 * else ends it. */
static iv_rc write_all(struct trial *t, struct iv_store *store, unsigned from, unsigned until,
                       struct iv_err *err)
{
    for (unsigned number = from; number < until; number++) {
        struct iv_rc_s rc = write_one(t, store, number + 1, err);
        for (int again = 0; again < 3 && iv_code_class(rc.code) == IV_CLASS_RETRY; again++) {
            note_failure(t, err);
            rc = write_one(t, store, number + 1, err);
        }
        TRY(rc);
        t->acknowledged[number] = true;
    }
    return IV_OK;
}

/* One process: two stores, one after the other. */
static iv_rc live(struct trial *t, struct iv_err *err)
{
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    TRY(iv_store_open(&store, scratch_file(&t->dir, "s.db"), err));
    TRY(write_all(t, store, 0, REOPENED_AFTER, err));
    iv_store_close(TAKE(store));
    TRY(iv_store_open(&store, scratch_file(&t->dir, "s.db"), err));
    return write_all(t, store, REOPENED_AFTER, COMMITS, err);
}

static int integer_of(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    cr_assert(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    cr_assert(sqlite3_step(stmt) == SQLITE_ROW, "%s", sqlite3_errmsg(db));
    int value = sqlite3_column_int(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return value;
}

/* Commits are taken in order, so the newest acknowledged one says how many there are at least. */
static void check_what_is_left(struct trial *t, const char *where)
{
    int least = 0;
    sqlite3 *db = NULL;
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    struct iv_err err = {.text = ""};
    for (int i = 0; i < COMMITS; i++) {
        least = t->acknowledged[i] ? i + 1 : least;
    }
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&t->dir, "s.db"), &err)), "%s: %s", where, err.text);
    iv_store_close(TAKE(store));
    cr_assert(sqlite3_open(scratch_file(&t->dir, "s.db").p, &db) == SQLITE_OK);
    int sound = integer_of(db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check");
    int findings = integer_of(db, "SELECT count(*) FROM findings");
    int outbox = integer_of(db, "SELECT count(*) FROM outbox");
    int position = integer_of(db, "SELECT coalesce(max(next_offset), 0) FROM positions");
    const char *wrong = log_audit_by(NULL, db);
    (void)sqlite3_close(db);
    cr_assert_null(wrong, "%s: %s", where, wrong);
    cr_assert(sound == 1, "%s: the database is damaged", where);
    cr_assert(findings >= least, "%s: %d of %d acknowledged commits are there", where, findings, least);
    cr_assert(outbox == findings && position == findings, "%s: %d findings, %d messages, position %d", where,
              findings, outbox, position);
}

static void go_on(struct trial *t, const char *where)
{
    struct iv_err err = {.text = ""};
    struct iv_rc_s rc = live(t, &err);
    cr_assert(iv_ok(rc), "%s: afterwards: %s", where, err.text);
    check_what_is_left(t, where);
}

/* False: the plan did not strike, for there are fewer such operations. */
static bool try_plan(const struct disk_plan *plan, bool has_store, bool power, const char *where)
{
    struct trial t;
    struct iv_err err = {.text = ""};
    uint64_t seed = plan->at;
    trial_init(&t, has_store);
    disk_fail(t.disk, plan);
    struct iv_rc_s rc = live(&t, &err);
    bool struck = disk_failed(t.disk);
    if (!iv_ok(rc)) {
        note_failure(&t, &err);
    }
    bool told = !t.failed || strstr(t.err.text, "the store '") == t.err.text;
    bool unasked = t.failed && !struck;
    cr_assert(told, "%s: %s", where, t.err.text);
    cr_assert_not(unasked, "%s: %s", where, t.err.text);
    disk_restart(t.disk, power, seed);
    check_what_is_left(&t, where);
    go_on(&t, where);
    trial_deinit(&t);
    return struck;
}

/* How many of these operations it takes to make a new store: most of all, and more with each migration. */
static uint64_t ops_of_making(unsigned ops)
{
    struct trial t;
    struct iv_err err = {.text = ""};
    struct iv_store *store = NULL;
    trial_init(&t, false);
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&t.dir, "s.db"), &err)), "%s", err.text);
    uint64_t count = disk_count(t.disk, ops);
    iv_store_close(store);
    trial_deinit(&t);
    return count;
}

struct sweep {
    unsigned ops;
    enum disk_failure how;
    bool lasting;
    bool power;
};

static bool try_at(const struct sweep *s, bool has_store, uint64_t at)
{
    char where[128];
    (void)snprintf(where, sizeof where, "operation %llu of %#x%s fails by %s%s%s", (unsigned long long)at,
                   s->ops, has_store ? ", with a store," : "", disk_failure_name(s->how),
                   s->lasting ? " for good" : "", s->power ? ", then power" : "");
    struct disk_plan plan = {.ops = s->ops, .at = at, .how = s->how, .lasting = s->lasting};
    return try_plan(&plan, has_store, s->power, where);
}

/* Of those that make the store every so manieth; of those of a store that is there, which are much alike,
 * more of them; others in each sweep; with IV_LONG all. Answers how many there are. */
static uint64_t sweep(const struct sweep *s)
{
    static uint64_t sweeps;
    uint64_t making = ops_of_making(s->ops);
    bool all = getenv("IV_LONG") != NULL;
    uint64_t stride = all ? 1 : STRIDE;
    uint64_t behind = all ? 1 : STRIDE_BEHIND;
    for (uint64_t at = 1 + sweeps % stride; at <= making; at += stride) {
        (void)try_at(s, false, at);
    }
    uint64_t at = 1 + sweeps++ % behind;
    while (try_at(s, true, at)) {
        at += behind;
    }
    return making + at - 1;
}

Test(disk, holds_every_acknowledged_commit_where_an_operation_fails)
{
    static const struct {
        enum disk_op op;
        enum disk_failure how;
    } rows[] = {
        {DISK_OPEN, DISK_ERROR},   {DISK_READ, DISK_ERROR}, {DISK_READ, DISK_TORN},
        {DISK_WRITE, DISK_ERROR},  {DISK_WRITE, DISK_FULL}, {DISK_WRITE, DISK_TORN},
        {DISK_SYNC, DISK_ERROR},   {DISK_SYNC, DISK_TORN},  {DISK_TRUNCATE, DISK_ERROR},
        {DISK_DELETE, DISK_ERROR}, {DISK_LOCK, DISK_BUSY},  {DISK_LOCK, DISK_ERROR},
        {DISK_SHARED, DISK_ERROR},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct sweep once = {1u << rows[i].op, rows[i].how, false, false};
        struct sweep lasting = {1u << rows[i].op, rows[i].how, true, i % 2 == 0};
        uint64_t places_once = sweep(&once);
        uint64_t places_lasting = sweep(&lasting);
        cr_log_info("%-8s %-8s %4llu places, once; %4llu for good", disk_op_name(rows[i].op),
                    disk_failure_name(rows[i].how), (unsigned long long)places_once,
                    (unsigned long long)places_lasting);
    }
}

Test(disk, holds_every_acknowledged_commit_where_the_power_fails)
{
    uint64_t places = sweep(&(struct sweep){ALL_OPS, DISK_TORN, true, true});
    cr_log_info("power fails at %llu places", (unsigned long long)places);
    cr_expect(places > 100);
}

static int64_t shown(struct trial *t)
{
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    struct iv_err err = {.text = ""};
    int64_t next = 0;
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&t->dir, "s.db"), &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_begin(store, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_position(store, &next, TOPIC, 0, &err)), "%s", err.text);
    iv_store_rollback(store);
    disk_kill(t->disk);
    return next;
}

/* Answers whether the plan has struck. */
static bool show_after(struct trial *t, const struct disk_plan *plan, uint64_t seed)
{
    struct iv_store *store = NULL;
    struct iv_err err = {.text = ""};
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&t->dir, "s.db"), &err)), "%s", err.text);
    cr_assert(iv_ok(write_one(t, store, 1, &err)), "%s", err.text);
    disk_fail(t->disk, plan);
    struct iv_rc_s rc = write_one(t, store, 2, &err); /* whatever comes of it */
    bool failed = disk_failed(t->disk);
    cr_expect(failed || iv_ok(rc));
    disk_kill(t->disk);
    iv_store_close(store);
    disk_restart(t->disk, false, 0);
    int64_t before = shown(t);
    disk_restart(t->disk, true, seed);
    int64_t after = shown(t);
    disk_restart(t->disk, false, 0);
    cr_expect(after >= before, "operation %llu, %s: %lld was shown, and then %lld",
              (unsigned long long)plan->at, disk_failure_name(plan->how), (long long)before,
              (long long)after);
    return failed;
}

/* What a commit that failed has left is read by the next process, which acts on it: so it must stay. */
Test(disk, holds_what_a_new_process_was_shown_also_where_the_power_fails_then)
{
    static const enum disk_failure hows[] = {DISK_ERROR, DISK_TORN};
    for (size_t i = 0; i < 2 * IV_COUNT(hows); i++) {
        bool struck = true;
        uint64_t at = 0;
        while (struck) {
            struct trial t;
            const struct disk_plan plan = {
                .ops = i % 2 == 0 ? 1u << DISK_SYNC : ALL_OPS, .at = ++at, .how = hows[i / 2]};
            trial_init(&t, true);
            struck = show_after(&t, &plan, at);
            trial_deinit(&t);
        }
        cr_expect(at > 1);
    }
}

Test(disk, says_that_no_space_is_left_and_waits_for_it)
{
    struct trial t;
    struct iv_err err = {.text = ""};
    struct iv_store *store = NULL;
    trial_init(&t, false);
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&t.dir, "s.db"), &err)), "%s", err.text);
    disk_fail(t.disk, &(struct disk_plan){1u << DISK_WRITE, 1, DISK_FULL, true});

    cr_expect(write_one(&t, store, 1, &err).code == IV_E_BUSY);
    cr_expect(strstr(err.text, "no space is left") != NULL, "%s", err.text);
    disk_fail(t.disk, &(struct disk_plan){0});
    cr_expect(iv_ok(write_one(&t, store, 1, &err)), "%s", err.text);

    iv_store_close(store);
    trial_deinit(&t);
}
