/* SPDX-License-Identifier: Apache-2.0 */
/* What one process writes about a finding or an action, another one reads. */
#include "base/guard.h"
#include "evidence/admitted.h"
#include "evidence/coverage_text.h"
#include "evidence/ocsf.h"
#include "evidence/reader.h"
#include "evidence/store.h"
#include "evidence/told.h"
#include "support/sample.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

struct reading {
    struct sample s;
    struct iv_arena arena;
    struct iv_decoder *decoder;
    struct iv_buf json;
};

static void reading_init(struct reading *r)
{
    struct iv_err err = {0};
    sample_init(&r->s);
    iv_arena_init(&r->arena, 0);
    iv_buf_init(&r->json, 1 << 20);
    cr_assert(
        iv_ok(iv_decoder_new(&r->decoder, r->s.catalogue, &IV_TOLD_LIMITS, (struct iv_hash_key){1, 2}, &err)),
        "%s", err.text);
}

static void reading_deinit(struct reading *r)
{
    iv_decoder_free(r->decoder);
    iv_buf_deinit(&r->json);
    iv_arena_deinit(&r->arena);
    sample_deinit(&r->s);
}

static struct iv_rc_s read_finding(struct reading *r, struct iv_told_finding *out, struct iv_str json,
                                   struct iv_err *err)
{
    return iv_told_finding_read(out, r->decoder, r->s.catalogue, &r->arena, json, 77, err);
}

static const struct iv_val *field(const struct iv_told_finding *told, const char *name)
{
    for (size_t i = 0; i < told->verdict.trigger.type->field_count; i++) {
        const struct iv_field *f = &told->verdict.trigger.type->fields[i];
        if (iv_str_eq(f->name, iv_str_of(name))) {
            return &told->verdict.trigger.object.slots[f->slot];
        }
    }
    return NULL;
}

Test(told, a_finding_reads_as_it_was_written)
{
    IV_AUTO(reading_deinit) struct reading r;
    reading_init(&r);
    sample_set(&r.s, "scope", iv_val_str(IV_STR("mail.read")));
    struct iv_finding row;
    struct iv_told_finding told;
    struct iv_err err = {0};
    cr_assert(iv_ok(iv_finding_of_verdict(&row, &r.json, &r.s.baseline, &r.s.verdict, 1, &err)));

    cr_assert(iv_ok(read_finding(&r, &told, row.ocsf, &err)), "%s", err.text);

    cr_expect(iv_str_eq(told.row.uid, row.uid) && iv_str_eq(told.row.rule, row.rule));
    cr_expect(iv_str_eq(told.row.title, row.title) && iv_str_eq(told.row.criteria, row.criteria));
    cr_expect(told.row.kind == row.kind && told.row.severity == row.severity && told.row.mode == row.mode);
    cr_expect(iv_str_eq(told.row.tenant, row.tenant) && iv_str_eq(told.row.agent, row.agent));
    cr_expect(iv_str_eq(told.row.trigger_source, row.trigger_source) && told.row.time == row.time);
    cr_expect(iv_str_eq(told.row.trigger_id, row.trigger_id));
    cr_expect(iv_str_eq(told.row.trigger_type, row.trigger_type));
    cr_expect(told.row.witnesses == row.witnesses && !told.row.suppressed && told.row.told);
    cr_expect(told.row.detected == 77 && iv_str_eq(told.row.ocsf, row.ocsf));
    cr_expect(memcmp(told.verdict.uid, r.s.verdict.uid, IV_UID_BYTES) == 0);
    cr_expect(told.verdict.trigger.type == r.s.verdict.trigger.type && told.verdict.waiver == NULL);
    cr_expect(iv_str_eq(iv_val_slice(*field(&told, "token_id")), IV_STR("t-1")));
    cr_expect(iv_str_eq(iv_val_slice(*field(&told, "scope")), IV_STR("mail.read")));
    cr_expect(field(&told, "endpoint")->kind == IV_KIND_ABSENT);
}

