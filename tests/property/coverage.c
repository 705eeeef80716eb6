/* SPDX-License-Identifier: Apache-2.0 */
#include "coverage.h"

#include "base/guard.h"

#include <stdio.h>
#include <string.h>

#define WORLDS_ENOUGH 300
#define KINDS (IV_OPEN + 1)

enum concern {
    OF_RULE,    /* the text of a rule */
    OF_WORLD,   /* the text of baseline.yaml: all rules of the world */
    OF_TRIGGER, /* a trigger, of rules that read parameters; also: a text of baseline.yaml */
};

/* A text that stands in it, with, and without another one; or which triggers. */
struct part {
    const char *name;
    enum concern concern;
    const char *text;
    const char *with;
    const char *without;
    bool (*triggers)(const struct iv_event *trigger);
    enum iv_verdict_kind wanted;
    uint64_t generated;
    uint64_t verdicts[KINDS];
};

static bool attribute_is(const struct iv_event *e, enum iv_attr attr, const char *pattern)
{
    struct iv_str value = iv_event_attr(e, attr);
    return value.p != NULL && iv_glob(iv_str_of(pattern), value);
}

/* As generate_baseline's overrides match, each where none before it does. */
static bool by_tenant_and_agent(const struct iv_event *e)
{
    return attribute_is(e, IV_ATTR_TENANT, "t1") && attribute_is(e, IV_ATTR_AGENT, "a*");
}

static bool by_tenant(const struct iv_event *e)
{
    return attribute_is(e, IV_ATTR_TENANT, "t?") && !by_tenant_and_agent(e);
}

static bool by_profile(const struct iv_event *e)
{
    return !attribute_is(e, IV_ATTR_TENANT, "t?");
}

#define RULE(name, text, with, without)                                                                      \
    {                                                                                                        \
        name, OF_RULE, text, with, without, NULL, IV_VIOLATED, 0,                                            \
        {                                                                                                    \
            0                                                                                                \
        }                                                                                                    \
    }
#define WORLD(name, text, wanted)                                                                            \
    {                                                                                                        \
        name, OF_WORLD, text, NULL, NULL, NULL, wanted, 0,                                                   \
        {                                                                                                    \
            0                                                                                                \
        }                                                                                                    \
    }
#define TRIGGER(name, triggers)                                                                              \
    {                                                                                                        \
        name, OF_TRIGGER, "overrides:", NULL, NULL, triggers, IV_VIOLATED, 0,                                \
        {                                                                                                    \
            0                                                                                                \
        }                                                                                                    \
    }

static struct part parts[] = {
    RULE("forbid alone", "forbid: {if:", NULL, NULL),
    RULE("forbid with a partner", "  forbid:\n", NULL, NULL),
    RULE("require", "  require:\n", NULL, NULL),
    RULE("limit, count", "count: {max", NULL, NULL),
    RULE("limit, sum", "sum: {of", NULL, NULL),
    RULE("limit, distinct", "distinct: {of", NULL, NULL),
    RULE("same", "  same: {", NULL, NULL),
    RULE("on: a list", "  on: {event: [x", NULL, NULL),
    RULE("on: a glob", "  on: {event: \"x.*\"", NULL, NULL),
    RULE("on: a list with a glob", "  on: {event: [\"y.?\"", NULL, NULL),
    RULE("on: every type", "  on: {event: \"*\"", NULL, NULL),
    RULE("on: the ledger", "  on: {stream: ledger", NULL, NULL),
    RULE("on: telemetry", "  on: {stream: telemetry", NULL, NULL),
    RULE("with: a list", "with: {event: [x", NULL, NULL),
    RULE("with: a glob", "with: {event: \"", NULL, NULL),
    RULE("with: a stream", "with: {stream:", NULL, NULL),
    RULE("where", "  where:", NULL, NULL),
    RULE("no if", "as: b", NULL, "if:"),
    RULE("before", ", before:", NULL, NULL),
    RULE("before: 0s", ", before: 0s", NULL, NULL),
    RULE("after", ", after:", NULL, NULL),
    RULE("within", ", within:", "as: b", NULL),
    RULE("until", ", until:", NULL, NULL),
    RULE("a window of the baseline", "baseline.win", NULL, NULL),
    RULE("a window of the trigger", ", after: a.d", NULL, NULL),
    RULE("a window by CEL", "'baseline.win + duration", NULL, NULL),
    RULE("no key", "as: b", NULL, ", by:"),
    RULE("a list of keys", ", by: [", NULL, NULL),
    RULE("keys by expression", "{on: a.k,", NULL, NULL),
    RULE("keys by a list of expressions", "{on: [a.k", NULL, NULL),
    RULE("a key that fails", "'a.n / a.j', with", NULL, NULL),
    RULE("a key of two types", "by: m", NULL, NULL),
    RULE("at_least", "at_least: 2", NULL, NULL),
    RULE("at_least of the baseline", "at_least: baseline.cnt", NULL, NULL),
    RULE("at_least of the trigger", "at_least: 'a.j", NULL, NULL),
    RULE("at_least that fails", "at_least: 'a.n / a.j'", NULL, NULL),
    RULE("distinct", "    distinct: ", NULL, NULL),
    RULE("distinct, a list", "    distinct: [", NULL, NULL),
    RULE("distinct and at_least", "    distinct: ", "at_least:", NULL),
    RULE("max of the baseline", "max: baseline", NULL, NULL),
    RULE("max of the trigger", "max: 'a.", NULL, NULL),
    RULE("a tree", "    tree: ", NULL, NULL),
    RULE("a tree, signed in a role", "tree: {note", NULL, NULL),
    WORLD("grade: best_effort", "grade: best_effort", IV_INCONCLUSIVE),
    WORLD("history: partial", "history: partial", IV_INCONCLUSIVE),
    WORLD("mode: observe", "mode: observe", IV_VIOLATED),
    WORLD("a short dedup", "dedup: 1ms", IV_VIOLATED),
    WORLD("overrides", "overrides:", IV_VIOLATED),
    WORLD("waivers", "waivers:", IV_VIOLATED),
    TRIGGER("under tenant and agent", by_tenant_and_agent),
    TRIGGER("under a tenant's glob", by_tenant),
    TRIGGER("under a profile, or none", by_profile),
};

