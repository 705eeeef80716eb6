/* SPDX-License-Identifier: Apache-2.0 */
/* Any source text is refused with a place, or is a program that ends within its limits, has the type that the
 * checker gave it, and comes to the same without the check.
 * Input: a line of JSON, the variable x (anything else: x is absent), then the source. */
#include "target.h"

#include "base/buf.h"
#include "cel/cel.h"
#include "event/decode.h"

#define COST_MAX 20000u
#define MEMORY_MAX (1u << 20)
#define TEXT_MAX (64u << 20)

enum { SLOT_X, SLOT_S, SLOT_I, SLOT_D, SLOT_T, SLOT_U, SLOT_L, SLOT_M, SLOT_E, SLOTS };
enum { FIELD_ID, FIELD_N, FIELD_WHEN, FIELD_TAGS, FIELDS };

static struct iv_catalogue *catalogue;
static struct iv_decoder *decoder;
static struct iv_cel_env *env;
static struct iv_cel_frame frame;
static struct iv_arena arena;
static struct iv_buf text;
static struct iv_buf other_text;

static const struct iv_cel_type strings = {.kind = IV_CEL_LIST, .args = {&iv_cel_string}};
static const struct iv_cel_type by_name = {.kind = IV_CEL_MAP, .args = {&iv_cel_string, &iv_cel_dyn}};
static const struct iv_cel_field fields[] = {
    {IV_STR_INIT("id"), &iv_cel_string, FIELD_ID},
    {IV_STR_INIT("n"), &iv_cel_int, FIELD_N},
    {IV_STR_INIT("when"), &iv_cel_timestamp, FIELD_WHEN},
    {IV_STR_INIT("tags"), &strings, FIELD_TAGS},
};
static const struct iv_cel_schema schema = {IV_STR_INIT("an.event"), fields, FIELDS};
static const struct iv_cel_type event = {.kind = IV_CEL_OBJECT, .schema = &schema};
static const struct iv_cel_var variables[] = {
    {IV_STR_INIT("x"), &iv_cel_dyn, 0, SLOT_X},
    {IV_STR_INIT("s"), &iv_cel_string, 0, SLOT_S},
    {IV_STR_INIT("i"), &iv_cel_int, 0, SLOT_I},
    {IV_STR_INIT("d"), &iv_cel_double, 0, SLOT_D},
    {IV_STR_INIT("t"), &iv_cel_timestamp, 0, SLOT_T},
    {IV_STR_INIT("u"), &iv_cel_duration, 0, SLOT_U},
    {IV_STR_INIT("l"), &strings, 0, SLOT_L},
    {IV_STR_INIT("baseline.m"), &by_name, 0, SLOT_M},
    {IV_STR_INIT("e"), &event, 0, SLOT_E},
};

static void set_up(void)
{
    struct iv_err err;
    IV_CHECK(iv_ok(iv_catalogue_new(&catalogue, &err)));
    IV_CHECK(iv_ok(iv_catalogue_freeze(catalogue, &err)));
    IV_CHECK(iv_ok(
        iv_decoder_new(&decoder, catalogue, &IV_DECODE_LIMITS_DEFAULT, (struct iv_hash_key){1, 2}, &err)));
    IV_CHECK(iv_ok(iv_cel_env_new(&env, &err)));
    for (size_t i = 0; i < IV_COUNT(variables); i++) {
        IV_CHECK(iv_ok(iv_cel_env_var(env, &variables[i], &err)));
    }
    iv_cel_frame_init(&frame, MEMORY_MAX);
    frame.cost_limit = COST_MAX;
    iv_arena_init(&arena, 0);
    iv_buf_init(&text, TEXT_MAX);
    iv_buf_init(&other_text, TEXT_MAX);
}

static void bind(struct iv_val *bank, struct iv_str json)
{
    static const uint8_t slot_of[FIELDS] = {0, 1, 2, IV_NO_SLOT};
    static struct iv_val few[2], pair[2], slots[3];
    static struct iv_object object = {.slot_of = slot_of, .slots = slots};
    const struct iv_json_options options = {.lenient_members = true};
    struct iv_err err;
    bank[SLOT_X] = (struct iv_val){0};
    (void)iv_ok(iv_json_parse(decoder, json, &options, &arena, &bank[SLOT_X], &err));
    few[0] = iv_val_str(IV_STR("k\xc3\xb6nig"));
    few[1] = iv_val_str(IV_STR("10.0.0.1"));
    pair[0] = iv_val_str(IV_STR("a"));
    pair[1] = iv_val_double(0.5);
    slots[0] = iv_val_str(IV_STR("e1"));
    slots[1] = iv_val_int(-7);
    slots[2] = (struct iv_val){0};
    bank[SLOT_S] = few[0];
    bank[SLOT_I] = iv_val_int(INT64_MAX);
    bank[SLOT_D] = iv_val_double(-1.5);
    bank[SLOT_T] = iv_val_timestamp((struct iv_instant){1767225600, 5});
    bank[SLOT_U] = iv_val_duration((struct iv_instant){-1, 500000000});
    bank[SLOT_L] = (struct iv_val){.kind = IV_KIND_LIST, .n = 2, .items = few};
    bank[SLOT_M] = (struct iv_val){.kind = IV_KIND_MAP, .n = 1, .items = pair};
    bank[SLOT_E] = (struct iv_val){.kind = IV_KIND_OBJECT, .object = &object};
}