Test(told, a_waived_finding_stays_waived)
{
    IV_AUTO(reading_deinit) struct reading r;
    reading_init(&r);
    r.s.verdict.waiver = &r.s.waiver;
    struct iv_told_finding told;
    struct iv_err err = {0};
    iv_ocsf_finding(&r.json, &r.s.baseline, &r.s.verdict);

    cr_assert(iv_ok(read_finding(&r, &told, iv_buf_slice(&r.json), &err)), "%s", err.text);

    cr_expect(told.row.suppressed && told.verdict.waiver != NULL);
    cr_expect(iv_str_eq(told.verdict.waiver->reason, r.s.waiver.reason));
}

/* The text with one piece replaced; it must be there. */
static struct iv_str altered(struct reading *r, const char *from, const char *to)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf json;
    iv_buf_init(&json, 1 << 16);
    iv_ocsf_finding(&json, &r->s.baseline, &r->s.verdict);
    iv_buf_char(&json, '\0');
    const char *at = strstr(json.p, from);
    cr_assert(at != NULL, "%s is not in\n%s", from, json.p);
    iv_buf_clear(&r->json);
    iv_buf_add(&r->json, json.p, (size_t)(at - json.p));
    iv_buf_text(&r->json, to);
    iv_buf_text(&r->json, at + strlen(from));
    return iv_buf_slice(&r->json);
}

Test(told, what_is_no_finding_is_refused_with_its_place)
{
    static const struct {
        const char *from;
        const char *to;
        const char *says;
    } rows[] = {
        {"\"verdict\":\"violated\"", "\"verdict\":\"guilty\"",
         "unmapped.verdict: is 'guilty', must be violated, updated, contradicted, inconclusive or open"},
        {"\"mode\":\"enforce\"", "\"mode\":1", "unmapped.mode: must be a string"},
        {"\"severity_id\":5", "\"severity_id\":9", "severity_id: is 9, must be from 1 to 5"},
        {"\"requirements\":[", "\"requirements\":[7,", "compliance.requirements[0]: must be a string"},
        {"\"analytic\":{", "\"analytics\":{", "finding_info.analytic.uid: is absent, must be a string"},
        {"\"name\":\"trigger\"", "\"name\":\"witness\"", "evidences[0].name: must be \"trigger\""},
        {"\"finding_info\":{\"uid\":\"", "\"finding_info\":{\"uid\":\"X",
         "finding_info.uid: must be 64 lower-case hex digits"},
        {"\"partition\":1", "\"partition\":-1", "partition: is -1, must be from 0 to 2147483647"},
        {"\"time\":\"2026", "\"time\":\"soon", "time: must be a time as RFC 3339 has it"},
        {"{", "[", "record"},
    };
    IV_AUTO(reading_deinit) struct reading r;
    reading_init(&r);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_told_finding told;
        struct iv_err err = {0};
        struct iv_rc_s rc = read_finding(&r, &told, altered(&r, rows[i].from, rows[i].to), &err);

        cr_expect(rc.code == IV_E_MALFORMED, "row %zu", i);
        cr_expect(strstr(err.text, rows[i].says) != NULL, "row %zu: %s", i, err.text);
    }
}

Test(told, a_long_list_takes_no_more_memory_than_its_text_says)
{
    enum { ITEMS = 60000 };
    static const struct iv_str item = IV_STR_INIT("\"\",");
    IV_AUTO(reading_deinit) struct reading r;
    IV_AUTO(iv_buf_deinit) struct iv_buf list;
    struct iv_told_finding told;
    struct iv_err err = {0};
    reading_init(&r);
    iv_buf_init(&list, 1 << 20);
    iv_buf_text(&list, "\"requirements\":[");
    for (int i = 0; i < ITEMS; i++) {
        iv_buf_str(&list, item);
    }
    iv_buf_char(&list, '\0');

    struct iv_str json = altered(&r, "\"requirements\":[", list.p);
    cr_assert(iv_ok(read_finding(&r, &told, json, &err)), "%s", err.text);

    cr_expect(ge(sz, told.row.criteria.n, ITEMS));
    cr_expect(lt(sz, r.arena.total_bytes, (size_t)16 << 20));
}

