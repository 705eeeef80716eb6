/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters under overrides. The overrides that hold for a trigger decide which value each leaf has, so
 * there is one set for each combination of overrides that was met; set 0 is the defaults. */
#include "baseline/load.h"

#include "base/alloc.h"
#include "base/guard.h"

void iv_param_defaults(struct iv_val *leaves, const struct iv_param *root)
{
    if (root->leaf) {
        leaves[root->leaf_index] = root->value;
    }
    for (size_t i = 0; i < root->child_count; i++) {
        iv_param_defaults(leaves, &root->children[i]);
    }
}

static bool fill(struct iv_val *out, struct iv_val *bank, struct iv_arena *arena,
                 const struct iv_param *param, const struct iv_val *leaves)
{
    if (param->leaf) {
        *out = leaves[param->leaf_index];
    } else {
        struct iv_val *items = iv_arena_alloc(arena, (param->child_count * 2 + 1) * sizeof *items);
        if (items == NULL) {
            return false;
        }
        for (size_t i = 0; i < param->child_count; i++) {
            items[2 * i] = iv_val_str(param->children[i].name);
            if (!fill(&items[2 * i + 1], bank, arena, &param->children[i], leaves)) {
                return false;
            }
        }
        *out = (struct iv_val){.kind = IV_KIND_MAP, .n = (uint32_t)param->child_count, .items = items};
    }
    if (param->slot >= 0) {
        bank[param->slot] = *out;
    }
    return true;
}

const struct iv_val *iv_param_bank(struct iv_arena *arena, const struct iv_baseline_body *body,
                                   const struct iv_val *leaves)
{
    struct iv_val *bank = iv_arena_zalloc(arena, (body->pub.parameter_count + 1) * sizeof *bank);
    struct iv_val whole;
    return bank != NULL && fill(&whole, bank, arena, &body->parameters, leaves) ? bank : NULL;
}

/* One odometer digit for each leaf that the program reads and an override sets. */
struct wheel {
    uint32_t leaf_index;
    size_t at; /* 0: the default, then the overrides in order that set it */
    size_t values;
};

#define WHEELS_MAX 16
#define TURNS_MAX 4096

static void mark_all(bool *read, const struct iv_param *param)
{
    if (param->leaf) {
        read[param->leaf_index] = true;
    }
    for (size_t i = 0; i < param->child_count; i++) {
        mark_all(read, &param->children[i]);
    }
}

void iv_param_reads(bool *read, const struct iv_param *param, const struct iv_cel_prog *prog)
{
    if (prog == NULL) {
        return;
    }
    bool here = param->slot >= 0 && iv_cel_prog_uses(prog, IV_BANK_PARAMETERS, (uint16_t)param->slot);
    if (here) {
        mark_all(read, param);
    }
    for (size_t i = 0; !here && i < param->child_count; i++) {
        iv_param_reads(read, &param->children[i], prog);
    }
}

static const struct iv_val *nth_value(const struct iv_baseline_body *body, uint32_t leaf, size_t n)
{
    for (size_t o = 0; o < body->override_count; o++) {
        for (size_t v = 0; v < body->overrides[o].value_count; v++) {
            if (body->overrides[o].values[v].leaf_index == leaf && n-- == 0) {
                return &body->overrides[o].values[v].value;
            }
        }
    }
    return NULL;
}

static size_t make_wheels(struct wheel wheels[WHEELS_MAX], const struct iv_baseline_body *body,
                          const bool *read)
{
    size_t count = 0;
    size_t turns = 1;
    for (uint32_t leaf = 0; leaf < body->leaf_count; leaf++) {
        size_t values = 1;
        while (read[leaf] && nth_value(body, leaf, values - 1) != NULL) {
            values++;
        }
        if (values > 1) {
            turns *= values;
            if (count == WHEELS_MAX || turns > TURNS_MAX) {
                return SIZE_MAX;
            }
            wheels[count++] = (struct wheel){leaf, 0, values};
        }
    }
    return count;
}

static bool turn(struct wheel *wheels, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (++wheels[i].at < wheels[i].values) {
            return true;
        }
        wheels[i].at = 0;
    }
    return false;
}

