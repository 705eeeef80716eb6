/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "base/json_write.h"
#include "evidence/ocsf_internal.h"

static const struct iv_ocsf_class detection_finding = {2, "Findings", 2004, "Detection Finding"};

/* A longer field stays in the record, which the evidence's digest names; findings must not grow with their
 * input. */
#define FIELD_MAX_BYTES 512
/* No further witness is listed behind this: identifiers may be 4 KiB each, and a finding must fit into a
 * message. */
#define EVIDENCES_MAX_BYTES (256u << 10)

enum { ACTIVITY_CREATE = 1, ACTIVITY_UPDATE = 2 };
enum { STATUS_NEW = 1, STATUS_SUPPRESSED = 3 };
enum { COMPLIANCE_WARNING = 2, COMPLIANCE_FAIL = 3 };

static bool is_violation(enum iv_verdict_kind kind)
{
    return kind == IV_VIOLATED || kind == IV_UPDATED;
}

static const struct iv_val *slot_of(const struct iv_sighting *s, uint16_t name_id)
{
    if (s->object.slot_of == NULL || s->object.slot_of[name_id] == IV_NO_SLOT) {
        return NULL;
    }
    const struct iv_val *v = &s->object.slots[s->object.slot_of[name_id]];
    return v->kind == IV_KIND_ABSENT ? NULL : v;
}

static struct iv_str attribute(const struct iv_sighting *s, enum iv_attr attr)
{
    const struct iv_val *v = slot_of(s, (uint16_t)attr);
    return v == NULL || v->kind != IV_KIND_STRING ? (struct iv_str){NULL, 0} : iv_val_slice(*v);
}

static void optional_str(struct iv_json *j, const char *name, struct iv_str s)
{
    if (s.n > 0) {
        iv_json_str(j, name, s);
    }
}

static void times(iv_ns *first, iv_ns *last, const struct iv_verdict *v, size_t witnesses)
{
    *first = v->trigger.time;
    *last = v->trigger.time;
    for (size_t i = 0; i < witnesses; i++) {
        iv_ns t = v->witnesses[i].time;
        *first = t < *first ? t : *first;
        *last = t > *last ? t : *last;
    }
}

static void data_sources(struct iv_json *j, const struct iv_verdict *v, size_t witnesses)
{
    bool seen[IV_STREAMS] = {false};
    iv_json_open_list(j, "data_sources");
    iv_json_str(j, NULL, v->trigger.origin.topic);
    seen[v->trigger.origin.stream] = true;
    for (size_t i = 0; i < witnesses; i++) {
        const struct iv_origin *origin = &v->witnesses[i].origin;
        if (!seen[origin->stream]) {
            iv_json_str(j, NULL, origin->topic);
            seen[origin->stream] = true;
        }
    }
    iv_json_close_list(j);
}

static void finding_info(struct iv_json *j, const struct iv_baseline *baseline, const struct iv_verdict *v,
                         size_t witnesses)
{
    iv_ns first = 0;
    iv_ns last = 0;
    times(&first, &last, v, witnesses);

    iv_json_open_object(j, "finding_info");
    iv_ocsf_hex(j, "uid", v->uid, IV_UID_BYTES);
    iv_json_str(j, "title", v->rule->title);
    optional_str(j, "desc", v->rule->description);
    iv_json_open_object(j, "analytic");
    iv_json_str(j, "uid", v->rule->id);
    iv_json_str(j, "name", v->rule->title);
    iv_json_int(j, "type_id", 1);
    iv_json_text(j, "type", "Rule");
    optional_str(j, "category", v->rule->pack);
    optional_str(j, "version", baseline->version);
    iv_json_close_object(j);
    data_sources(j, v, witnesses);
    iv_json_int(j, "first_seen_time", iv_ocsf_ms(first));
    iv_json_int(j, "last_seen_time", iv_ocsf_ms(last));
    iv_json_close_object(j);
}