/* A field that this catalogue has otherwise is absent, and a type that it does not have is the unknown one.
 */
Test(told, a_finding_of_another_catalogue_is_read_as_far_as_it_goes)
{
    IV_AUTO(reading_deinit) struct reading r;
    reading_init(&r);
    struct iv_told_finding told;
    struct iv_err err = {0};

    cr_assert(iv_ok(read_finding(&r, &told, altered(&r, "\"token_id\":\"t-1\"", "\"token_id\":1"), &err)),
              "%s", err.text);
    cr_expect(field(&told, "token_id")->kind == IV_KIND_ABSENT);

    cr_assert(iv_ok(
        read_finding(&r, &told, altered(&r, "\"type\":\"token.used\"", "\"type\":\"token.melted\""), &err)));
    cr_expect(told.verdict.trigger.type == iv_catalogue_unknown(r.s.catalogue));
    cr_expect(iv_str_eq(told.row.trigger_type, IV_STR("token.melted")));
}

static const struct iv_execution execution = {
    .key = IV_STR_INIT("00000000000000000000000000000000000000000000000000000000000000e1"),
    .finding = IV_STR_INIT("00000000000000000000000000000000000000000000000000000000000000f1"),
    .playbook = IV_STR_INIT("revoke"),
    .title = IV_STR_INIT("Revoke it"),
    .target = IV_STR_INIT("t-1"),
    .tactic = IV_TACTIC_EVICT,
    .rule = IV_STR_INIT("TOK-002"),
    .severity = IV_SEV_HIGH,
    .tenant = IV_STR_INIT("acme"),
    .agent = IV_STR_INIT("agent-7"),
    .baseline = IV_STR_INIT("abcd"),
    .state = IV_RUN_PLANNED,
    .cause = IV_STR_INIT(""),
    .planned = SAMPLE_TIME,
    .admitted = SAMPLE_TIME,
    .touched = {.agent = IV_STR_INIT("agent-7"), .tenant = IV_STR_INIT("acme")},
};
static const struct iv_step step = {
    .execution = IV_STR_INIT("00000000000000000000000000000000000000000000000000000000000000e1"),
    .position = 1,
    .key = IV_STR_INIT("00000000000000000000000000000000000000000000000000000000000000a1"),
    .name = IV_STR_INIT("tell"),
    .kind = IV_STR_INIT("http"),
    .attempts = 3,
    .state = IV_STEP_CALLING,
    .cause = IV_STR_INIT(""),
    .request = IV_STR_INIT("{}"),
    .answer = IV_STR_INIT(""),
};

Test(told, an_action_reads_as_it_was_written)
{
    IV_AUTO(reading_deinit) struct reading r;
    reading_init(&r);
    struct iv_told_action told;
    struct iv_err err = {0};
    struct iv_execution done = execution;
    done.state = IV_RUN_FAILED;
    done.cause = IV_STR("the endpoint is gone");
    done.finished = SAMPLE_TIME + IV_NS_PER_S;
    iv_ocsf_action(&r.json, &done, NULL, SAMPLE_TIME);

    cr_assert(iv_ok(iv_told_action_read(&told, r.decoder, &r.arena, iv_buf_slice(&r.json), &err)), "%s",
              err.text);
    const struct iv_execution *e = &told.execution;
    cr_expect(iv_str_eq(e->key, execution.key) && iv_str_eq(e->finding, execution.finding));
    cr_expect(iv_str_eq(e->playbook, execution.playbook) && iv_str_eq(e->title, execution.title));
    cr_expect(iv_str_eq(e->target, execution.target) && iv_str_eq(e->rule, execution.rule));
    cr_expect(iv_str_eq(e->tenant, execution.tenant) && iv_str_eq(e->agent, execution.agent));
    cr_expect(iv_str_eq(e->baseline, execution.baseline) && iv_str_eq(e->cause, done.cause));
    cr_expect(e->tactic == execution.tactic && e->severity == execution.severity);
    cr_expect(e->state == IV_RUN_FAILED && e->finished == done.finished && told.step == -1);
    cr_expect(e->admitted == execution.admitted && e->touched.enclave.n == 0);
    cr_expect(iv_str_eq(e->touched.agent, execution.touched.agent) &&
              iv_str_eq(e->touched.tenant, execution.touched.tenant));

    iv_buf_clear(&r.json);
    iv_ocsf_action(&r.json, &execution, &step, SAMPLE_TIME);
    cr_assert(iv_ok(iv_told_action_read(&told, r.decoder, &r.arena, iv_buf_slice(&r.json), &err)), "%s",
              err.text);
    cr_expect(told.step == 1 && iv_str_eq(told.state, IV_STR("calling")));
    cr_expect(told.execution.state == IV_RUN_RUNNING);
}

