/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "evidence/reader.h"
#include "evidence/store.h"
#include "support/sample.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

/* A store with six findings: tenants a and b in turn, severities rising, times a second apart. */
static void fill(const struct scratch *dir)
{
    static const char *const rules[] = {"TOK-001", "TOK-002", "ISO-001"};
    static const char *const criteria[] = {"CC6.1", "CC6.1 CC6.3", "CC6.10"};
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(dir, "s.db"), NULL)));
    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    for (int i = 0; i < 6; i++) {
        char uid[IV_UID_HEX + 1];
        (void)snprintf(uid, sizeof uid, "%064d", i);
        struct iv_finding f = {
            .uid = iv_str_of(uid),
            .kind = i == 5 ? IV_INCONCLUSIVE : IV_VIOLATED,
            .rule = iv_str_of(rules[i % 3]),
            .criteria = iv_str_of(criteria[i % 3]),
            .severity = i < 4 ? (enum iv_severity)i : IV_SEV_CRITICAL,
            .suppressed = i == 4,
            .tenant = i % 2 == 0 ? IV_STR("a") : IV_STR("b"),
            .agent = IV_STR("agent"),
            .time = (i + 1) * IV_NS_PER_S,
            .ocsf = IV_STR("{}"),
        };
        enum iv_put how;
        cr_assert(iv_ok(iv_store_put_finding(store, &how, &f, NULL)));
    }
    cr_assert(iv_ok(iv_store_commit(store, NULL)));
}

struct list {
    char uids[8]; /* the last digit of each */
    size_t count;
    int64_t last_seq;
};

static bool note(void *ctx, const struct iv_finding *finding)
{
    struct list *list = ctx;
    list->uids[list->count++] = finding->uid.p[IV_UID_HEX - 1];
    list->last_seq = finding->seq;
    return true;
}

Test(reader, finds_by_every_filter_and_by_all_together)
{
    static const struct {
        const char *what;
        struct iv_finding_filter filter;
        const char *want;
    } rows[] = {
        {"nothing asked: violations, oldest first", {.limit = 0}, "01234"},
        {"newest first", {.newest_first = true}, "43210"},
        {"limit", {.limit = 2}, "01"},
        {"rule", {.rule = IV_STR_INIT("TOK-001")}, "03"},
        {"criterion, as a whole word", {.criterion = IV_STR_INIT("CC6.1")}, "0134"},
        {"tenant", {.tenant = IV_STR_INIT("b")}, "13"},
        {"agent that is not there", {.agent = IV_STR_INIT("nobody")}, ""},
        {"severities", {.severities = 1u << IV_SEV_INFO | 1u << IV_SEV_CRITICAL}, "04"},
        {"kind", {.kinds = 1u << IV_INCONCLUSIVE}, "5"},
        {"not suppressed", {.suppressed = IV_SUPPRESSED_NO}, "0123"},
        {"suppressed only", {.suppressed = IV_SUPPRESSED_ONLY}, "4"},
        {"from and until", {.from = 2 * IV_NS_PER_S, .until = 4 * IV_NS_PER_S}, "12"},
        {"after a cursor", {.after = 3}, "34"},
        {"before a cursor", {.before = 3, .newest_first = true}, "10"},
        {"all together",
         {.rule = IV_STR_INIT("TOK-001"), .tenant = IV_STR_INIT("b"), .after = 1, .limit = 5},
         "3"},
    };
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    fill(&dir);
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    cr_assert(iv_ok(iv_reader_open(&reader, scratch_file(&dir, "s.db"), NULL)));

    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct list list = {0};
        struct iv_err err = {0};
        cr_assert(iv_ok(iv_reader_findings(reader, &rows[i].filter, note, &list, &err)), "%s", err.text);
        cr_expect_str_eq(list.uids, rows[i].want, "%s: got '%s'", rows[i].what, list.uids);
    }
}

Test(reader, finds_one_by_uid_or_says_that_there_is_none)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    fill(&dir);
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    cr_assert(iv_ok(iv_reader_open(&reader, scratch_file(&dir, "s.db"), NULL)));
    struct list list = {0};
    struct iv_str uid = IV_STR("0000000000000000000000000000000000000000000000000000000000000005");

    cr_expect(iv_ok(iv_reader_finding(reader, uid, note, &list, NULL)));
    cr_expect(list.count == 1);
    cr_expect(iv_reader_finding(reader, IV_STR("' OR 1=1 --"), note, &list, NULL).code == IV_E_ABSENT);
    cr_expect(iv_reader_finding(reader, (struct iv_str){NULL, 0}, note, &list, NULL).code == IV_E_ABSENT);
}