static bool run_all(struct iv_load *load, iv_ns *out, const struct iv_cel_prog *prog, struct wheel *wheels,
                    size_t count, struct iv_val *leaves)
{
    struct iv_cel_frame frame;
    struct iv_arena arena;
    bool any = false;
    iv_cel_frame_init(&frame, 1u << 20);
    iv_arena_init(&arena, 0);
    do {
        iv_param_defaults(leaves, &load->body->parameters);
        for (size_t i = 0; i < count; i++) {
            if (wheels[i].at > 0) {
                leaves[wheels[i].leaf_index] = *nth_value(load->body, wheels[i].leaf_index, wheels[i].at - 1);
            }
        }
        iv_arena_reset(&arena);
        frame.bank[IV_BANK_PARAMETERS] = iv_param_bank(&arena, load->body, leaves);
        struct iv_val value;
        if (frame.bank[IV_BANK_PARAMETERS] == NULL) {
            iv_load_fail(load, iv_err_set(load->err, IV_E_NOMEM, "cannot hold the parameters in memory"));
            break;
        }
        if (iv_ok(iv_cel_run(prog, &frame, &value, NULL)) && value.kind == IV_KIND_DURATION) {
            iv_ns length = iv_instant_to_ns_saturated(iv_val_instant(value));
            *out = any && *out > length ? *out : length;
            any = true;
        }
        iv_arena_reset(&frame.arena);
    } while (turn(wheels, count));
    iv_arena_deinit(&arena);
    iv_cel_frame_deinit(&frame);
    return any;
}

bool iv_param_max(struct iv_load *load, iv_ns *out, const struct iv_cel_prog *prog,
                  const struct iv_yaml_node *node)
{
    size_t leaves = load->body->leaf_count;
    bool *read = iv_load_alloc(load, leaves, sizeof *read);
    struct iv_val *values = iv_load_alloc(load, leaves, sizeof *values);
    struct wheel wheels[WHEELS_MAX];
    if (read == NULL || values == NULL) {
        return false;
    }
    iv_param_reads(read, &load->body->parameters, prog);
    size_t count = make_wheels(wheels, load->body, read);
    if (count == SIZE_MAX) {
        if (node != NULL) {
            iv_yaml_error(load->problems, node,
                          "depends on parameters that overrides set in more than %d combinations", TURNS_MAX);
        }
        return false;
    }
    if (!run_all(load, out, prog, wheels, count, values)) {
        if (!iv_load_failed(load) && node != NULL) {
            iv_yaml_error(load->problems, node, "has no value under the baseline's parameters");
        }
        return false;
    }
    return true;
}

static bool write_name(struct iv_buf *out, const struct iv_param *param, size_t slot)
{
    size_t before = out->n;
    iv_buf_str(out, param->name);
    bool found = param->slot >= 0 && (size_t)param->slot == slot;
    iv_buf_text(out, found ? "" : ".");
    for (size_t i = 0; !found && i < param->child_count; i++) {
        found = write_name(out, &param->children[i], slot);
    }
    out->n = found ? out->n : before;
    return found;
}

void iv_baseline_parameter_name(struct iv_buf *out, const struct iv_baseline *baseline, size_t slot)
{
    const struct iv_baseline_body *body = (const struct iv_baseline_body *)(const void *)baseline;
    (void)write_name(out, &body->parameters, slot);
}

struct set {
    uint64_t *holds; /* a bit for each override */
    const struct iv_val *bank;
};

struct iv_params {
    const struct iv_baseline_body *body;
    struct iv_arena arena;
    struct set *sets;
    uint32_t count;
    uint32_t capacity;
    uint64_t *asked; /* the bits of the trigger at hand */
    struct iv_val *leaves;
    size_t words;
    uint16_t profile;
};

static const struct iv_val *make_bank(struct iv_params *p)
{
    iv_param_defaults(p->leaves, &p->body->parameters);
    for (size_t o = p->body->override_count; o-- > 0;) { /* the first that holds is put in last */
        const struct iv_override *override = &p->body->overrides[o];
        for (size_t v = 0; (p->asked[o / 64] >> (o % 64) & 1) != 0 && v < override->value_count; v++) {
            p->leaves[override->values[v].leaf_index] = override->values[v].value;
        }
    }
    return iv_param_bank(&p->arena, p->body, p->leaves);
}