Test(told, a_joining_reads_as_no_change_of_state)
{
    IV_AUTO(reading_deinit) struct reading r;
    reading_init(&r);
    struct iv_told_action told;
    struct iv_err err = {0};
    const struct iv_str other = IV_STR("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
    iv_ocsf_joined(&r.json, &execution, other, SAMPLE_TIME);

    cr_assert(iv_ok(iv_told_action_read(&told, r.decoder, &r.arena, iv_buf_slice(&r.json), &err)), "%s",
              err.text);
    cr_expect(told.joined && told.step == -1 && iv_str_eq(told.execution.finding, other));
    cr_expect(iv_str_eq(told.execution.key, execution.key) && told.execution.state == execution.state);
}

static enum iv_put put(struct reading *r, struct iv_store *store, bool told)
{
    struct iv_finding row;
    enum iv_put how = IV_PUT_SAME;
    struct iv_err err = {0};
    cr_assert(iv_ok(iv_finding_of_verdict(&row, &r->json, &r->s.baseline, &r->s.verdict, 1, &err)));
    row.told = told;
    cr_assert(iv_ok(iv_store_put_finding(store, &how, &row, &err)), "%s", err.text);
    return how;
}

/* Whoever found it first may be gone before anything was done about it. */
Test(told, a_finding_that_was_told_is_new_when_it_is_found_here)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(reading_deinit) struct reading r;
    reading_init(&r);
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    struct iv_err err = {0};
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&dir, "s.db"), &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_begin(store, &err)));

    cr_expect(put(&r, store, true) == IV_PUT_NEW);
    cr_expect(put(&r, store, true) == IV_PUT_SAME);
    cr_expect(put(&r, store, false) == IV_PUT_NEW);
    cr_expect(put(&r, store, false) == IV_PUT_SAME);
    cr_expect(put(&r, store, true) == IV_PUT_SAME);
}

/* It is shown by one reader, and answered by another one of the same process. */
Test(told, a_finding_of_another_process_is_answered_once_whoever_shows_it)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(reading_deinit) struct reading r;
    reading_init(&r);
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    struct iv_err err = {0};
    static const struct {
        enum iv_verdict_kind kind;
        enum iv_put put;
    } rows[] = {{IV_INCONCLUSIVE, IV_PUT_NEW},     {IV_INCONCLUSIVE, IV_PUT_SAME},
                {IV_VIOLATED, IV_PUT_NEW},         {IV_VIOLATED, IV_PUT_SAME},
                {IV_CONTRADICTED, IV_PUT_UPDATED}, {IV_CONTRADICTED, IV_PUT_SAME},
                {IV_VIOLATED, IV_PUT_SAME}};
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&dir, "s.db"), &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_begin(store, &err)));
    cr_expect(put(&r, store, true) == IV_PUT_NEW);

    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        const struct iv_finding row = {.uid = IV_STR("f1"), .kind = rows[i].kind};
        enum iv_put how = IV_PUT_SAME;
        cr_assert(iv_ok(iv_store_take_finding(store, &how, &row, &err)), "%s", err.text);
        cr_expect(how == rows[i].put, "row %zu", i);
    }
}

