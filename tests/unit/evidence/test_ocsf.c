/* SPDX-License-Identifier: Apache-2.0 */
/* What the text says. That it is valid OCSF is for tests/conformance/ocsf. */
#include "base/guard.h"
#include "baseline/reads.h"
#include "evidence/finding.h"
#include "evidence/ocsf.h"
#include "support/sample.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

static void expect_has(const struct iv_buf *json, const char *words)
{
    cr_expect(strstr(json->p, words) != NULL, "want %s in\n%s", words, json->p);
}

Test(ocsf, tells_rule_criteria_trigger_witness_and_baseline)
{
    IV_AUTO(sample_deinit) struct sample s;
    sample_init(&s);
    IV_AUTO(iv_buf_deinit) struct iv_buf json;
    iv_buf_init(&json, 1 << 16);

    iv_ocsf_finding(&json, &s.baseline, &s.verdict);

    expect_has(&json, "\"class_uid\":2004");
    expect_has(&json, "\"type_uid\":200401");
    expect_has(&json, "\"severity_id\":5");
    expect_has(&json, "\"time\":1767225602500,");
    expect_has(&json, "\"analytic\":{\"uid\":\"TOK-002\"");
    expect_has(&json, "\"requirements\":[\"CC6.1\",\"CC6.3\"]");
    expect_has(&json, "\"topic\":\"telemetry\",\"partition\":1,\"offset\":42,");
    expect_has(&json, "\"topic\":\"telemetry\",\"partition\":0,\"offset\":17,");
    expect_has(&json, "\"value\":\"abcd000000000000000000000000000000000000000000000000000000000000\"");
    expect_has(&json, "\"fields\":{\"token_id\":\"t-1\"}");
    expect_has(&json, "{\"name\":\"baseline.version\",\"value\":\"7\"}");
    expect_has(&json, s.baseline.digest_hex);
}

Test(ocsf, gives_the_same_bytes_for_the_same_verdict)
{
    IV_AUTO(sample_deinit) struct sample s;
    sample_init(&s);
    IV_AUTO(iv_buf_deinit) struct iv_buf scratch;
    iv_buf_init(&scratch, 1 << 16);
    IV_AUTO(iv_buf_deinit) struct iv_buf first;
    iv_buf_init(&first, 1 << 16);
    struct iv_finding row;

    cr_assert(iv_ok(iv_finding_of_verdict(&row, &scratch, &s.baseline, &s.verdict, 1, NULL)));
    iv_buf_str(&first, row.ocsf);
    cr_assert(iv_ok(iv_finding_of_verdict(&row, &scratch, &s.baseline, &s.verdict, 2, NULL)));

    cr_expect(iv_str_eq(iv_buf_slice(&first), row.ocsf));
    cr_expect(iv_str_eq(row.criteria, IV_STR("CC6.1 CC6.3")));
    cr_expect(row.uid.n == IV_UID_HEX);
}

Test(ocsf, maps_what_a_verdict_is_to_status_and_activity)
{
    static const struct {
        enum iv_verdict_kind kind;
        bool waived;
        const char *type;
        const char *status;
        const char *compliance;
        const char *alert;
    } rows[] = {
        {IV_VIOLATED, false, "\"type_uid\":200401", "\"status_id\":1,\"status\":\"New\"",
         "\"status\":\"Fail\"", "\"is_alert\":true"},
        {IV_VIOLATED, true, "\"type_uid\":200401", "\"status_id\":3,\"status\":\"Suppressed\"",
         "\"status\":\"Fail\"", "\"is_alert\":false"},
        {IV_UPDATED, false, "\"type_uid\":200402", "\"status\":\"New\"", "\"status\":\"Fail\"",
         "\"is_alert\":true"},
        {IV_CONTRADICTED, false, "\"type_uid\":200402", "\"status\":\"New\"", "\"status\":\"Warning\"",
         "\"is_alert\":false"},
        {IV_INCONCLUSIVE, false, "\"type_uid\":200401", "\"status\":\"New\"", "\"status\":\"Warning\"",
         "\"is_alert\":false"},
    };
    IV_AUTO(sample_deinit) struct sample s;
    sample_init(&s);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(iv_buf_deinit) struct iv_buf json;
        iv_buf_init(&json, 1 << 16);
        s.verdict.kind = rows[i].kind;
        s.verdict.waiver = rows[i].waived ? &s.waiver : NULL;

        iv_ocsf_finding(&json, &s.baseline, &s.verdict);

        expect_has(&json, rows[i].type);
        expect_has(&json, rows[i].status);
        expect_has(&json, rows[i].compliance);
        expect_has(&json, rows[i].alert);
    }
}

Test(ocsf, fails_rather_than_cut_a_finding_that_does_not_fit)
{
    IV_AUTO(sample_deinit) struct sample s;
    sample_init(&s);
    IV_AUTO(iv_buf_deinit) struct iv_buf scratch;
    iv_buf_init(&scratch, 256);
    struct iv_finding row;
    struct iv_err err = {0};

    cr_expect(iv_finding_of_verdict(&row, &scratch, &s.baseline, &s.verdict, 1, &err).code == IV_E_LIMIT);
    cr_expect(strstr(err.text, "TOK-002") != NULL, "%s", err.text);
}