static bool add_up(void *ctx, const struct iv_finding_count *count)
{
    int64_t *sum = ctx;
    sum[0] += count->count;
    sum[1] += count->suppressed ? count->count : 0;
    return true;
}

Test(reader, counts_what_the_store_holds)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    fill(&dir);
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    cr_assert(iv_ok(iv_reader_open(&reader, scratch_file(&dir, "s.db"), NULL)));
    int64_t sum[2] = {0};
    struct iv_store_heads heads;
    struct iv_store_totals totals;

    cr_expect(iv_ok(iv_reader_counts(reader, add_up, sum, NULL)));
    cr_expect(iv_ok(iv_reader_heads(reader, &heads, NULL)));
    cr_expect(iv_ok(iv_reader_totals(reader, &totals, NULL)));

    cr_expect(sum[0] == 6 && sum[1] == 1);
    cr_expect(heads.findings == 6 && heads.actions == 0);
    cr_expect(totals.outbox == 0 && totals.outbox_oldest == 0 && totals.executions[IV_RUN_PLANNED] == 0);
}

static void post_two(struct iv_store *store, int64_t *first, int64_t *second)
{
    const struct iv_posting posting = {
        .channel = IV_CHANNEL_FINDING, .key = IV_STR("k"), .value = IV_STR("v"), .time = 7};
    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    cr_assert(iv_ok(iv_store_post(store, first, &posting, NULL)));
    cr_assert(iv_ok(iv_store_post(store, second, &posting, NULL)));
    cr_assert(iv_ok(iv_store_commit(store, NULL)));
}

Test(reader, numbers_the_outbox_by_what_was_ever_there)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&dir, "s.db"), NULL)));
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    cr_assert(iv_ok(iv_reader_open(&reader, scratch_file(&dir, "s.db"), NULL)));
    int64_t ids[2];
    int64_t oldest = -1;
    int64_t newest = -1;
    cr_assert(iv_ok(iv_reader_outbox(reader, &oldest, &newest, NULL)));
    cr_expect(oldest == 0 && newest == 0);

    post_two(store, &ids[0], &ids[1]);
    cr_assert(iv_ok(iv_reader_outbox(reader, &oldest, &newest, NULL)));
    cr_expect(oldest == ids[0] && newest == ids[1]);

    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    cr_assert(iv_ok(iv_store_delivered(store, ids, 2, NULL)));
    cr_assert(iv_ok(iv_store_commit(store, NULL)));
    cr_assert(iv_ok(iv_reader_outbox(reader, &oldest, &newest, NULL)));
    cr_expect(oldest == 0 && newest == ids[1]);
}

Test(reader, sees_an_updated_finding_again_behind_its_cursor)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    fill(&dir);
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&dir, "s.db"), NULL)));
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    cr_assert(iv_ok(iv_reader_open(&reader, scratch_file(&dir, "s.db"), NULL)));
    struct iv_finding f = {.uid = IV_STR("0000000000000000000000000000000000000000000000000000000000000001"),
                           .kind = IV_CONTRADICTED,
                           .ocsf = IV_STR("{}")};
    enum iv_put how;
    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    cr_assert(iv_ok(iv_store_put_finding(store, &how, &f, NULL)));
    cr_assert(iv_ok(iv_store_commit(store, NULL)));

    struct list list = {0};
    cr_assert(iv_ok(iv_reader_findings(reader, &(struct iv_finding_filter){.after = 6}, note, &list, NULL)));

    cr_expect_str_eq(list.uids, "1");
    cr_expect(list.last_seq == 7);
}

static bool one_action(void *ctx, const struct iv_execution *execution)
{
    cr_expect(execution->state == IV_RUN_RUNNING);
    cr_expect(iv_str_eq(execution->target, IV_STR("t-1")));
    ++*(int *)ctx;
    return true;
}

static bool one_step(void *ctx, const struct iv_step *step)
{
    cr_expect(step->state == IV_STEP_CALLING && step->attempt == 1);
    ++*(int *)ctx;
    return true;
}