static uint32_t add_set(struct iv_params *p)
{
    if (p->count == p->capacity) {
        uint32_t capacity = p->capacity == 0 ? 8 : p->capacity * 2;
        struct set *grown = iv_realloc(p->sets, capacity * sizeof *grown);
        if (grown == NULL) {
            return IV_PARAMS_NONE;
        }
        p->sets = grown;
        p->capacity = capacity;
    }
    struct set set = {iv_arena_alloc(&p->arena, p->words * sizeof *set.holds), make_bank(p)};
    if (set.holds == NULL || set.bank == NULL) {
        return IV_PARAMS_NONE;
    }
    memcpy(set.holds, p->asked, p->words * sizeof *set.holds);
    p->sets[p->count] = set;
    return p->count++;
}

struct iv_rc_s iv_params_new(struct iv_params **out, const struct iv_baseline *baseline, struct iv_err *err)
{
    const struct iv_baseline_body *body = (const struct iv_baseline_body *)(const void *)baseline;
    IV_AUTO(iv_params_freep) struct iv_params *p = iv_calloc(1, sizeof *p);
    ENSURE(p != NULL, err, IV_E_NOMEM, "cannot allocate the parameters of a baseline");
    iv_arena_init(&p->arena, 0);
    p->body = body;
    p->words = body->override_count / 64 + 1;
    p->profile = iv_profile_name_id(baseline->catalogue);
    p->asked = iv_calloc(p->words, sizeof *p->asked);
    p->leaves = iv_calloc((size_t)body->leaf_count + 1, sizeof *p->leaves);
    ENSURE(p->asked != NULL && p->leaves != NULL && add_set(p) == 0, err, IV_E_NOMEM,
           "cannot allocate the parameters of a baseline");
    *out = TAKE(p);
    return IV_OK;
}

void iv_params_free(struct iv_params *params)
{
    if (params != NULL) {
        iv_arena_deinit(&params->arena);
        iv_free(params->sets);
        iv_free(params->asked);
        iv_free(params->leaves);
        iv_free(params);
    }
}

void iv_params_freep(struct iv_params **params)
{
    iv_params_free(*params);
    *params = NULL;
}

uint32_t iv_params_resolve(struct iv_params *params, const struct iv_object *trigger)
{
    const struct iv_baseline_body *body = params->body;
    if (IV_LIKELY(body->override_count == 0)) {
        return 0;
    }
    memset(params->asked, 0, params->words * sizeof *params->asked);
    for (size_t o = 0; o < body->override_count; o++) {
        if (iv_match_holds(&body->overrides[o].match, trigger, params->profile)) {
            params->asked[o / 64] |= UINT64_C(1) << (o % 64);
        }
    }
    for (uint32_t i = 0; i < params->count; i++) {
        if (memcmp(params->sets[i].holds, params->asked, params->words * sizeof *params->asked) == 0) {
            return i;
        }
    }
    return add_set(params);
}

static bool is_overridden(const struct iv_baseline_body *body, const struct iv_param *param)
{
    return param->leaf && nth_value(body, param->leaf_index, 0) != NULL;
}

/* Whether an override reaches into the parameter; those that one does become absent. */
static bool blank(struct iv_val *bank, const struct iv_baseline_body *body, const struct iv_param *param)
{
    bool varies = is_overridden(body, param);
    for (size_t i = 0; i < param->child_count; i++) {
        varies = blank(bank, body, &param->children[i]) || varies;
    }
    if (varies && param->slot >= 0) {
        bank[param->slot] = (struct iv_val){0};
    }
    return varies;
}

const struct iv_val *iv_params_fixed(struct iv_params *params)
{
    iv_param_defaults(params->leaves, &params->body->parameters);
    const struct iv_val *defaults = iv_param_bank(&params->arena, params->body, params->leaves);
    size_t count = params->body->pub.parameter_count + 1;
    struct iv_val *bank = iv_arena_alloc(&params->arena, count * sizeof *bank);
    if (defaults == NULL || bank == NULL) {
        return NULL;
    }
    memcpy(bank, defaults, count * sizeof *bank);
    (void)blank(bank, params->body, &params->body->parameters);
    return bank;
}

const struct iv_val *iv_params_bank(const struct iv_params *params, uint32_t set)
{
    return set < params->count ? params->sets[set].bank : NULL;
}
