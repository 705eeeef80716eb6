/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/finding.h"

#include "base/encode.h"
#include "base/guard.h"
#include "event/event.h"
#include "evidence/ocsf.h"

static const struct iv_str kind_names[] = {
    [IV_VIOLATED] = IV_STR_INIT("violated"),
    [IV_UPDATED] = IV_STR_INIT("updated"),
    [IV_CONTRADICTED] = IV_STR_INIT("contradicted"),
    [IV_INCONCLUSIVE] = IV_STR_INIT("inconclusive"),
    [IV_OPEN] = IV_STR_INIT("open"),
};
static const struct iv_str severity_names[] = {
    [IV_SEV_INFO] = IV_STR_INIT("info"),         [IV_SEV_LOW] = IV_STR_INIT("low"),
    [IV_SEV_MEDIUM] = IV_STR_INIT("medium"),     [IV_SEV_HIGH] = IV_STR_INIT("high"),
    [IV_SEV_CRITICAL] = IV_STR_INIT("critical"),
};

static int index_of(const struct iv_str *names, size_t count, struct iv_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (iv_str_eq(names[i], name)) {
            return (int)i;
        }
    }
    return -1;
}

const char *iv_verdict_kind_name(enum iv_verdict_kind kind)
{
    return kind_names[kind].p;
}

bool iv_verdict_kind_of(enum iv_verdict_kind *out, struct iv_str name)
{
    int i = index_of(kind_names, IV_COUNT(kind_names), name);
    if (i >= 0) {
        *out = (enum iv_verdict_kind)i;
    }
    return i >= 0;
}

const char *iv_severity_name(enum iv_severity severity)
{
    return severity_names[severity].p;
}

bool iv_severity_of(enum iv_severity *out, struct iv_str name)
{
    int i = index_of(severity_names, IV_COUNT(severity_names), name);
    if (i >= 0) {
        *out = (enum iv_severity)i;
    }
    return i >= 0;
}

const char *iv_triage_state_name(enum iv_triage_state state)
{
    static const char *const names[IV_TRIAGE_STATES] = {"new", "acknowledged", "closed", "suppressed"};
    return names[state];
}

const char *iv_mode_name(enum iv_mode mode)
{
    return mode == IV_MODE_ENFORCE ? "enforce" : mode == IV_MODE_OBSERVE ? "observe" : "canary";
}

/* Ends of the texts in scratch, which may move while it grows: slices are cut when it is complete. */
struct layout {
    size_t uid;
    size_t criteria;
};

static struct layout write_texts(struct iv_buf *scratch, const struct iv_baseline *baseline,
                                 const struct iv_verdict *v)
{
    struct layout at;
    iv_buf_clear(scratch);
    iv_hex_encode(scratch, (struct iv_str){(const char *)v->uid, IV_UID_BYTES});
    at.uid = scratch->n;
    for (size_t i = 0; i < v->rule->criteria_count; i++) {
        iv_buf_text(scratch, i == 0 ? "" : " ");
        iv_buf_str(scratch, v->rule->criteria[i]);
    }
    at.criteria = scratch->n;
    iv_ocsf_finding(scratch, baseline, v);
    return at;
}

static struct iv_str attribute(const struct iv_sighting *s, enum iv_attr attr)
{
    uint8_t slot = s->object.slot_of == NULL ? IV_NO_SLOT : s->object.slot_of[attr];
    if (slot == IV_NO_SLOT || s->object.slots[slot].kind != IV_KIND_STRING) {
        return IV_STR("");
    }
    return iv_val_slice(s->object.slots[slot]);
}

iv_rc iv_finding_of_verdict(struct iv_finding *out, struct iv_buf *scratch,
                            const struct iv_baseline *baseline, const struct iv_verdict *verdict, iv_ns wall,
                            struct iv_err *err)
{
    struct layout at = write_texts(scratch, baseline, verdict);
    struct iv_rc_s rc = iv_buf_check(scratch, "a finding as JSON", err);
    if (!iv_ok(rc)) {
        iv_err_wrap(err, "rule " IV_STR_FMT, IV_STR_ARG(verdict->rule->id));
        return rc;
    }
    *out = (struct iv_finding){
        .uid = {scratch->p, at.uid},
        .kind = verdict->kind,
        .rule = verdict->rule->id,
        .title = verdict->rule->title,
        .severity = verdict->rule->severity,
        .mode = verdict->rule->mode,
        .suppressed = verdict->waiver != NULL,
        .criteria = {scratch->p + at.uid, at.criteria - at.uid},
        .tenant = attribute(&verdict->trigger, IV_ATTR_TENANT),
        .agent = attribute(&verdict->trigger, IV_ATTR_AGENT),
        .trigger_source = verdict->trigger.source,
        .trigger_id = verdict->trigger.id,
        .trigger_type = verdict->trigger.type->name,
        .time = verdict->trigger.time,
        .detected = wall,
        .witnesses = (int64_t)verdict->witness_total,
        .ocsf = {scratch->p + at.criteria, scratch->n - at.criteria},
    };
    return IV_OK;
}
