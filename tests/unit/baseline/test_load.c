/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include "base/guard.h"
#include "event/sign.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#define RULE(id, body) "- {id: " id ", title: t, severity: low, criteria: [CC6.1], " body "}\n"
#define DAY (INT64_C(86400) * IV_NS_PER_S)

Test(load, what_a_baseline_leaves_out_has_its_default)
{
    struct folder f = folder_with("", NULL);
    cr_assert(f.baseline != NULL, "%s", f.said);

    const struct iv_stream_policy *s = f.baseline->streams;
    cr_expect(iv_str_eq(s[IV_LEDGER].topic, IV_STR("ledger")));
    cr_expect(eq(i64, s[IV_LEDGER].lateness, 0));
    cr_expect(eq(i64, s[IV_TELEMETRY].lateness, 2 * IV_NS_PER_S));
    cr_expect(eq(int, (int)s[IV_TELEMETRY].grade, (int)IV_GRADE_COMPLETE));
    cr_expect(eq(int, (int)s[IV_TELEMETRY].history, (int)IV_HISTORY_FULL));
    cr_expect(eq(i64, f.baseline->idle, 500 * IV_NS_PER_MS));
    cr_expect(eq(i64, f.baseline->dedup, 60 * IV_NS_PER_S));
    cr_expect(eq(int, (int)f.baseline->mode, (int)IV_MODE_ENFORCE));
    cr_expect(eq(sz, f.baseline->rule_count, 1));
    cr_expect(iv_str_eq(f.baseline->rules[0]->id, IV_STR("EVT-001")));
    folder_done(&f);
}

Test(load, a_rule_has_its_baselines_mode_unless_it_has_its_own)
{
    struct folder f = folder_with("mode: observe\n",
                                  RULE("AA-1", "on: {event: token.used}, forbid: {}")
                                      RULE("AA-2", "mode: enforce, on: {event: token.used}, forbid: {}"));

    cr_expect(eq(int, (int)rule_of(&f, "AA-1")->mode, (int)IV_MODE_OBSERVE));
    cr_expect(eq(int, (int)rule_of(&f, "AA-2")->mode, (int)IV_MODE_ENFORCE));
    cr_expect(eq(int, (int)f.baseline->equivocation->mode, (int)IV_MODE_OBSERVE));
    folder_done(&f);
}

static bool selects(const struct folder *f, const char *rule, const char *type)
{
    return iv_selector_has(&rule_of(f, rule)->on, iv_catalogue_find(f->baseline->catalogue, iv_str_of(type)));
}

Test(load, rules_select_types_by_name_list_glob_and_stream)
{
    struct folder f = folder_with(
        "events: {my.type: {stream: ledger, fields: {size!: int}}}\n",
        RULE("AA-1", "on: {event: [token.used, 'tool.*']}, forbid: {}")
            RULE("AA-2", "on: {event: '*'}, forbid: {}") RULE("AA-3", "on: {stream: ledger}, forbid: {}")
                RULE("AA-4", "on: {event: my.type, as: e}, forbid: {if: e.size > 1}"));
    const struct iv_event_type *unknown =
        iv_catalogue_unknown(rule_of(&f, "AA-1") == NULL ? NULL : f.baseline->catalogue);

    cr_expect(selects(&f, "AA-1", "token.used"));
    cr_expect(selects(&f, "AA-1", "tool.executed"));
    cr_expect(selects(&f, "AA-1", "tool.authorized"));
    cr_expect(not(selects(&f, "AA-1", "token.issued")));
    cr_expect(not(iv_selector_has(&rule_of(&f, "AA-1")->on, unknown)));
    cr_expect(rule_of(&f, "AA-1")->on.streams[IV_LEDGER] && rule_of(&f, "AA-1")->on.streams[IV_TELEMETRY]);
    cr_expect(iv_selector_has(&rule_of(&f, "AA-2")->on, unknown));
    cr_expect(iv_selector_has(&rule_of(&f, "AA-3")->on, unknown));
    cr_expect(selects(&f, "AA-3", "my.type"));
    cr_expect(not(selects(&f, "AA-3", "token.used")));
    cr_expect(not(rule_of(&f, "AA-3")->on.streams[IV_TELEMETRY]));
    folder_done(&f);
}