static struct iv_cel_prog *compile(struct iv_str source, bool check)
{
    const struct iv_cel_options options = {.no_check = !check};
    struct iv_cel_diags diags = {0};
    struct iv_cel_prog *prog = NULL;
    struct iv_err err;
    struct iv_rc_s rc = iv_cel_compile(&prog, env, source, &options, &diags, &err);
    IV_CHECK(iv_ok(rc) || ((rc.code == IV_E_SYNTAX || rc.code == IV_E_TYPE) && diags.count > 0));
    for (size_t i = 0; i < diags.count; i++) {
        IV_CHECK(diags.items[i].offset <= source.n &&
                 diags.items[i].length <= source.n - diags.items[i].offset);
        IV_CHECK(diags.items[i].text[0] != '\0');
    }
    iv_cel_diags_deinit(&diags);
    return prog;
}

/* The kind that a value of the type has; IV_KIND_ABSENT where there are several. Null passes for a time, a
 * duration, an object and an optional, as the specification has it. */
static enum iv_kind kind_of(const struct iv_cel_type *type)
{
    static const enum iv_kind kinds[IV_CEL_ERROR + 1] = {
        [IV_CEL_NULL] = IV_KIND_NULL,         [IV_CEL_BOOL] = IV_KIND_BOOL,
        [IV_CEL_INT] = IV_KIND_INT,           [IV_CEL_UINT] = IV_KIND_UINT,
        [IV_CEL_DOUBLE] = IV_KIND_DOUBLE,     [IV_CEL_STRING] = IV_KIND_STRING,
        [IV_CEL_BYTES] = IV_KIND_BYTES,       [IV_CEL_TIMESTAMP] = IV_KIND_TIMESTAMP,
        [IV_CEL_DURATION] = IV_KIND_DURATION, [IV_CEL_LIST] = IV_KIND_LIST,
        [IV_CEL_MAP] = IV_KIND_MAP,           [IV_CEL_OBJECT] = IV_KIND_OBJECT,
        [IV_CEL_TYPE] = IV_KIND_TYPE,         [IV_CEL_OPTIONAL] = IV_KIND_OPTIONAL,
    };
    return kinds[type->kind];
}

enum outcome { HAS_VALUE, FAILED, STOPPED };

/* Runs to a value as text. */
static enum outcome run(struct iv_buf *out, const struct iv_cel_prog *prog, const struct iv_val *bank)
{
    struct iv_val value;
    struct iv_err err;
    frame.bank[0] = bank;
    frame.cost = 0;
    iv_buf_clear(out);
    struct iv_rc_s rc = iv_cel_run(prog, &frame, &value, &err);
    IV_CHECK(frame.arena.total_bytes <= MEMORY_MAX);
    if (!iv_ok(rc)) {
        IV_CHECK(rc.code == IV_E_EVAL && err.text[0] != '\0');
        bool stopped = strstr(err.text, "costs more") != NULL || strstr(err.text, "memory") != NULL;
        return stopped ? STOPPED : FAILED;
    }
    IV_CHECK(frame.cost <= COST_MAX);
    enum iv_kind kind = kind_of(iv_cel_prog_type(prog));
    bool may_be_null = kind == IV_KIND_TIMESTAMP || kind == IV_KIND_DURATION || kind == IV_KIND_OBJECT ||
                       kind == IV_KIND_OPTIONAL;
    IV_CHECK(kind == IV_KIND_ABSENT || value.kind == kind || (value.kind == IV_KIND_NULL && may_be_null));
    iv_val_json(out, &value);
    return HAS_VALUE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct iv_str source = input_of(data, size);
    struct iv_val bank[SLOTS];
    if (env == NULL) {
        set_up();
    }
    iv_arena_reset(&arena);
    iv_arena_reset(&frame.arena);
    bind(bank, take_line(&source));
    struct iv_cel_prog *checked = compile(source, true);
    struct iv_cel_prog *unchecked = compile(source, false);
    IV_CHECK(checked == NULL || unchecked != NULL);
    if (checked != NULL) {
        iv_buf_clear(&text);
        iv_cel_prog_dump(&text, checked);
        iv_cel_type_format(&text, iv_cel_prog_type(checked));
    }
    enum outcome outcome = checked == NULL ? STOPPED : run(&text, checked, bank);
    enum outcome other = unchecked == NULL ? STOPPED : run(&other_text, unchecked, bank);
    if (outcome != STOPPED && other != STOPPED) {
        IV_CHECK(outcome == other && iv_str_eq(iv_buf_slice(&text), iv_buf_slice(&other_text)));
    }
    iv_cel_prog_free(checked);
    iv_cel_prog_free(unchecked);
    return 0;
}