Test(told, limits_count_what_another_process_has_begun)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    struct iv_err err = {0};
    bool ours = true;
    struct iv_execution begun = execution;
    struct iv_execution other = execution;
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&dir, "s.db"), &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_begin(store, &err)));
    begun.state = IV_RUN_DONE;
    begun.started = SAMPLE_TIME;
    other.touched.agent = IV_STR("agent-8");

    for (int told = 0; told < 2; told++) {
        for (enum iv_measure measure = IV_MEASURE_ADMITTED; measure <= IV_MEASURE_BEGUN; measure++) {
            const struct iv_counting counting = {.measure = measure,
                                                 .touch = IV_TOUCH_AGENT,
                                                 .window = 60 * IV_NS_PER_S,
                                                 .now = SAMPLE_TIME + IV_NS_PER_S,
                                                 .most = 1};
            bool enough = false;
            cr_assert(iv_ok(iv_store_enough(store, &enough, &other, &counting, &err)), "%s", err.text);
            cr_expect(eq(int, enough, told), "measure %d", (int)measure);
        }
        cr_assert(iv_ok(iv_store_tell_execution(store, &ours, &begun, true, &err)), "%s", err.text);
    }
}

Test(told, an_execution_of_another_process_is_shown_and_can_be_taken_over)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    iv_arena_init(&arena, 0);
    struct iv_err err = {0};
    struct iv_task *tasks = NULL;
    size_t count = 0;
    bool ours = true;
    bool fresh = false;
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&dir, "s.db"), &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_begin(store, &err)));

    cr_assert(iv_ok(iv_store_tell_execution(store, &ours, &execution, true, &err)), "%s", err.text);
    cr_expect(not(ours));
    cr_assert(
        iv_ok(iv_store_tasks(store, &tasks, &count, IV_TASKS_DUE, IV_STR(""), IV_NS_MAX, 9, &arena, &err)));
    cr_expect(count == 0, "nobody here acts on it");

    struct iv_step due = step;
    due.state = IV_STEP_DUE;
    cr_assert(iv_ok(iv_store_plan(store, &fresh, &execution, &due, 1, &err)), "%s", err.text);
    cr_expect(fresh);
    cr_assert(
        iv_ok(iv_store_tasks(store, &tasks, &count, IV_TASKS_DUE, IV_STR(""), IV_NS_MAX, 9, &arena, &err)));
    cr_expect(count == 1);

    cr_assert(iv_ok(iv_store_tell_execution(store, &ours, &execution, true, &err)), "%s", err.text);
    cr_expect(ours);
}

Test(told, an_execution_that_another_process_has_finished_is_not_planned_again)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    struct iv_err err = {0};
    struct iv_execution done = execution;
    done.state = IV_RUN_DONE;
    bool ours = true;
    bool fresh = true;
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&dir, "s.db"), &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_begin(store, &err)));
    cr_assert(iv_ok(iv_store_tell_execution(store, &ours, &execution, true, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_tell_execution(store, &ours, &done, true, &err)), "%s", err.text);

    cr_assert(iv_ok(iv_store_plan(store, &fresh, &execution, NULL, 0, &err)), "%s", err.text);
    cr_expect(not(fresh));
}

