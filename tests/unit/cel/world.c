/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/cel/world.h"

static const struct iv_cel_type meta_type = {.kind = IV_CEL_MAP, .args = {&iv_cel_string, &iv_cel_dyn}};
static const struct iv_cel_type tools_type = {.kind = IV_CEL_LIST, .args = {&iv_cel_string}};
static const struct iv_cel_type limits_type = {.kind = IV_CEL_MAP, .args = {&iv_cel_string, &iv_cel_int}};

static const struct iv_cel_field use_fields[] = {
    {IV_STR_INIT("time"), &iv_cel_timestamp, N_TIME}, {IV_STR_INIT("token_id"), &iv_cel_string, N_TOKEN_ID},
    {IV_STR_INIT("scope"), &iv_cel_string, N_SCOPE},  {IV_STR_INIT("bytes"), &iv_cel_int, N_BYTES},
    {IV_STR_INIT("meta"), &meta_type, N_META},
};
static const struct iv_cel_field gone_fields[] = {
    {IV_STR_INIT("time"), &iv_cel_timestamp, N_TIME},
    {IV_STR_INIT("token_id"), &iv_cel_string, N_TOKEN_ID},
    {IV_STR_INIT("reason"), &iv_cel_string, N_REASON},
};
static const struct iv_cel_schema use_schema = {IV_STR_INIT("token.used"), use_fields, IV_COUNT(use_fields)};
static const struct iv_cel_schema gone_schema = {IV_STR_INIT("token.revoked"), gone_fields,
                                                 IV_COUNT(gone_fields)};
static const struct iv_cel_type use_type = {.kind = IV_CEL_OBJECT, .schema = &use_schema};
static const struct iv_cel_type gone_type = {.kind = IV_CEL_OBJECT, .schema = &gone_schema};

static const uint8_t use_slot_of[NAMES] = {0, 1, 2, 3, 4, IV_NO_SLOT};
static const uint8_t gone_slot_of[NAMES] = {2, 0, IV_NO_SLOT, IV_NO_SLOT, IV_NO_SLOT, 1};

static void declare(struct world *w, const char *name, const struct iv_cel_type *type, uint8_t bank,
                    uint16_t slot)
{
    const struct iv_cel_var var = {iv_str_of(name), type, bank, slot};
    cr_assert(iv_ok(iv_cel_env_var(w->env, &var, &w->err)));
}

static void fill(struct world *w)
{
    static const struct iv_val tools[] = {
        {.kind = IV_KIND_STRING, .n = 6, .s = "search"},
        {.kind = IV_KIND_STRING, .n = 4, .s = "mail"},
    };
    static const struct iv_val limits[] = {
        {.kind = IV_KIND_STRING, .n = 6, .s = "search"},
        {.kind = IV_KIND_INT, .i = 10},
    };
    static const struct iv_val meta[] = {
        {.kind = IV_KIND_STRING, .n = 4, .s = "tier"},
        {.kind = IV_KIND_DOUBLE, .d = 2},
    };
    w->use_slots[0] = iv_val_timestamp((struct iv_instant){1000, 500000000});
    w->use_slots[1] = iv_val_str(IV_STR("t1"));
    w->use_slots[2] = iv_val_str(IV_STR("read:all"));
    w->use_slots[4] = (struct iv_val){.kind = IV_KIND_MAP, .n = 1, .items = meta};
    w->gone_slots[0] = iv_val_str(IV_STR("t1"));
    w->gone_slots[1] = iv_val_str(IV_STR("leaked"));
    w->gone_slots[2] = iv_val_timestamp((struct iv_instant){998, 0});
    w->use = (struct iv_object){use_slot_of, w->use_slots, NULL};
    w->gone = (struct iv_object){gone_slot_of, w->gone_slots, NULL};
    w->events[WORLD_USE] = (struct iv_val){.kind = IV_KIND_OBJECT, .object = &w->use};
    w->events[WORLD_GONE] = (struct iv_val){.kind = IV_KIND_OBJECT, .object = &w->gone};
    w->parameters[WORLD_SKEW] = iv_val_duration((struct iv_instant){1, 0});
    w->parameters[WORLD_TOOLS] = (struct iv_val){.kind = IV_KIND_LIST, .n = 2, .items = tools};
    w->parameters[WORLD_LIMITS] = (struct iv_val){.kind = IV_KIND_MAP, .n = 1, .items = limits};
}

void world_init(struct world *w)
{
    *w = (struct world){.env = NULL};
    cr_assert(iv_ok(iv_cel_env_new(&w->env, &w->err)));
    declare(w, "use", &use_type, 0, WORLD_USE);
    declare(w, "gone", &gone_type, 0, WORLD_GONE);
    declare(w, "x", &iv_cel_dyn, 0, WORLD_X);
    declare(w, "baseline.token.skew", &iv_cel_duration, 1, WORLD_SKEW);
    declare(w, "baseline.tools", &tools_type, 1, WORLD_TOOLS);
    declare(w, "baseline.limits", &limits_type, 1, WORLD_LIMITS);
    fill(w);
    iv_cel_frame_init(&w->frame, (size_t)1 << 20);
    w->frame.bank[0] = w->events;
    w->frame.bank[1] = w->parameters;
    iv_buf_init(&w->text, (size_t)1 << 20);
}

void world_deinit(struct world *w)
{
    iv_cel_prog_freep(&w->prog);
    iv_cel_diags_deinit(&w->diags);
    iv_cel_frame_deinit(&w->frame);
    iv_buf_deinit(&w->text);
    iv_cel_env_freep(&w->env);
}

struct iv_rc_s world_compile(struct world *w, const char *source, const struct iv_cel_options *options)
{
    iv_cel_prog_freep(&w->prog);
    iv_cel_diags_deinit(&w->diags);
    return iv_cel_compile(&w->prog, w->env, iv_str_of(source), options, &w->diags, &w->err);
}

const char *world_eval(struct world *w, const char *source)
{
    struct iv_val v;
    iv_buf_clear(&w->text);
    iv_arena_reset(&w->frame.arena);
    if (!iv_ok(world_compile(w, source, NULL))) {
        cr_assert(w->diags.count > 0, "'%s' is refused without a diagnosis", source);
        iv_buf_printf(&w->text, "refused at %zu: %s", w->diags.items[0].offset, w->diags.items[0].text);
    } else if (!iv_ok(iv_cel_run(w->prog, &w->frame, &v, &w->err))) {
        iv_buf_printf(&w->text, "error at %u: %s", w->frame.error_offset, w->err.text);
    } else {
        iv_val_json(&w->text, &v);
    }
    return w->text.p;
}
