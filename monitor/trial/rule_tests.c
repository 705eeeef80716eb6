/* SPDX-License-Identifier: Apache-2.0 */
#include "trial/rule_tests.h"
#include "trial/shorthand.h"
#include "trial/trial.h"

#include "base/guard.h"
#include "engine/engine.h"

#define RECORD_MAX (1u << 20)

/* The ids of triggers that a rule's verdicts of one kind named. */
struct ids {
    struct iv_str *items;
    size_t count;
};

enum { VIOLATES, OPEN, INCONCLUSIVE, KINDS };

struct run {
    struct iv_baseline *baseline;
    struct iv_problems *problems;
    struct iv_digester *digester;
    struct iv_trial trial;
    struct iv_arena arena; /* of one test */
    const struct iv_rule *rule;
    struct ids got[KINDS];
    bool no_memory;
};

static void add_id(struct run *run, struct ids *ids, struct iv_str id)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (iv_str_eq(ids->items[i], id)) {
            return;
        }
    }
    struct iv_str *items = iv_arena_alloc(&run->arena, (ids->count + 1) * sizeof *items);
    struct iv_str copy = iv_arena_str(&run->arena, id);
    if (items == NULL || copy.p == NULL) {
        run->no_memory = true;
        return;
    }
    if (ids->count > 0) {
        memcpy(items, ids->items, ids->count * sizeof *items);
    }
    items[ids->count++] = copy;
    ids->items = items;
}

static void on_verdict(void *ctx, const struct iv_verdict *verdict)
{
    struct run *run = ctx;
    if (verdict->rule != run->trial.rule) {
        return;
    }
    if (verdict->kind == IV_VIOLATED) {
        add_id(run, &run->got[VIOLATES], verdict->trigger.id);
    } else if (verdict->kind == IV_OPEN) {
        add_id(run, &run->got[OPEN], verdict->trigger.id);
    } else if (verdict->kind == IV_INCONCLUSIVE) {
        add_id(run, &run->got[INCONCLUSIVE], verdict->trigger.id);
    }
}

/* One event, as the only one of its partition. */
static iv_rc feed(struct run *run, struct iv_engine *engine, struct iv_shorthand *shorthand,
                  struct iv_buf *bytes, const struct iv_yaml_node *node, int32_t partition,
                  struct iv_err *err)
{
    static const char padding[IV_RECORD_PADDING] = {0};
    enum iv_stream stream;
    TRY(iv_shorthand_event(shorthand, bytes, &stream, node, err));
    size_t n = bytes->n;
    iv_buf_add(bytes, padding, sizeof padding);
    ENSURE(!iv_buf_failed(bytes), err, IV_E_NOMEM, "cannot hold an event in memory");
    struct iv_record record = {
        .origin = {.stream = stream, .partition = partition, .topic = iv_str_of(iv_stream_name(stream))},
        .bytes = {bytes->p, n},
    };
    struct iv_event event;
    struct iv_err why = {0};
    struct iv_rc_s rc = iv_decode(run->trial.decoder, &record, &run->arena, &event, &why);
    if (rc.code == IV_E_MALFORMED) {
        iv_yaml_error(run->problems, node, "the event is malformed: %s", why.text);
        return iv_err_set(err, IV_E_REFUSED, "%s", why.text);
    }
    if (!iv_ok(rc)) {
        return iv_err_set(err, rc.code, "%s", why.text);
    }
    return iv_engine_event(engine, &event, err);
}

static iv_rc play(struct run *run, const struct iv_yaml_node *events, struct iv_err *err)
{
    IV_AUTO(iv_engine_freep) struct iv_engine *engine = NULL;
    struct iv_engine_options options = {.verdict = on_verdict, .ctx = run, .hash_key = run->trial.hash_key};
    TRY(iv_engine_new(&engine, run->trial.baseline, &options, err));
    for (size_t i = 0; i < events->count; i++) {
        for (int s = 0; s < IV_STREAMS; s++) {
            TRY(iv_engine_open(engine, (enum iv_stream)s, (int32_t)i, err));
        }
    }
    struct iv_shorthand shorthand = {
        .catalogue = run->trial.baseline->catalogue,
        .decoder = run->trial.decoder,
        .digester = run->digester,
        .problems = run->problems,
        .keys = &run->trial.keys,
    };
    struct iv_buf bytes;
    iv_buf_init(&bytes, RECORD_MAX + IV_RECORD_PADDING);
    struct iv_rc_s rc = IV_OK;
    for (size_t i = 0; i < events->count && iv_ok(rc); i++) {
        rc = feed(run, engine, &shorthand, &bytes, events->items[i], (int32_t)i, err);
    }
    iv_buf_deinit(&bytes);
    return iv_ok(rc) ? iv_engine_finish(engine, err) : rc;
}