static void compliance(struct iv_json *j, const struct iv_verdict *v)
{
    bool fails = is_violation(v->kind);
    iv_json_open_object(j, "compliance");
    iv_json_open_list(j, "standards");
    iv_json_text(j, NULL, "SOC 2 TSC 2017");
    iv_json_close_list(j);
    iv_json_open_list(j, "requirements");
    for (size_t i = 0; i < v->rule->criteria_count; i++) {
        iv_json_str(j, NULL, v->rule->criteria[i]);
    }
    iv_json_close_list(j);
    iv_json_str(j, "control", v->rule->title);
    iv_json_int(j, "status_id", fails ? COMPLIANCE_FAIL : COMPLIANCE_WARNING);
    iv_json_text(j, "status", fails ? "Fail" : "Warning");
    iv_json_close_object(j);
}

static void fields(struct iv_json *j, const struct iv_sighting *s)
{
    iv_json_open_object(j, "fields");
    for (size_t i = 0; i < s->type->field_count; i++) {
        const struct iv_field *field = &s->type->fields[i];
        const struct iv_val *v = slot_of(s, field->name_id);
        if (v == NULL || v->kind == IV_KIND_LIST || v->kind == IV_KIND_MAP ||
            (v->kind == IV_KIND_STRING && v->n > FIELD_MAX_BYTES)) {
            continue;
        }
        IV_AUTO(iv_buf_deinit) struct iv_buf json;
        iv_buf_init(&json, 8 * FIELD_MAX_BYTES);
        iv_val_json(&json, v);
        char name[256]; /* the writer takes names as C strings */
        size_t n = field->name.n < sizeof name ? field->name.n : sizeof name - 1;
        memcpy(name, field->name.p, n);
        name[n] = '\0';
        iv_json_raw(j, name, iv_buf_slice(&json));
        iv_buf_inherit(j->out, &json);
    }
    iv_json_close_object(j);
}

static void evidence(struct iv_json *j, const char *role, const struct iv_sighting *s, bool with_fields)
{
    iv_json_open_object(j, NULL);
    iv_json_text(j, "name", role);
    iv_json_str(j, "uid", s->id);
    iv_json_open_object(j, "data");
    iv_json_str(j, "source", s->source);
    iv_json_str(j, "id", s->id);
    struct iv_str type = s->type->name.n > 0 ? s->type->name : attribute(s, IV_ATTR_TYPE);
    optional_str(j, "type", type);
    iv_json_time(j, "time", s->time);
    iv_json_str(j, "topic", s->origin.topic);
    iv_json_int(j, "partition", s->origin.partition);
    iv_json_int(j, "offset", s->origin.offset);
    if (s->digest.n > 0) {
        iv_json_open_object(j, "digest");
        iv_json_text(j, "algorithm", "SHA-256");
        iv_json_int(j, "algorithm_id", 3);
        iv_ocsf_hex(j, "value", s->digest.bytes, s->digest.n);
        iv_json_close_object(j);
    }
    if (with_fields) {
        fields(j, s);
    }
    iv_json_close_object(j);
    iv_json_close_object(j);
}

static void evidences(struct iv_json *j, const struct iv_verdict *v, size_t witnesses)
{
    size_t start = j->out->n;
    iv_json_open_list(j, "evidences");
    evidence(j, "trigger", &v->trigger, true);
    for (size_t i = 0; i < witnesses && j->out->n - start < EVIDENCES_MAX_BYTES; i++) {
        evidence(j, "witness", &v->witnesses[i], false);
    }
    iv_json_close_list(j);
}

static void metadata(struct iv_json *j, const struct iv_baseline *baseline, const struct iv_verdict *v)
{
    iv_json_open_object(j, "metadata");
    iv_ocsf_product(j);
    optional_str(j, "tenant_uid", attribute(&v->trigger, IV_ATTR_TENANT));
    iv_json_str(j, "log_name", v->trigger.origin.topic);
    iv_json_time(j, "original_time", v->trigger.time);
    iv_json_open_list(j, "tags");
    iv_ocsf_tag(j, "baseline.name", baseline->name);
    iv_ocsf_tag(j, "baseline.version", baseline->version);
    iv_ocsf_tag(j, "baseline.digest", iv_str_of(baseline->digest_hex));
    iv_json_close_list(j);
    iv_json_close_object(j);
}