Test(reader, shows_an_execution_with_its_steps)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&dir, "s.db"), NULL)));
    struct iv_execution e = {.key = IV_STR("e1"),
                             .finding = IV_STR("f1"),
                             .target = IV_STR("t-1"),
                             .tactic = IV_TACTIC_EVICT,
                             .severity = IV_SEV_HIGH,
                             .state = IV_RUN_PLANNED};
    struct iv_step step = {.execution = e.key,
                           .key = IV_STR("k1"),
                           .name = IV_STR("call"),
                           .kind = IV_STR("http"),
                           .request = IV_STR("{}"),
                           .state = IV_STEP_DUE,
                           .due = 5};
    bool fresh = false;
    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    cr_assert(iv_ok(iv_store_plan(store, &fresh, &e, &step, 1, NULL)) && fresh);
    cr_assert(iv_ok(iv_store_plan(store, &fresh, &e, &step, 1, NULL)) && !fresh);
    e.state = IV_RUN_RUNNING;
    step.state = IV_STEP_CALLING;
    step.attempt = 1;
    cr_assert(iv_ok(iv_store_move_execution(store, &e, NULL)));
    cr_assert(iv_ok(iv_store_move_step(store, &step, NULL)));
    cr_assert(iv_ok(iv_store_commit(store, NULL)));
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    cr_assert(iv_ok(iv_reader_open(&reader, scratch_file(&dir, "s.db"), NULL)));

    int executions = 0;
    int steps = 0;
    struct iv_execution_filter filter = {.finding = IV_STR("f1"), .states = 1u << IV_RUN_RUNNING};
    cr_expect(iv_ok(iv_reader_executions(reader, &filter, one_action, &executions, NULL)));
    cr_expect(iv_ok(iv_reader_steps(reader, IV_STR("e1"), one_step, &steps, NULL)));
    cr_expect(executions == 1 && steps == 1);
    filter.states = 1u << IV_RUN_DONE;
    cr_expect(iv_ok(iv_reader_executions(reader, &filter, one_action, &executions, NULL)));
    cr_expect(executions == 1);
}

enum { MANY = 21000 };

/* Every seventh is of another playbook. */
static void plan_many(const struct scratch *dir)
{
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(dir, "s.db"), NULL)));
    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    for (int i = 0; i < MANY; i++) {
        char key[16];
        bool fresh = false;
        (void)snprintf(key, sizeof key, "%d", i);
        const struct iv_execution e = {.key = iv_str_of(key),
                                       .finding = iv_str_of(key),
                                       .playbook = i % 7 == 0 ? IV_STR("other") : IV_STR("usual"),
                                       .tactic = IV_TACTIC_EVICT,
                                       .state = IV_RUN_PLANNED};
        cr_assert(iv_ok(iv_store_plan(store, &fresh, &e, NULL, 0, NULL)) && fresh);
    }
    cr_assert(iv_ok(iv_store_commit(store, NULL)));
}

struct walk {
    unsigned char times[MANY]; /* that each was told */
    int64_t seq;               /* of the last one */
    size_t count;
    bool newest_first;
};

static bool walk_on(void *ctx, const struct iv_execution *execution)
{
    struct walk *walk = ctx;
    cr_expect(walk->seq == 0 || (execution->seq < walk->seq) == walk->newest_first, "out of order");
    walk->seq = execution->seq;
    cr_assert(execution->seq >= 1 && execution->seq <= MANY);
    walk->times[execution->seq - 1]++;
    walk->count++;
    return true;
}

Test(reader, tells_each_of_many_executions_once_page_by_page)
{
    static struct walk walk;
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    plan_many(&dir);
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    cr_assert(iv_ok(iv_reader_open(&reader, scratch_file(&dir, "s.db"), NULL)));
    for (int way = 0; way < 4; way++) {
        bool usual = way >= 2; /* no index has it: a page ends where enough has been looked at */
        walk = (struct walk){.newest_first = way % 2 == 1};
        struct iv_execution_filter filter = {.newest_first = walk.newest_first, .limit = usual ? 10000 : 500};
        filter.playbook = usual ? IV_STR("usual") : (struct iv_str){NULL, 0};
        struct iv_err err = {.text = ""};
        int64_t next = 0;
        size_t pages = 0;
        do {
            *(walk.newest_first ? &filter.before : &filter.after) = next;
            size_t before = walk.count;
            struct iv_rc_s rc = iv_reader_executions_page(reader, &filter, &next, walk_on, &walk, &err);
            cr_assert(iv_ok(rc), "way %d: %s", way, err.text);
            cr_assert(walk.count - before <= filter.limit && ++pages < MANY, "way %d", way);
        } while (next != 0);

        for (int i = 0; i < MANY; i++) {
            cr_assert(walk.times[i] == (!usual || i % 7 != 0), "way %d: %d was told %d times", way, i,
                      walk.times[i]);
        }
        cr_expect(pages == (usual ? 3 : MANY / 500 + 1), "way %d has %zu pages", way, pages);
    }
}