Test(load, a_field_of_two_types_that_differ_is_dynamic)
{
    struct folder f =
        folder_with("events: {a.one: {stream: telemetry, fields: {v: int}}, a.two: {stream: telemetry, "
                    "fields: {v: string}}}\n",
                    RULE("AA-1", "on: {event: a.*, as: e}, forbid: {if: 'e.v == 1 || e.v == \"x\"'}"));

    cr_expect(f.baseline != NULL, "%s", f.said);
    folder_done(&f);
}

Test(load, a_window_of_parameters_is_as_long_as_its_longest_override)
{
    struct folder f =
        folder_with("parameters: {a: 1d, b: 1h, c: {d: 1d}}\n"
                    "overrides:\n"
                    "- {match: {tenant: x}, parameters: {a: 3d, b: 30m}}\n"
                    "- {match: {agent: y}, parameters: {b: 2h}}\n",
                    RULE("AA-1", "on: {event: token.used}, forbid: {with: {event: token.issued, by: "
                                 "token_id, before: baseline.a + baseline.b}}")
                        RULE("AA-2", "on: {event: token.used}, same: {by: agent, value: scope, within: "
                                     "baseline.c.d}")
                            RULE("AA-3", "on: {event: token.used}, forbid: {with: {event: token.issued, "
                                         "by: token_id, before: 'duration(\"1h\") + duration(\"1h\")'}}")
                                RULE("AA-4", "on: {event: token.used}, forbid: {with: {event: "
                                             "token.issued, by: token_id, after: baseline.a}}"));

    cr_expect(eq(i64, rule_of(&f, "AA-1")->with.window.past_max_ns, 3 * DAY + 7200 * IV_NS_PER_S));
    cr_expect(eq(i64, rule_of(&f, "AA-2")->span_max_ns, DAY));
    cr_expect(eq(ptr, (void *)(uintptr_t)rule_of(&f, "AA-3")->with.window.length.prog, NULL));
    cr_expect(eq(i64, rule_of(&f, "AA-3")->with.window.length.i, 7200 * IV_NS_PER_S));
    cr_expect(eq(i64, rule_of(&f, "AA-4")->with.window.past_max_ns, 0));
    folder_done(&f);
}

static bool has_bit(const uint64_t *bits, const struct folder *f, const char *name)
{
    for (size_t i = 0; i < iv_catalogue_names(f->baseline->catalogue); i++) {
        if (iv_str_eq(iv_catalogue_name(f->baseline->catalogue, (uint16_t)i), iv_str_of(name))) {
            return (bits[i / 64] >> (i % 64) & 1) != 0;
        }
    }
    return false;
}

Test(load, a_rule_knows_the_fields_that_it_reads_of_each_side)
{
    struct folder f = folder_with(
        "",
        RULE("AA-1",
             "on: {event: token.used, as: use}, where: has(use.scope), forbid: {with: {event: token.issued, "
             "as: t, by: token_id, before: 1d}, if: use.time > t.expires_at, distinct: t.tier}")
            RULE("AA-2", "on: {stream: ledger, as: e}, forbid: {if: '!hash_valid(e)'}"));
    const struct iv_rule *rule = rule_of(&f, "AA-1");

    cr_expect(has_bit(rule->trigger_fields, &f, "scope"));
    cr_expect(has_bit(rule->trigger_fields, &f, "token_id"));
    cr_expect(has_bit(rule->trigger_fields, &f, "time"));
    cr_expect(has_bit(rule->partner_fields, &f, "expires_at"));
    cr_expect(has_bit(rule->partner_fields, &f, "token_id"));
    cr_expect(has_bit(rule->partner_fields, &f, "tier"));
    cr_expect(not(has_bit(rule->partner_fields, &f, "scope")));
    cr_expect(not(rule->all_trigger_fields));
    cr_expect(not(rule->checks_chain));
    cr_expect(rule_of(&f, "AA-2")->all_trigger_fields);
    cr_expect(rule_of(&f, "AA-2")->checks_chain);
    folder_done(&f);
}