Test(ocsf, stays_within_a_message_however_long_the_identifiers_are)
{
    IV_AUTO(sample_deinit) struct sample s;
    sample_init(&s);
    static char id[4096];
    memset(id, '\x01', sizeof id); /* six characters each as JSON */
    static struct iv_sighting witnesses[200];
    for (size_t i = 0; i < IV_COUNT(witnesses); i++) {
        witnesses[i] = s.witness;
        witnesses[i].id = (struct iv_str){id, sizeof id};
        witnesses[i].source = (struct iv_str){id, sizeof id};
    }
    s.verdict.witnesses = witnesses;
    s.verdict.witness_count = IV_COUNT(witnesses);
    s.verdict.witness_total = 1000;
    s.verdict.trigger.id = witnesses[0].id;
    s.verdict.trigger.source = witnesses[0].id;
    IV_AUTO(iv_buf_deinit) struct iv_buf json;
    iv_buf_init(&json, 1000000);

    iv_ocsf_finding(&json, &s.baseline, &s.verdict);

    cr_expect(iv_buf_failed(&json) == false);
    expect_has(&json, "\"witness_total\":1000");
}

static uint16_t name_id(const struct sample *s, const char *name)
{
    for (size_t i = 0; i < iv_catalogue_names(s->catalogue); i++) {
        if (iv_str_eq(iv_catalogue_name(s->catalogue, (uint16_t)i), iv_str_of(name))) {
            return (uint16_t)i;
        }
    }
    cr_assert(false, "no name %s", name);
    return 0;
}

Test(ocsf, tells_what_the_rule_saw_under_each_name_that_it_reads)
{
    IV_AUTO(sample_deinit) struct sample s;
    sample_init(&s);
    const struct iv_read_override overrides[] = {
        {{.tenant = IV_STR("glob*")}, iv_val_int(7)},
        {{.tenant = IV_STR("ac*"), .agent = IV_STR("agent-7")}, iv_val_int(8)},
    };
    const struct iv_read reads[] = {
        {.of = IV_READ_TRIGGER, .name = IV_STR("use.token_id"), .name_id = name_id(&s, "token_id")},
        {.of = IV_READ_TRIGGER, .name = IV_STR("use.scope"), .name_id = name_id(&s, "scope")},
        {.of = IV_READ_PARTNER, .name = IV_STR("gone"), .whole = true},
        {.of = IV_READ_PARAMETER,
         .name = IV_STR("baseline.most"),
         .value = iv_val_int(1),
         .overrides = overrides,
         .override_count = 2},
        {.of = IV_READ_PARAMETER, .name = IV_STR("baseline.least"), .value = iv_val_int(2)},
    };
    s.rule.reads = reads;
    s.rule.read_count = IV_COUNT(reads);
    IV_AUTO(iv_buf_deinit) struct iv_buf json;
    iv_buf_init(&json, 1 << 16);

    iv_ocsf_finding(&json, &s.baseline, &s.verdict);

    expect_has(&json, "\"saw\":["
                      "{\"name\":\"use.token_id\",\"of\":\"trigger\",\"evidence\":0,\"value\":\"t-1\"},"
                      "{\"name\":\"use.scope\",\"of\":\"trigger\",\"evidence\":0,\"value\":null,"
                      "\"why\":\"the event does not have it\"},"
                      "{\"name\":\"gone\",\"of\":\"partner\",\"evidence\":1,\"value\":null,"
                      "\"why\":\"the event as a whole was looked at\"},"
                      "{\"name\":\"baseline.most\",\"of\":\"parameter\",\"value\":8,"
                      "\"override\":{\"tenant\":\"ac*\",\"agent\":\"agent-7\"}},"
                      "{\"name\":\"baseline.least\",\"of\":\"parameter\",\"value\":2,\"override\":null}],"
                      "\"saw_left_out\":0");
}

Test(ocsf, says_how_much_of_what_a_rule_saw_had_no_room)
{
    IV_AUTO(sample_deinit) struct sample s;
    sample_init(&s);
    static struct iv_read reads[400];
    static char text[1000];
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < IV_COUNT(reads); i++) {
        reads[i] = (struct iv_read){
            .of = IV_READ_TRIGGER, .name = IV_STR("use.scope"), .name_id = name_id(&s, "scope")};
    }
    s.rule.reads = reads;
    s.rule.read_count = IV_COUNT(reads);
    sample_set(&s, "scope", iv_val_str((struct iv_str){text, sizeof text}));
    IV_AUTO(iv_buf_deinit) struct iv_buf json;
    iv_buf_init(&json, 1 << 17);

    iv_ocsf_finding(&json, &s.baseline, &s.verdict);
    cr_expect(not(iv_buf_failed(&json)));
    expect_has(&json, "\"saw_left_out\":338");
    iv_buf_clear(&json);
    memset(text, '\x01', sizeof text);

    iv_ocsf_finding(&json, &s.baseline, &s.verdict);

    expect_has(&json, "\"value\":null,\"why\":\"it is longer than 1024 bytes\"");
}
