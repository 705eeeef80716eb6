/* SPDX-License-Identifier: Apache-2.0 */
/* Under each name that the rule's form reads, what it saw when it was found: of the baseline that was in
 * force then, so that nobody has to look for that baseline later. */
#include "base/guard.h"
#include "base/json_write.h"
#include "baseline/reads.h"
#include "evidence/ocsf_internal.h"

/* A longer value stays in the record, or in the baseline. */
#define VALUE_MAX_BYTES 1024
/* No further name is listed behind this: a finding must fit into a message. */
#define SAW_MAX_BYTES (64u << 10)
/* Of so many witnesses, the first. */
enum { WITNESSES_MAX = 4 };

struct saw {
    struct iv_json *j;
    const struct iv_baseline *baseline;
    const struct iv_verdict *v;
    size_t start; /* of the list */
    size_t left_out;
};

static bool has_room(struct saw *s)
{
    bool room = s->j->out->n - s->start < SAW_MAX_BYTES;
    s->left_out += !room;
    return room;
}

static void begin(struct saw *s, const struct iv_read *read)
{
    static const char *const of[] = {
        [IV_READ_TRIGGER] = "trigger", [IV_READ_PARTNER] = "partner", [IV_READ_PARAMETER] = "parameter"};
    iv_json_open_object(s->j, NULL);
    iv_json_str(s->j, "name", read->name);
    iv_json_text(s->j, "of", of[read->of]);
}

static void unseen(struct saw *s, const char *why)
{
    iv_json_null(s->j, "value");
    iv_json_text(s->j, "why", why);
}

static void value(struct saw *s, const struct iv_val *v)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf json;
    iv_buf_init(&json, VALUE_MAX_BYTES);
    iv_val_json(&json, v);
    if (iv_buf_failed(&json) && !json.out_of_memory) {
        unseen(s, "it is longer than 1024 bytes");
        return;
    }
    iv_json_raw(s->j, "value", iv_buf_slice(&json));
    iv_buf_inherit(s->j->out, &json);
}

/* evidence: its place in the list of evidences. */
static void field(struct saw *s, const struct iv_read *read, const struct iv_sighting *sighting,
                  size_t evidence)
{
    if (!has_room(s)) {
        return;
    }
    begin(s, read);
    iv_json_int(s->j, "evidence", (int64_t)evidence);
    const struct iv_object *object = &sighting->object;
    bool has = !read->whole && object->slot_of != NULL && object->slot_of[read->name_id] != IV_NO_SLOT &&
               object->slots[object->slot_of[read->name_id]].kind != IV_KIND_ABSENT;
    if (has) {
        value(s, &object->slots[object->slot_of[read->name_id]]);
    } else {
        unseen(s, read->whole ? "the event as a whole was looked at" : "the event does not have it");
    }
    iv_json_close_object(s->j);
}

static void nobody(struct saw *s, const struct iv_read *read)
{
    if (has_room(s)) {
        begin(s, read);
        iv_json_null(s->j, "evidence");
        unseen(s, "no event that meets the rule was seen");
        iv_json_close_object(s->j);
    }
}

static void parameter(struct saw *s, const struct iv_read *read)
{
    if (!has_room(s)) {
        return;
    }
    const struct iv_match *match;
    const struct iv_val seen = iv_read_parameter(&match, read, s->baseline->catalogue, &s->v->trigger.object);
    begin(s, read);
    value(s, &seen);
    if (match == NULL) {
        iv_json_null(s->j, "override");
    } else {
        const struct {
            const char *name;
            struct iv_str pattern;
        } parts[] = {{"tenant", match->tenant}, {"agent", match->agent}, {"profile", match->profile}};
        iv_json_open_object(s->j, "override");
        for (size_t i = 0; i < IV_COUNT(parts); i++) {
            if (parts[i].pattern.p != NULL) {
                iv_json_str(s->j, parts[i].name, parts[i].pattern);
            }
        }
        iv_json_close_object(s->j);
    }
    iv_json_close_object(s->j);
}

static void all_of(struct saw *s, enum iv_read_of of, const struct iv_sighting *sighting, size_t evidence)
{
    const struct iv_rule *rule = s->v->rule;
    for (size_t i = 0; i < rule->read_count; i++) {
        if (rule->reads[i].of != of) {
            continue;
        }
        if (sighting == NULL) {
            nobody(s, &rule->reads[i]);
        } else {
            field(s, &rule->reads[i], sighting, evidence);
        }
    }
}

/* Where triggers are compared with each other, the witnesses are triggers too. */
static bool compares_triggers(const struct iv_rule *rule)
{
    return rule->form == IV_SAME || (rule->form == IV_LIMIT && rule->of.count > 0);
}

void iv_ocsf_saw(struct iv_json *j, const struct iv_baseline *baseline, const struct iv_verdict *v)
{
    struct saw s = {.j = j, .baseline = baseline, .v = v, .start = j->out->n};
    enum iv_read_of others = compares_triggers(v->rule) ? IV_READ_TRIGGER : IV_READ_PARTNER;
    iv_json_open_list(j, "saw");
    all_of(&s, IV_READ_TRIGGER, &v->trigger, 0);
    for (size_t i = 0; i < v->witness_count && i < WITNESSES_MAX; i++) {
        all_of(&s, others, &v->witnesses[i], i + 1);
    }
    if (v->witness_count == 0) {
        all_of(&s, IV_READ_PARTNER, NULL, 0);
    }
    for (size_t i = 0; i < v->rule->read_count; i++) {
        if (v->rule->reads[i].of == IV_READ_PARAMETER) {
            parameter(&s, &v->rule->reads[i]);
        }
    }
    iv_json_close_list(j);
    iv_json_int(j, "saw_left_out", (int64_t)s.left_out);
}
