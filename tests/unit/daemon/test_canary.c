/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "baseline/problems.h"
#include "daemon/canary.h"
#include "daemon/keep_step.h"
#include "evidence/reader.h"
#include "judge/commit.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define NOW (1000 * IV_NS_PER_S)
#define VALUES 64

static const char baseline_yaml[] = "apiVersion: invigil/v1\nkind: Baseline\nmetadata: {name: t}\n"
                                    "events: {invigil.canary: {stream: telemetry, fields: {}}}\n"
                                    "packs: [pack.yaml]\n";
#define RULE                                                                                                 \
    "{id: CAN-1, title: t, severity: info, criteria: [CC7.2], on: {event: invigil.canary}, forbid: {}"
static const char pack_head[] = "apiVersion: invigil/v1\nkind: RulePack\nmetadata: {name: t}\nrules:\n- ";

struct world {
    struct scratch dir;
    struct iv_baseline *baseline;
    struct iv_store *store;
    struct iv_keep_step step;
    char path[160];
};

static iv_ns now_of(void *ctx)
{
    (void)ctx;
    return NOW;
}

static struct iv_baseline *load(const struct scratch *dir, const char *rule)
{
    char pack[512];
    struct iv_baseline *baseline = NULL;
    struct iv_err err = {.text = ""};
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    (void)snprintf(pack, sizeof pack, "%s%s\n", pack_head, rule);
    scratch_write(dir, "baseline.yaml", iv_str_of(baseline_yaml));
    scratch_write(dir, "pack.yaml", iv_str_of(pack));
    cr_assert(iv_ok(iv_problems_new(&problems, &err)));
    cr_assert(iv_ok(iv_baseline_load(&baseline, iv_str_of(dir->path), problems, &err)), "%s", err.text);
    return baseline;
}

static void world_init(struct world *w)
{
    struct iv_err err = {.text = ""};
    w->dir = scratch_make();
    w->baseline = load(&w->dir, RULE ", mode: canary}");
    struct iv_str path = scratch_file(&w->dir, "s.db");
    (void)snprintf(w->path, sizeof w->path, "%.*s", (int)path.n, path.p);
    cr_assert(iv_ok(iv_store_open(&w->store, iv_str_of(w->path), &err)), "%s", err.text);
    iv_keep_step_init(&w->step, w->store, (struct iv_clock){now_of, now_of, NULL});
}

static void world_deinit(struct world *w)
{
    iv_keep_step_deinit(&w->step);
    iv_store_close(w->store);
    iv_baseline_unref(w->baseline);
    scratch_remove(&w->dir);
}

/* Whether a canary of this partition, which the broker had at that time, is one to be measured. */
static bool is_fresh(struct world *w, int32_t partition, iv_ns written)
{
    struct iv_val slots[VALUES] = {{0}};
    struct iv_commit *commit = NULL;
    struct iv_err err = {.text = ""};
    const struct iv_event_type *type = iv_catalogue_find(w->baseline->catalogue, IV_STR(IV_CANARY_TYPE));
    struct iv_verdict verdict = {.kind = IV_VIOLATED,
                                 .rule = w->baseline->rules[0],
                                 .trigger = {.source = IV_STR("invigil/canary"),
                                             .id = IV_STR("c"),
                                             .type = type,
                                             .origin = {.stream = IV_TELEMETRY, .partition = partition},
                                             .object = {.slot_of = type->slot_of, .slots = slots}}};
    cr_assert(iv_ok(iv_commit_new(&commit, w->baseline, &err)));
    cr_assert(iv_ok(iv_commit_verdict(commit, &verdict, written, &err)));
    cr_assert(iv_ok(iv_keep_write(&w->step, &commit, 1, &err)), "%s", err.text);
    bool fresh = commit->verdicts->fresh;
    iv_commit_free(commit);
    return fresh;
}

static bool count(void *ctx, const struct iv_finding *finding)
{
    (void)finding;
    ++*(int *)ctx;
    return true;
}

Test(canary, is_measured_once_in_its_partition_and_never_ahead_of_time)
{
    struct world w;
    world_init(&w);
    static const struct {
        int32_t partition;
        iv_ns written;
        bool fresh;
    } rows[] = {
        {0, NOW - 10, true},
        {0, NOW - 10, false},
        {0, NOW - 20, false},
        {1, NOW - 20, true},
        {0, NOW - 5, true},
        {0, 0, false},
        {0, NOW + 61 * IV_NS_PER_S, false},
        {0, NOW + 5, true},
        {1, NOW - 19, true},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        cr_expect_eq(is_fresh(&w, rows[i].partition, rows[i].written), rows[i].fresh, "row %zu", i);
    }
    world_deinit(&w);
}

Test(canary, is_no_finding_and_is_told_to_nobody)
{
    struct world w;
    int findings = 0;
    struct iv_store_totals totals;
    world_init(&w);
    cr_assert(is_fresh(&w, 0, NOW));
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    cr_assert(iv_ok(iv_reader_open(&reader, iv_str_of(w.path), NULL)));
    cr_assert(
        iv_ok(iv_reader_findings(reader, &(struct iv_finding_filter){.kinds = ~0U}, count, &findings, NULL)));
    cr_assert(iv_ok(iv_reader_totals(reader, &totals, NULL)));
    cr_expect_eq(findings, 0);
    cr_expect_eq(totals.outbox, 0);
    world_deinit(&w);
}

Test(canary, is_not_planted_where_no_rule_would_find_it)
{
    struct scratch dir = scratch_make();
    struct iv_err err = {.text = ""};
    struct iv_baseline *observing = load(&dir, RULE ", mode: observe}");
    struct iv_baseline *finding = load(&dir, RULE ", mode: canary}");
    struct iv_config config = {.roles = IV_ROLE_DETECT, .canary_every = IV_NS_PER_S};
    cr_expect_eq(iv_canary_check(&config, observing, &err).code, IV_E_REFUSED);
    cr_expect(iv_ok(iv_canary_check(&config, finding, &err)));
    config.roles = IV_ROLE_CONSOLE;
    cr_expect(iv_ok(iv_canary_check(&config, observing, &err)));
    config = (struct iv_config){.roles = IV_ROLE_DETECT};
    cr_expect(iv_ok(iv_canary_check(&config, observing, &err)));
    iv_baseline_unref(observing);
    iv_baseline_unref(finding);
    scratch_remove(&dir);
}