Test(load, waivers_hold_for_their_rule_their_triggers_and_their_time)
{
    struct folder f =
        folder_with("waivers:\n- {rule: AA-1, match: {agent: 'batch-*', tenant: acme}, reason: r, by: me, "
                    "until: 2026-01-02T00:00:00Z}\n- {rule: EVT-001, reason: r}\n",
                    RULE("AA-1", "on: {event: token.used}, forbid: {}")
                        RULE("AA-2", "on: {event: token.used}, forbid: {}"));
    const iv_ns until = INT64_C(1767312000) * IV_NS_PER_S;
    static const struct {
        const char *rule, *tenant, *agent;
        iv_ns before_until;
        bool holds;
    } rows[] = {
        {"AA-1", "acme", "batch-7", 1, true},  {"AA-1", "acme", "batch-7", 0, false},
        {"AA-1", "acme", "web", 1, false},     {"AA-1", "globex", "batch-7", 1, false},
        {"AA-1", NULL, "batch-7", 1, false},   {"AA-2", "acme", "batch-7", 1, false},
        {"EVT-001", NULL, NULL, -99999, true},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        const struct iv_object *trigger = started_agent(&f, rows[i].tenant, rows[i].agent, NULL);
        const struct iv_waiver *w =
            iv_baseline_waiver(f.baseline, rule_of(&f, rows[i].rule), trigger, until - rows[i].before_until);
        cr_expect(eq(int, w != NULL, rows[i].holds), "row %zu", i);
    }
    folder_done(&f);
}

static void digest_of(char out[97], const char *settings, const char *rules)
{
    struct folder f = folder_with(settings, rules);
    cr_assert(f.baseline != NULL, "%s", f.said);
    memcpy(out, f.baseline->digest_hex, 97);
    folder_done(&f);
}

Test(digest, names_what_is_said_and_not_how)
{
    char a[97];
    char b[97];
    digest_of(a, "idle: 1s\nparameters: {x: 1m, y: 'a'} # why\n",
              RULE("AA-1", "on: {event: token.used}, forbid: {}"));
    digest_of(b, "parameters:\n  y: \"a\"\n  x: 60s\nidle: 1000ms\n",
              "- id: AA-1\n  forbid: {}\n  on:\n    event: token.used\n  criteria: [CC6.1]\n  title: t\n  "
              "severity: low\n");
    cr_expect(eq(str, a, b));
}

Test(digest, changes_with_whatever_changes_a_meaning)
{
    static const char *const settings[] = {"parameters: {x: 1m}\n", "parameters: {x: '1m'}\n",
                                           "parameters: {x: 1}\n", "parameters: {x: 1.0}\n",
                                           "parameters: {x: '1'}\n"};
    char digests[IV_COUNT(settings) + 1][97];
    for (size_t i = 0; i < IV_COUNT(settings); i++) {
        digest_of(digests[i], settings[i], NULL);
    }
    digest_of(digests[IV_COUNT(settings)], settings[0], RULE("AA-1", "on: {event: token.used}, forbid: {}"));
    for (size_t i = 0; i < IV_COUNT(digests); i++) {
        for (size_t k = 0; k < i; k++) {
            cr_expect(ne(str, digests[i], digests[k]), "%zu and %zu", i, k);
        }
    }
}