static uint64_t worlds;
static uint64_t waived;
static uint64_t equivocations;
static uint64_t in_partitions; /* events by whether their stream has several partitions */

static bool has(struct iv_str text, const char *part)
{
    return part == NULL || (text.n > 0 && memmem(text.p, text.n, part, strlen(part)) != NULL);
}

static bool concerns(const struct part *p, const struct trial *trial, const struct iv_rule *rule)
{
    struct iv_str text = p->concern == OF_RULE ? rule->source_text : iv_buf_slice(&trial->baseline_yaml);
    return has(text, p->text) && has(text, p->with) && (p->without == NULL || !has(text, p->without)) &&
           (p->concern != OF_TRIGGER || has(rule->source_text, "baseline."));
}

static const struct iv_event *trigger_of(const struct engine_run *run, const struct emission *e)
{
    for (size_t i = 0; i < run->event_count; i++) {
        if (iv_str_eq(iv_event_attr(run->events[i], IV_ATTR_SOURCE), e->source) &&
            iv_str_eq(iv_event_attr(run->events[i], IV_ATTR_ID), e->id)) {
            return run->events[i];
        }
    }
    return NULL;
}

static void note_verdict(const struct trial *trial, const struct engine_run *run, const struct emission *e)
{
    const struct iv_event *trigger = trigger_of(run, e);
    for (size_t i = 0; i < IV_COUNT(parts); i++) {
        struct part *p = &parts[i];
        if (concerns(p, trial, e->rule) &&
            (p->triggers == NULL || (trigger != NULL && p->triggers(trigger)))) {
            p->verdicts[e->kind]++;
        }
    }
    waived += e->waived;
}

void coverage_note(const struct trial *trial, const struct engine_run *run)
{
    const struct iv_baseline *baseline = trial->baseline;
    worlds++;
    for (size_t r = 0; r < baseline->rule_count; r++) {
        for (size_t i = 0; i < IV_COUNT(parts) && baseline->rules[r] != baseline->equivocation; i++) {
            parts[i].generated += concerns(&parts[i], trial, baseline->rules[r]);
        }
    }
    for (size_t i = 0; i < run->emission_count; i++) {
        if (run->emissions[i].rule == baseline->equivocation) {
            equivocations++;
        } else {
            note_verdict(trial, run, &run->emissions[i]);
        }
    }
    for (size_t i = 0; i < run->event_count; i++) {
        in_partitions += trial->world.partitions[run->events[i]->origin.stream] > 1;
    }
}

bool coverage_print(void)
{
    bool enough = true;
    printf("%-32s%10s%10s%14s%8s\n", "", "rules", "violated", "inconclusive", "open");
    for (size_t i = 0; i < IV_COUNT(parts); i++) {
        const struct part *p = &parts[i];
        bool missing = p->verdicts[p->wanted] == 0;
        printf("%-32s%10llu%10llu%14llu%8llu%s\n", p->name, (unsigned long long)p->generated,
               (unsigned long long)p->verdicts[IV_VIOLATED], (unsigned long long)p->verdicts[IV_INCONCLUSIVE],
               (unsigned long long)p->verdicts[IV_OPEN], missing ? "  never led to its verdict" : "");
        enough = enough && !missing;
    }
    printf(
        "%llu worlds: %llu equivocations, %llu verdicts waived, %llu events in one of several partitions\n",
        (unsigned long long)worlds, (unsigned long long)equivocations, (unsigned long long)waived,
        (unsigned long long)in_partitions);
    return worlds < WORLDS_ENOUGH || (enough && equivocations > 0 && waived > 0 && in_partitions > 0);
}
