/* SPDX-License-Identifier: Apache-2.0 */
#include "baseline/reads.h"

#include "base/alloc.h"
#include "baseline/rule_parts.h"

enum { PATH_BYTES_MAX = 4096 };

struct reading {
    struct iv_rule_load *rl;
    uint64_t *fields[IV_EVENT_SLOTS]; /* by name id */
    bool whole[IV_EVENT_SLOTS];
    bool *leaves; /* by leaf index */
    struct iv_read *reads;
    size_t count;
    struct iv_buf path; /* of the parameter at hand */
};

static void note_field(void *ctx, uint16_t name_id)
{
    uint64_t *bits = ctx;
    bits[name_id / 64] |= UINT64_C(1) << (name_id % 64);
}

static void note_program(struct reading *r, const struct iv_cel_prog *prog)
{
    for (uint16_t slot = 0; prog != NULL && slot < IV_EVENT_SLOTS; slot++) {
        bool whole = iv_cel_prog_fields(prog, IV_BANK_EVENTS, slot, note_field, r->fields[slot]);
        r->whole[slot] = r->whole[slot] || whole;
    }
    iv_param_reads(r->leaves, &r->rl->load->body->parameters, prog);
}

static void note_terms(struct reading *r, const struct iv_terms *terms, uint16_t slot)
{
    for (uint8_t i = 0; i < terms->count; i++) {
        if (terms->terms[i].prog != NULL) {
            note_program(r, terms->terms[i].prog);
        } else {
            note_field(r->fields[slot], terms->terms[i].name_id);
        }
    }
}

static void note_all(struct reading *r)
{
    const struct iv_rule *rule = r->rl->rule;
    note_terms(r, &rule->with.key_on, IV_SLOT_TRIGGER);
    note_terms(r, &rule->with.key_with, IV_SLOT_PARTNER);
    note_program(r, rule->with.window.length.prog);
    note_program(r, rule->with.window.until);
    note_program(r, rule->condition);
    note_program(r, rule->at_least.prog);
    note_terms(r, &rule->distinct, IV_SLOT_PARTNER);
    note_program(r, rule->tree.note);
    note_terms(r, &rule->by, IV_SLOT_TRIGGER);
    note_program(r, rule->span.prog);
    note_terms(r, &rule->of, IV_SLOT_TRIGGER);
    note_program(r, rule->max.prog);
}

static bool has_bit(const uint64_t *bits, size_t i)
{
    return (bits[i / 64] >> (i % 64) & 1) != 0;
}

static void add(struct reading *r, const struct iv_read *read)
{
    struct iv_load *load = r->rl->load;
    r->reads[r->count] = *read;
    if (!iv_arena_keep(&load->body->arena, &r->reads[r->count++].name)) {
        iv_load_fail(load, iv_err_set(load->err, IV_E_NOMEM, "cannot hold the rules in memory"));
    }
}

static void add_event(struct reading *r, const struct iv_side *side)
{
    const struct iv_catalogue *catalogue = r->rl->load->body->catalogue;
    struct iv_read read = {.of = side->slot == IV_SLOT_TRIGGER ? IV_READ_TRIGGER : IV_READ_PARTNER};
    for (size_t i = 0; i < iv_catalogue_names(catalogue); i++) {
        if (has_bit(r->fields[side->slot], i)) {
            iv_buf_clear(&r->path);
            iv_buf_str(&r->path, side->alias);
            iv_buf_text(&r->path, side->alias.n > 0 ? "." : "");
            iv_buf_str(&r->path, iv_catalogue_name(catalogue, (uint16_t)i));
            read.name = iv_buf_slice(&r->path);
            read.name_id = (uint16_t)i;
            add(r, &read);
        }
    }
    if (r->whole[side->slot]) {
        read.name = side->alias;
        read.whole = true;
        add(r, &read);
    }
}

static bool sets(struct iv_val *value, const struct iv_override *override, uint32_t leaf)
{
    for (size_t v = 0; v < override->value_count; v++) {
        if (override->values[v].leaf_index == leaf) {
            *value = override->values[v].value;
            return true;
        }
    }
    return false;
}