static bool holds(const struct ids *ids, struct iv_str id)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (iv_str_eq(ids->items[i], id)) {
            return true;
        }
    }
    return false;
}

static void list_ids(struct iv_buf *out, const struct ids *ids)
{
    iv_buf_char(out, '[');
    for (size_t i = 0; i < ids->count; i++) {
        iv_buf_printf(out, "%s" IV_STR_FMT, i > 0 ? ", " : "", IV_STR_ARG(ids->items[i]));
    }
    iv_buf_char(out, ']');
}

/* True when the verdicts of this kind are those of the list; an absent list asks for nothing. */
static bool compare(struct run *run, const struct iv_yaml_node *test, const char *key, const struct ids *got)
{
    const struct iv_yaml_node *list = iv_yaml_at(test, key);
    if (list == NULL || list->kind != IV_YAML_LIST) {
        return true;
    }
    struct ids want = {NULL, 0};
    for (size_t i = 0; i < list->count; i++) {
        add_id(run, &want, list->items[i]->kind == IV_YAML_SCALAR ? list->items[i]->text : IV_STR("?"));
    }
    bool equal = want.count == got->count;
    for (size_t i = 0; i < want.count; i++) {
        equal = equal && holds(got, want.items[i]);
    }
    if (!equal) {
        const struct iv_yaml_node *name = iv_yaml_at(test, "name");
        struct iv_buf text;
        iv_buf_init(&text, 4096);
        list_ids(&text, got);
        iv_yaml_error(run->problems, list, IV_STR_FMT " in the test '" IV_STR_FMT "': %s is " IV_STR_FMT,
                      IV_STR_ARG(run->rule->id), IV_STR_ARG(name->text), key,
                      IV_STR_ARG(iv_buf_slice(&text)));
        iv_buf_deinit(&text);
    }
    return equal;
}

static iv_rc run_test(struct run *run, bool *passed, const struct iv_yaml_node *test, struct iv_err *err)
{
    static const char *const keys[KINDS] = {
        [VIOLATES] = "violates", [OPEN] = "open", [INCONCLUSIVE] = "inconclusive"};
    *passed = true;
    iv_arena_reset(&run->arena);
    for (int k = 0; k < KINDS; k++) {
        run->got[k] = (struct ids){NULL, 0};
    }
    struct iv_rc_s rc = iv_trial_choose(&run->trial, run->rule, test, run->problems, err);
    rc = iv_ok(rc) ? play(run, iv_yaml_at(test, "events"), err) : rc;
    if (rc.code == IV_E_REFUSED) {
        *passed = false; /* among the problems */
        return IV_OK;
    }
    TRY(rc);
    for (int k = 0; k < KINDS; k++) {
        *passed = compare(run, test, keys[k], &run->got[k]) && *passed;
    }
    ENSURE(!run->no_memory, err, IV_E_NOMEM, "cannot hold a test's verdicts in memory");
    return IV_OK;
}

static iv_rc run_rule(struct run *run, struct iv_rule_test_counts *counts, struct iv_err *err)
{
    const struct iv_yaml_node *tests = iv_baseline_tests(run->baseline, run->rule);
    if (tests == NULL || tests->count == 0) {
        counts->rules_without += run->rule != run->baseline->equivocation;
        return IV_OK;
    }
    for (size_t i = 0; i < tests->count; i++) {
        bool passed;
        TRY(run_test(run, &passed, tests->items[i], err));
        counts->tests++;
        counts->failed += !passed;
    }
    return IV_OK;
}

static iv_rc run_rules(struct run *run, struct iv_rule_test_counts *counts, struct iv_err *err)
{
    for (size_t i = 0; i < run->baseline->rule_count; i++) {
        run->rule = run->baseline->rules[i];
        TRY(run_rule(run, counts, err));
    }
    return IV_OK;
}

iv_rc iv_rule_tests_run(struct iv_rule_test_counts *out, struct iv_baseline *baseline, struct iv_str path,
                        struct iv_problems *problems, struct iv_err *err)
{
    struct run run = {.baseline = baseline, .problems = problems};
    struct iv_hash_key key = {1, 2}; /* nobody attacks their own tests */
    struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    struct iv_rule_test_counts counts = {0};
    struct iv_decoder *decoder = NULL;
    TRY(iv_decoder_new(&decoder, baseline->catalogue, &limits, key, err));
    iv_arena_init(&run.arena, 0);
    iv_trial_init(&run.trial, path, baseline, decoder, key);
    struct iv_rc_s rc = iv_digester_new(&run.digester, err);
    rc = iv_ok(rc) ? run_rules(&run, &counts, err) : rc;
    iv_trial_deinit(&run.trial);
    iv_decoder_free(decoder);
    iv_digester_free(run.digester);
    iv_arena_deinit(&run.arena);
    TRY(rc);
    *out = counts;
    return IV_OK;
}