Test(told, coverage_reads_as_it_was_written)
{
    static const struct iv_loss losses[] = {{-5, 7, 3, IV_LOSS_SEQUENCE},
                                            {9, IV_NS_MAX, 0, IV_LOSS_RETENTION}};
    const struct iv_cover cover = {.stream = IV_TELEMETRY,
                                   .partition = 11,
                                   .state = IV_COVER_BLIND,
                                   .first = IV_NS_MAX,
                                   .reach = IV_NS_MIN,
                                   .losses = losses,
                                   .loss_count = 2};
    struct iv_told_coverage told;
    struct iv_err err = {0};
    IV_AUTO(reading_deinit) struct reading r;
    reading_init(&r);
    iv_cover_text(&r.json, IV_STR("a.topic"), &cover);
    cr_assert(iv_ok(iv_told_coverage_read(&told, r.decoder, &r.arena, iv_buf_slice(&r.json), &err)), "%s",
              err.text);
    cr_expect(told.rule.n == 0 && iv_str_eq(told.topic, IV_STR("a.topic")));
    cr_expect(told.cover.stream == IV_TELEMETRY && told.cover.partition == 11 &&
              told.cover.state == IV_COVER_BLIND);
    cr_expect(told.cover.first == IV_NS_MAX && told.cover.reach == IV_NS_MIN);
    cr_assert(told.cover.loss_count == 2);
    for (size_t i = 0; i < 2; i++) {
        const struct iv_loss *l = &told.cover.losses[i];
        cr_expect(l->cause == losses[i].cause && l->from == losses[i].from && l->until == losses[i].until &&
                      l->records == losses[i].records,
                  "loss %zu", i);
    }

    iv_buf_clear(&r.json);
    iv_rule_loss_text(&r.json, IV_STR("TOK-001"), &losses[0]);
    cr_assert(iv_ok(iv_told_coverage_read(&told, r.decoder, &r.arena, iv_buf_slice(&r.json), &err)), "%s",
              err.text);
    cr_expect(iv_str_eq(told.rule, IV_STR("TOK-001")) && told.cover.loss_count == 1);
}

Test(told, what_is_no_coverage_is_refused_with_its_place)
{
    static const struct {
        const char *from;
        const char *to;
        const char *says;
    } rows[] = {
        {"\"state\":\"read\"", "\"state\":\"asleep\"", "state: is 'asleep', must be read, blind or away"},
        {"\"stream\":\"ledger\"", "\"stream\":\"river\"", "stream: is 'river', must be ledger or telemetry"},
        {"\"partition\":0", "\"partition\":-1", "partition: is -1, must be from 0 to 2147483647"},
        {"\"cause\":\"sequence\"", "\"cause\":\"bad luck\"",
         "losses: the cause 'bad luck' is none of those that there are"},
        {"\"until\":\"1970-01-01T00:00:00.000000020Z\"", "\"until\":\"1970-01-01T00:00:00.000000010Z\"",
         "losses: one ends before it begins"},
        {"\"records\":3", "\"records\":-3", "records: is -3"},
        {"\"losses\":[", "\"loss\":[", "losses: must be a list"},
        {"\"topic\":", "\"subject\":", "topic: is absent, must be a string"},
    };
    static const struct iv_loss loss = {10, 20, 3, IV_LOSS_SEQUENCE};
    IV_AUTO(reading_deinit) struct reading r;
    reading_init(&r);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_told_coverage told;
        struct iv_err err = {0};
        struct iv_buf text;
        iv_buf_init(&text, 1 << 16);
        iv_cover_text(&text, IV_STR("l"), &(struct iv_cover){.losses = &loss, .loss_count = 1});
        const char *at = strstr(text.p, rows[i].from);
        cr_assert(at != NULL, "row %zu: %s", i, text.p);
        iv_buf_clear(&r.json);
        iv_buf_add(&r.json, text.p, (size_t)(at - text.p));
        iv_buf_text(&r.json, rows[i].to);
        iv_buf_text(&r.json, at + strlen(rows[i].from));
        iv_buf_deinit(&text);
        struct iv_rc_s rc = iv_told_coverage_read(&told, r.decoder, &r.arena, iv_buf_slice(&r.json), &err);

        cr_expect(rc.code == IV_E_MALFORMED, "row %zu", i);
        cr_expect(strstr(err.text, rows[i].says) != NULL, "row %zu: %s", i, err.text);
    }
}