Test(digest, of_a_rule_stays_where_only_words_for_people_change)
{
    struct folder a =
        folder_with("", "- {id: AA-1, title: one, severity: low, criteria: [CC6.1], on: {event: "
                        "token.used}, forbid: {}}\n");
    struct folder b =
        folder_with("", "- {id: AA-1, title: two, severity: high, criteria: [CC6.2], on: {event: "
                        "token.used}, forbid: {}, description: d}\n");
    struct folder c =
        folder_with("", "- {id: AA-1, title: one, severity: low, criteria: [CC6.1], on: {event: "
                        "token.issued}, forbid: {}}\n");

    cr_expect(memcmp(rule_of(&a, "AA-1")->digest, rule_of(&b, "AA-1")->digest, 48) == 0);
    cr_expect(memcmp(rule_of(&a, "AA-1")->digest, rule_of(&c, "AA-1")->digest, 48) != 0);
    folder_done(&a);
    folder_done(&b);
    folder_done(&c);
}

/* Two settings around one rule: whether it goes on with its state. */
Test(digest, of_a_rule_rests_on_what_can_change_its_verdicts)
{
    static const char *const by_parameter =
        RULE("AA-1", "on: {event: token.used, as: u}, forbid: {if: u.time > baseline.t.at}");
    static const char *const by_map =
        RULE("AA-1", "on: {event: token.used}, forbid: {if: \"'a' in baseline.m\"}");
    static const char *const required =
        RULE("AA-1", "on: {event: d.x}, require: {with: {event: token.used, by: agent, after: 1s}}");
    static const char *const signed_by =
        RULE("AA-1", "on: {event: tool.authorized, as: a}, forbid: {if: '!receipt_valid(a.receipt)'}");
    static const char *const plain = RULE("AA-1", "on: {event: token.used}, forbid: {}");
    static const char *const every = RULE("AA-1", "on: {event: '*'}, forbid: {}");
#define T "parameters: {t: {at: 2026-01-01T00:00:00Z, other: 1}, m: {a: 1}}\n"
#define D "events: {d.x: {stream: telemetry, fields: {k: string}}}\n"
    const struct {
        const char *rule;
        const char *before;
        const char *after;
        bool same;
    } rows[] = {
        {by_parameter, T, "parameters: {t: {at: 2026-01-01T00:00:00Z, other: 2}, m: {a: 1}}\n", true},
        {by_parameter, T, "parameters: {t: {at: 2026-01-02T00:00:00Z, other: 1}, m: {a: 1}}\n", false},
        {by_parameter, T, T "overrides: [{match: {tenant: a}, parameters: {t: {other: 2}}}]\n", true},
        {by_parameter, T,
         T "overrides: [{match: {tenant: a}, parameters: {t: {at: 2026-01-02T00:00:00Z}}}]\n", false},
        {by_map, T, "parameters: {t: {at: 2026-01-01T00:00:00Z, other: 1}, m: {a: 1, b: 1}}\n", false},
        {by_map, T, "parameters: {t: {at: 2027-01-01T00:00:00Z, other: 1}, m: {a: 1}}\n", true},
        {plain, "", "dedup: 5s\nidle: 3s\nmode: observe\nstreams: {telemetry: {lateness: 9s}}\n", true},
        {plain, "", "streams: {ledger: {grade: best_effort, history: partial}}\n", true},
        {plain, "", D, true},
        {every, "", D, false},
        {required, D, D "streams: {telemetry: {grade: best_effort}}\n", false},
        {required, D, D "streams: {telemetry: {history: partial}}\n", false},
        {required, D, D "streams: {ledger: {grade: best_effort}}\n", true},
        {required, D, "events: {d.x: {stream: telemetry, fields: {k: int}}}\n", false},
        {required, D,
         "events: {d.x: {stream: telemetry, fields: {k: string}}, d.y: {stream: ledger, fields: "
         "{k: string}}}\n",
         true},
        {signed_by, "",
         "keys: [{id: k, role: orchestrator, public_key: "
         "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=}]\n",
         false},
        {plain, "",
         "keys: [{id: k, role: orchestrator, public_key: "
         "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=}]\n",
         true},
    };
#undef T
#undef D
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct folder a = folder_with(rows[i].before, rows[i].rule);
        struct folder b = folder_with(rows[i].after, rows[i].rule);
        cr_assert(a.baseline != NULL && b.baseline != NULL, "row %zu: %s%s", i, a.said, b.said);
        bool same = memcmp(rule_of(&a, "AA-1")->digest, rule_of(&b, "AA-1")->digest, 48) == 0;
        cr_expect(same == rows[i].same, "row %zu", i);
        folder_done(&a);
        folder_done(&b);
    }
}

