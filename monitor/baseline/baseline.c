/* SPDX-License-Identifier: Apache-2.0 */
/* A frozen baseline: references, look-ups, waivers. */
#include "baseline/baseline.h"
#include "baseline/load.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <string.h>

static struct iv_baseline_body *body_of(struct iv_baseline *baseline)
{
    return (struct iv_baseline_body *)(void *)baseline;
}

static const struct iv_baseline_body *const_body_of(const struct iv_baseline *baseline)
{
    return (const struct iv_baseline_body *)(const void *)baseline;
}

struct iv_baseline *iv_baseline_ref(struct iv_baseline *baseline)
{
    atomic_fetch_add(&body_of(baseline)->references, 1);
    return baseline;
}

void iv_baseline_unref(struct iv_baseline *baseline)
{
    if (baseline == NULL || atomic_fetch_sub(&body_of(baseline)->references, 1) > 1) {
        return;
    }
    struct iv_baseline_body *body = body_of(baseline);
    for (struct iv_owned *o = body->owned; o != NULL; o = o->next) {
        iv_cel_prog_free(o->prog);
        iv_cel_env_free(o->env);
        iv_yaml_free(o->document);
    }
    iv_catalogue_free(body->catalogue);
    iv_keyring_free(body->keyring);
    iv_arena_deinit(&body->arena);
    iv_free(body);
}

void iv_baseline_unrefp(struct iv_baseline **baseline)
{
    iv_baseline_unref(*baseline);
    *baseline = NULL;
}

const struct iv_rule *iv_baseline_rule(const struct iv_baseline *baseline, struct iv_str id)
{
    for (size_t i = 0; i < baseline->rule_count; i++) {
        if (iv_str_eq(baseline->rules[i]->id, id)) {
            return baseline->rules[i];
        }
    }
    return NULL;
}

const struct iv_rule *iv_baseline_same_rule(const struct iv_baseline *baseline, const struct iv_rule *rule)
{
    const struct iv_rule *other = iv_baseline_rule(baseline, rule->id);
    return other != NULL && memcmp(other->digest, rule->digest, sizeof rule->digest) == 0 ? other : NULL;
}

const struct iv_yaml_node *iv_baseline_tests(const struct iv_baseline *baseline, const struct iv_rule *rule)
{
    return rule == baseline->equivocation ? NULL : const_body_of(baseline)->tests[rule->index];
}

uint16_t iv_profile_name_id(const struct iv_catalogue *catalogue)
{
    size_t names = iv_catalogue_names(catalogue);
    for (size_t i = IV_ATTRS; i < names; i++) {
        if (iv_str_eq(iv_catalogue_name(catalogue, (uint16_t)i), IV_STR("profile"))) {
            return (uint16_t)i;
        }
    }
    return IV_ATTR_ID; /* not reached: the catalogue's own types have a profile */
}

static bool one_holds(struct iv_str pattern, const struct iv_object *trigger, uint16_t name_id)
{
    if (pattern.p == NULL) {
        return true;
    }
    uint8_t slot = trigger->slot_of[name_id];
    if (slot == IV_NO_SLOT || trigger->slots[slot].kind != IV_KIND_STRING) {
        return false;
    }
    return iv_glob(pattern, iv_val_slice(trigger->slots[slot]));
}

bool iv_match_holds(const struct iv_match *match, const struct iv_object *trigger, uint16_t profile_name_id)
{
    return one_holds(match->tenant, trigger, IV_ATTR_TENANT) &&
           one_holds(match->agent, trigger, IV_ATTR_AGENT) &&
           one_holds(match->profile, trigger, profile_name_id);
}

const struct iv_waiver *iv_baseline_waiver(const struct iv_baseline *baseline, const struct iv_rule *rule,
                                           const struct iv_object *trigger, iv_ns time)
{
    uint16_t profile = baseline->waiver_count == 0 ? 0 : iv_profile_name_id(baseline->catalogue);
    for (size_t i = 0; i < baseline->waiver_count; i++) {
        const struct iv_waiver *w = &baseline->waivers[i];
        if ((w->until == IV_NS_MAX || time < w->until) && iv_str_eq(w->rule, rule->id) &&
            iv_match_holds(&w->match, trigger, profile)) {
            return w;
        }
    }
    return NULL;
}

static bool name_holds(struct iv_str pattern, struct iv_str name)
{
    return pattern.p == NULL || (name.n > 0 && iv_glob(pattern, name));
}

const struct iv_waiver *iv_baseline_waiver_by_names(const struct iv_baseline *baseline, struct iv_str rule,
                                                    struct iv_str tenant, struct iv_str agent, iv_ns time)
{
    for (size_t i = 0; i < baseline->waiver_count; i++) {
        const struct iv_waiver *w = &baseline->waivers[i];
        if ((w->until == IV_NS_MAX || time < w->until) && iv_str_eq(w->rule, rule) &&
            w->match.profile.p == NULL && name_holds(w->match.tenant, tenant) &&
            name_holds(w->match.agent, agent)) {
            return w;
        }
    }
    return NULL;
}

/* Documents were put in front of each other, so the first that was read is the last. */
void iv_baseline_files(const struct iv_baseline *baseline, iv_baseline_file_visit visit, void *ctx)
{
    const struct iv_owned *owned = const_body_of(baseline)->owned;
    struct iv_str folder = IV_STR("");
    for (const struct iv_owned *o = owned; o != NULL; o = o->next) {
        folder = o->document != NULL ? iv_yaml_file(o->document) : folder;
    }
    while (folder.n > 0 && folder.p[folder.n - 1] != '/') {
        folder.n--;
    }
    for (const struct iv_owned *o = owned; o != NULL; o = o->next) {
        if (o->document != NULL) {
            struct iv_str path = iv_yaml_file(o->document);
            bool inside = path.n > folder.n && memcmp(path.p, folder.p, folder.n) == 0;
            size_t skip = inside ? folder.n : 0;
            visit(ctx, (struct iv_str){path.p + skip, path.n - skip}, iv_yaml_text(o->document));
        }
    }
}
