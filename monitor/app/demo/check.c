/* SPDX-License-Identifier: Apache-2.0 */
#include "app/demo/check.h"
#include "app/demo/http_get.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "base/hash.h"
#include "evidence/reader.h"

#include <stdio.h>

/* Lateness of telemetry, idle time, and what the machine needs for the rest. */
#define GRACE (5 * IV_NS_PER_S)
/* The longest that a shipped playbook looks for evidence, and that. */
#define PROOF_GRACE (30 * IV_NS_PER_S)
#define FINDINGS_MAX 100000

struct known {
    uint64_t hash; /* of rule, source, id */
    bool acted;
    bool planted;
};

struct look {
    struct iv_demo_report *report;
    const struct iv_baseline *baseline;
    struct iv_hash_key key;
    iv_ns wall;
    struct known *known;
    size_t count;
};

static uint64_t hash_of(const struct look *look, struct iv_str rule, struct iv_str source, struct iv_str id)
{
    uint64_t h = iv_hash64(look->key, rule);
    h = h * 31 + iv_hash64(look->key, source);
    return h * 31 + iv_hash64(look->key, id);
}

static bool on_finding(void *ctx, const struct iv_finding *finding)
{
    struct look *look = ctx;
    struct known *k = &look->known[look->count++];
    k->hash = hash_of(look, finding->rule, finding->trigger_source, finding->trigger_id);
    k->planted = false;
    bool verified = iv_str_eq(finding->action, IV_STR("verified"));
    k->acted = verified || iv_str_eq(finding->action, IV_STR("done"));
    const struct iv_rule *rule = iv_baseline_rule(look->baseline, finding->rule);
    if (rule != NULL && rule->remediate.p != NULL && look->wall - finding->detected > GRACE) {
        look->report->to_act++;
        look->report->acted += k->acted ? 1 : 0;
        look->report->proven += verified ? 1 : 0;
        bool old = look->wall - finding->detected > PROOF_GRACE;
        look->report->to_prove += old ? 1 : 0;
        look->report->in_doubt += old && !verified ? 1 : 0;
    }
    return look->count < FINDINGS_MAX;
}

static void on_plant(void *ctx, const struct iv_fleet_plant *plant)
{
    struct look *look = ctx;
    uint64_t hash = hash_of(look, plant->rule, plant->trigger.source, plant->trigger.id);
    bool found = false;
    for (size_t i = 0; i < look->count; i++) {
        if (look->known[i].hash == hash) {
            look->known[i].planted = true;
            found = true;
        }
    }
    if (plant->deadline + IV_FLEET_DELAY + GRACE > look->wall) {
        return;
    }
    look->report->due++;
    look->report->found += found ? 1 : 0;
    if (!found && look->report->first_missing[0] == '\0') {
        (void)snprintf(look->report->first_missing, sizeof look->report->first_missing,
                       IV_STR_FMT " for " IV_STR_FMT " " IV_STR_FMT, IV_STR_ARG(plant->rule),
                       IV_STR_ARG(plant->trigger.source), IV_STR_ARG(plant->trigger.id));
    }
}

static iv_rc look_at_store(struct look *look, struct iv_stage *stage, struct iv_err *err)
{
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    struct iv_finding_filter filter = {.limit = FINDINGS_MAX};
    TRY(iv_reader_open(&reader, iv_stage_config(stage)->store_path, err));
    TRY(iv_reader_findings(reader, &filter, on_finding, look, err));
    iv_stage_plants(stage, on_plant, look);
    for (size_t i = 0; i < look->count; i++) {
        look->report->invented += look->known[i].planted ? 0 : 1;
    }
    return IV_OK;
}

static bool shows(const char *url, const char *path, const char *what)
{
    struct iv_buf body;
    struct iv_err err;
    iv_buf_init(&body, (size_t)4 << 20);
    bool shown = iv_ok(iv_http_get(&body, url, path, &err)) && body.n > 0 && strstr(body.p, what) != NULL;
    iv_buf_deinit(&body);
    return shown;
}

iv_rc iv_demo_check(struct iv_demo_report *out, struct iv_stage *stage, const struct iv_baseline *baseline,
                    const char *console_url, iv_ns wall, struct iv_err *err)
{
    *out = (struct iv_demo_report){.due = 0};
    struct look look = {.report = out, .baseline = baseline, .key = iv_hash_key_random(), .wall = wall};
    look.known = iv_calloc(FINDINGS_MAX, sizeof *look.known);
    ENSURE(look.known != NULL, err, IV_E_NOMEM, "cannot allocate the demo's check");
    struct iv_rc_s rc = look_at_store(&look, stage, err);
    iv_free(look.known);
    out->shown =
        shows(console_url, "/api/v1/findings?limit=1", "\"uid\"") && shows(console_url, "/", "<html");
    return rc;
}

bool iv_demo_passed(const struct iv_demo_report *report)
{
    return report->due > 0 && report->found == report->due && report->invented == 0 && report->to_act > 0 &&
           report->acted == report->to_act && report->proven > 0 && report->in_doubt == 0 && report->shown;
}