/* What OCSF has no place for. */
static void unmapped(struct iv_json *j, const struct iv_baseline *baseline, const struct iv_verdict *v)
{
    iv_json_open_object(j, "unmapped");
    iv_json_text(j, "verdict", iv_verdict_kind_name(v->kind));
    iv_json_text(j, "mode", iv_mode_name(v->rule->mode));
    iv_json_int(j, "witness_total", (int64_t)v->witness_total);
    if (v->rule->form == IV_REQUIRE) {
        iv_json_time(j, "deadline", v->deadline);
    }
    iv_ocsf_saw(j, baseline, v);
    if (v->waiver != NULL) {
        iv_json_bool(j, "suppressed", true);
        iv_json_open_object(j, "waiver");
        iv_json_str(j, "by", v->waiver->by);
        iv_json_str(j, "reason", v->waiver->reason);
        if (v->waiver->until != IV_NS_MAX) {
            iv_json_time(j, "until", v->waiver->until);
        }
        iv_json_close_object(j);
    }
    iv_json_close_object(j);
}

static void status(struct iv_json *j, const struct iv_verdict *v)
{
    bool suppressed = v->waiver != NULL;
    iv_json_int(j, "status_id", suppressed ? STATUS_SUPPRESSED : STATUS_NEW);
    iv_json_text(j, "status", suppressed ? "Suppressed" : "New");
    optional_str(j, "status_detail", v->detail);
    iv_json_bool(j, "is_alert", is_violation(v->kind) && !suppressed);
}

/* What the finding is about: the agent. Everything else it names is in the evidence's fields. */
static void resources(struct iv_json *j, const struct iv_verdict *v)
{
    struct iv_str agent = attribute(&v->trigger, IV_ATTR_AGENT);
    if (agent.n == 0) {
        return;
    }
    iv_json_open_list(j, "resources");
    iv_json_open_object(j, NULL);
    iv_json_str(j, "uid", agent);
    iv_json_text(j, "type", "agent");
    iv_json_close_object(j);
    iv_json_close_list(j);
}

static void remediation(struct iv_json *j, const struct iv_rule *rule)
{
    if (rule->remediate.n > 0) {
        iv_json_open_object(j, "remediation");
        iv_json_str(j, "desc", rule->remediate);
        iv_json_close_object(j);
    }
}

void iv_ocsf_finding(struct iv_buf *out, const struct iv_baseline *baseline, const struct iv_verdict *verdict)
{
    bool updates = verdict->kind == IV_UPDATED || verdict->kind == IV_CONTRADICTED;
    size_t witnesses =
        verdict->witness_count < IV_OCSF_WITNESSES ? verdict->witness_count : IV_OCSF_WITNESSES;
    iv_ns first = 0;
    iv_ns last = 0;
    times(&first, &last, verdict, witnesses);

    struct iv_json json = iv_json_to(out);
    struct iv_json *j = &json;
    iv_json_open_object(j, NULL);
    iv_ocsf_classification(j, &detection_finding, updates ? ACTIVITY_UPDATE : ACTIVITY_CREATE,
                           updates ? "Update" : "Create", verdict->rule->severity);
    iv_json_int(j, "time", iv_ocsf_ms(verdict->trigger.time));
    iv_json_int(j, "start_time", iv_ocsf_ms(first));
    iv_json_int(j, "end_time", iv_ocsf_ms(last));
    iv_json_str(j, "message", verdict->rule->title);
    status(j, verdict);
    finding_info(j, baseline, verdict, witnesses);
    compliance(j, verdict);
    evidences(j, verdict, witnesses);
    resources(j, verdict);
    remediation(j, verdict->rule);
    metadata(j, baseline, verdict);
    unmapped(j, baseline, verdict);
    iv_json_close_object(j);
}