static struct folder signed_folder(struct iv_signer **signer, const char *role)
{
    struct iv_buf pem;
    unsigned char seed[32] = {7};
    char text[2048];
    struct iv_buf base64;
    iv_buf_init(&pem, 4096);
    iv_buf_init(&base64, 256);
    cr_assert(iv_ok(iv_signer_of_seed(signer, seed, NULL)));
    cr_assert(iv_ok(iv_signer_public_pem(&pem, *signer, NULL)));
    const char *body = strchr(pem.p, '\n') + 1;
    (void)snprintf(text, sizeof text,
                   "apiVersion: invigil/v1\nkind: Baseline\nmetadata: {name: t}\nauthority: boss\n"
                   "keys:\n- id: boss\n  role: %s\n  not_after: 2020-01-01T00:00:00Z\n  public_key: |\n"
                   "    -----BEGIN PUBLIC KEY-----\n    %.*s\n    -----END PUBLIC KEY-----\n",
                   role, (int)strcspn(body, "\n"), body);
    struct folder f = folder_new();
    folder_write(&f, "baseline.yaml", text);
    iv_buf_deinit(&pem);
    iv_buf_deinit(&base64);
    return f;
}

static void sign_folder(struct folder *f, const struct iv_signer *signer, const char *key_id)
{
    struct iv_baseline *unsigned_baseline = NULL;
    struct iv_problems *problems = NULL;
    struct iv_buf text;
    iv_buf_init(&text, 4096);
    cr_assert(iv_ok(iv_problems_new(&problems, NULL)));
    cr_assert(iv_ok(iv_baseline_load_unsigned(&unsigned_baseline, iv_str_of(f->path), problems, &f->err)),
              "%s", f->err.text);
    cr_assert(iv_ok(iv_baseline_sign(&text, unsigned_baseline, iv_str_of(key_id), signer, NULL)));
    folder_write(f, "baseline.sig", text.p);
    iv_buf_deinit(&text);
    iv_problems_free(problems);
    iv_baseline_unref(unsigned_baseline);
}

Test(signature, a_baseline_with_an_authority_is_accepted_with_its_signature_only)
{
    struct iv_signer *signer = NULL;
    struct folder f = signed_folder(&signer, "policy");

    folder_load(&f);
    cr_expect(eq(ptr, f.baseline, NULL), "without a signature");
    sign_folder(&f, signer, "boss");
    folder_load(&f);
    cr_expect(ne(ptr, f.baseline, NULL), "%s", f.said);
    sign_folder(&f, signer, "somebody");
    folder_load(&f);
    cr_expect(ne(ptr, strstr(f.said, "no authority"), NULL), "%s", f.said);

    iv_signer_free(signer);
    folder_done(&f);
}

Test(signature, does_not_outlive_a_change_of_the_baseline)
{
    struct iv_signer *signer = NULL;
    struct folder f = signed_folder(&signer, "policy");
    char path[256];
    sign_folder(&f, signer, "boss");
    (void)snprintf(path, sizeof path, "%s/baseline.yaml", f.path);
    FILE *file = fopen(path, "a");
    cr_assert(file != NULL);
    (void)fputs("idle: 9s\n", file);
    (void)fclose(file);

    folder_load(&f);

    cr_expect(ne(ptr, strstr(f.said, "does not verify"), NULL), "%s", f.said);
    iv_signer_free(signer);
    folder_done(&f);
}

Test(signature, asks_for_a_key_of_role_policy)
{
    struct iv_signer *signer = NULL;
    struct folder f = signed_folder(&signer, "orchestrator");
    sign_folder(&f, signer, "boss");

    folder_load(&f);

    cr_expect(ne(ptr, strstr(f.said, "does not verify"), NULL), "%s", f.said);
    iv_signer_free(signer);
    folder_done(&f);
}
