/* SPDX-License-Identifier: Apache-2.0 */
#include "baseline/reads.h"

#include "base/guard.h"
#include "folder.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#define HEAD "- {id: AA-1, title: t, severity: low, criteria: [CC6.1], "

static const char settings[] = "parameters: {x: {a: 1, b: 2h, 'c.d': 3}, far: 1h, most: 9}\n"
                               "overrides:\n"
                               "- {match: {tenant: acme, agent: 'web-*'}, parameters: {x: {a: 4}}}\n"
                               "- {match: {tenant: acme}, parameters: {x: {a: 5}, most: 6}}\n";

/* "trigger use.time" and so on, parted by "; ". */
static void expect_reads(const char *rule, const char *want)
{
    static const char *const of[] = {"trigger", "partner", "parameter"};
    struct folder f = folder_with(settings, rule);
    cr_assert(f.baseline != NULL, "%s", f.said);
    const struct iv_rule *loaded = rule_of(&f, "AA-1");
    IV_AUTO(iv_buf_deinit) struct iv_buf got;
    iv_buf_init(&got, 4096);
    for (size_t i = 0; i < loaded->read_count; i++) {
        const struct iv_read *read = &loaded->reads[i];
        iv_buf_printf(&got, "%s%s " IV_STR_FMT "%s", i == 0 ? "" : "; ", of[read->of], IV_STR_ARG(read->name),
                      read->whole ? " whole" : "");
    }

    cr_expect(iv_str_eq(iv_buf_slice(&got), iv_str_of(want)), "%s\nreads " IV_STR_FMT "\nwant  %s", rule,
              IV_STR_ARG(iv_buf_slice(&got)), want);

    folder_done(&f);
}

Test(reads, are_of_the_form_with_its_keys_windows_and_amounts_each_once)
{
    static const struct {
        const char *rule;
        const char *want;
    } rows[] = {
        {HEAD
         "on: {event: token.used, as: use}, where: use.scope == \"x\", forbid: {with: {event: token.revoked, "
         "as: gone, by: token_id, before: baseline.x.b}, if: use.time > gone.time && baseline.x.a == 1}}\n",
         "trigger use.time; trigger use.token_id; partner gone.time; partner gone.token_id; "
         "parameter baseline.x.a; parameter baseline.x.b"},
        {HEAD "on: {event: token.used}, require: {with: {event: token.issued, by: token_id, before: 1h}, "
              "at_least: baseline.most, distinct: enclave_id}}\n",
         "trigger token_id; partner enclave_id; partner token_id; parameter baseline.most"},
        {HEAD "on: {event: agent.started, as: a}, limit: {by: [tenant, a.agent + a.version], window: "
              "baseline.far, "
              "distinct: {of: profile, max: baseline.most}}}\n",
         "trigger a.agent; trigger a.tenant; trigger a.profile; trigger a.version; parameter baseline.far; "
         "parameter baseline.most"},
        {HEAD "on: {event: agent.started}, same: {by: agent, value: version, within: 1h}}\n",
         "trigger agent; trigger version"},
        {HEAD "on: {event: agent.started, as: a}, forbid: {if: \"'c.d' in baseline.x && a == a\"}}\n",
         "trigger a whole; parameter baseline.x.a; parameter baseline.x.b; parameter baseline.x.c.d"},
        {HEAD "on: {event: agent.started}, forbid: {}}\n", ""},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        expect_reads(rows[i].rule, rows[i].want);
    }
}

Test(reads, a_parameter_is_what_the_first_override_that_holds_says)
{
    static const struct {
        const char *tenant;
        const char *agent;
        int64_t want;
        const char *pattern; /* of the match's agent; NULL: it has none */
        bool overridden;
    } rows[] = {
        {"acme", "web-1", 4, "web-*", true},
        {"acme", "batch", 5, NULL, true},
        {"globex", "web-1", 1, NULL, false},
        {NULL, NULL, 1, NULL, false},
    };
    struct folder f =
        folder_with(settings, HEAD "on: {event: agent.started}, forbid: {if: baseline.x.a > 0}}\n");
    cr_assert(f.baseline != NULL, "%s", f.said);
    const struct iv_read *read = rule_of(&f, "AA-1")->reads;
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        const struct iv_match *match;
        const struct iv_object *trigger = started_agent(&f, rows[i].tenant, rows[i].agent, NULL);

        struct iv_val value = iv_read_parameter(&match, read, f.baseline->catalogue, trigger);

        cr_expect(eq(i64, value.i, rows[i].want), "row %zu", i);
        cr_assert(eq(int, match != NULL, rows[i].overridden), "row %zu", i);
        cr_expect(match == NULL || rows[i].pattern == NULL
                      ? match == NULL || match->agent.p == NULL
                      : iv_str_eq(match->agent, iv_str_of(rows[i].pattern)),
                  "row %zu", i);
    }
    folder_done(&f);
}