static void add_parameter(struct reading *r, const struct iv_param *param)
{
    struct iv_load *load = r->rl->load;
    const struct iv_baseline_body *body = load->body;
    struct iv_read read = {.of = IV_READ_PARAMETER, .name = iv_buf_slice(&r->path), .value = param->value};
    struct iv_val value;
    size_t count = 0;
    for (size_t o = 0; o < body->override_count; o++) {
        count += sets(&value, &body->overrides[o], param->leaf_index);
    }
    struct iv_read_override *overrides = count == 0 ? NULL : iv_load_alloc(load, count, sizeof *overrides);
    for (size_t o = 0; overrides != NULL && o < body->override_count; o++) {
        if (sets(&value, &body->overrides[o], param->leaf_index)) {
            overrides[read.override_count++] = (struct iv_read_override){body->overrides[o].match, value};
        }
    }
    read.overrides = overrides;
    add(r, &read);
}

static void add_parameters(struct reading *r, const struct iv_param *param)
{
    size_t before = r->path.n;
    iv_buf_text(&r->path, before > 0 ? "." : "");
    iv_buf_str(&r->path, param->name);
    if (param->leaf && r->leaves[param->leaf_index]) {
        add_parameter(r, param);
    }
    for (size_t i = 0; i < param->child_count; i++) {
        add_parameters(r, &param->children[i]);
    }
    r->path.n = before;
}

static size_t count_all(const struct reading *r, size_t names, size_t leaves)
{
    size_t count = 0;
    for (int slot = 0; slot < IV_EVENT_SLOTS; slot++) {
        count += r->whole[slot];
        for (size_t i = 0; i < names; i++) {
            count += has_bit(r->fields[slot], i);
        }
    }
    for (size_t i = 0; i < leaves; i++) {
        count += r->leaves[i];
    }
    return count;
}

static void list_all(struct reading *r, size_t names, size_t leaves)
{
    struct iv_rule *rule = r->rl->rule;
    note_all(r);
    size_t count = count_all(r, names, leaves);
    r->reads = iv_load_alloc(r->rl->load, count, sizeof *r->reads);
    if (r->reads == NULL) {
        return;
    }
    iv_buf_init(&r->path, PATH_BYTES_MAX);
    add_event(r, &r->rl->on);
    if (rule->has_partner) {
        add_event(r, &r->rl->with);
    }
    iv_buf_clear(&r->path);
    add_parameters(r, &r->rl->load->body->parameters);
    iv_buf_deinit(&r->path);
    rule->reads = r->reads;
    rule->read_count = r->count;
}

void iv_reads_load(struct iv_rule_load *rl)
{
    struct iv_load *load = rl->load;
    size_t names = iv_catalogue_names(load->body->catalogue);
    size_t leaves = load->body->leaf_count;
    size_t words = names / 64 + 1;
    struct reading r = {.rl = rl, .leaves = iv_calloc(leaves + 1, sizeof *r.leaves)};
    uint64_t *fields = iv_calloc(IV_EVENT_SLOTS * words, sizeof *fields);
    if (fields == NULL || r.leaves == NULL) {
        iv_load_fail(load, iv_err_set(load->err, IV_E_NOMEM, "cannot hold the rules in memory"));
    } else {
        for (size_t slot = 0; slot < IV_EVENT_SLOTS; slot++) {
            r.fields[slot] = fields + slot * words;
        }
        list_all(&r, names, leaves);
    }
    iv_free(fields);
    iv_free(r.leaves);
}

struct iv_val iv_read_parameter(const struct iv_match **match, const struct iv_read *read,
                                const struct iv_catalogue *catalogue, const struct iv_object *trigger)
{
    uint16_t profile = read->override_count == 0 ? 0 : iv_profile_name_id(catalogue);
    for (size_t i = 0; i < read->override_count; i++) {
        if (iv_match_holds(&read->overrides[i].match, trigger, profile)) {
            *match = &read->overrides[i].match;
            return read->overrides[i].value;
        }
    }
    *match = NULL;
    return read->value;
}
