/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "baseline/baseline.h"
#include "respond/expectation_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LITERAL_MAX_BYTES (1u << 20)
#define NAMES_MAX 64

/* Names and their values, for one finding. */
struct fixing {
    const struct iv_bindings *bindings;
    const struct iv_baseline *baseline;
    struct iv_params *params;
    uint32_t set;
};

static void fixing_deinit(struct fixing *f)
{
    iv_params_free(f->params);
}

static struct iv_val finding_value(const struct iv_finding *f, uint16_t id)
{
    switch (id) {
    case IV_EXPECT_UID:
        return iv_val_str(f->uid);
    case IV_EXPECT_RULE:
        return iv_val_str(f->rule);
    case IV_EXPECT_SEVERITY:
        return iv_val_str(iv_str_of(iv_severity_name(f->severity)));
    case IV_EXPECT_TENANT:
        return iv_val_str(f->tenant);
    case IV_EXPECT_AGENT:
        return iv_val_str(f->agent);
    default:
        return iv_val_timestamp(iv_instant_of_ns(f->time));
    }
}

/* Parameters as the trigger sees them. */
static iv_rc parameter_value(struct fixing *f, struct iv_val *out, uint16_t slot, struct iv_err *err)
{
    if (f->params == NULL) {
        TRY(iv_params_new(&f->params, f->baseline, err));
        f->set = iv_params_resolve(f->params, &f->bindings->verdict->trigger.object);
        ENSURE(f->set != IV_PARAMS_NONE, err, IV_E_NOMEM, "no memory left for parameters");
    }
    *out = iv_params_bank(f->params, f->set)[slot];
    return IV_OK;
}

static iv_rc value_of(struct fixing *f, struct iv_val *out, const struct iv_fixed_name *name,
                      struct iv_err *err)
{
    const struct iv_object *trigger = &f->bindings->verdict->trigger.object;
    uint8_t slot = IV_NO_SLOT;
    switch (name->kind) {
    case IV_FIXED_TARGET:
        *out = iv_val_str(f->bindings->execution->target);
        break;
    case IV_FIXED_FINDING:
        *out = finding_value(f->bindings->finding, name->id);
        break;
    case IV_FIXED_TRIGGER:
        slot = trigger->slot_of == NULL ? IV_NO_SLOT : trigger->slot_of[name->id];
        *out = slot == IV_NO_SLOT ? (struct iv_val){.kind = IV_KIND_ABSENT} : trigger->slots[slot];
        break;
    default:
        TRY(parameter_value(f, out, name->id, err));
        break;
    }
    ENSURE(out->kind != IV_KIND_ABSENT, err, IV_E_ABSENT,
           "the playbook needs '" IV_STR_FMT "' of the trigger, which this " IV_STR_FMT " does not have",
           IV_STR_ARG(name->text), IV_STR_ARG(f->bindings->verdict->trigger.type->name));
    return IV_OK;
}

static void write_double(struct iv_buf *out, double d)
{
    char text[40];
    if (!isfinite(d)) {
        iv_buf_printf(out, "double(\"%s\")", isnan(d) ? "NaN" : d < 0 ? "-Infinity" : "Infinity");
        return;
    }
    (void)snprintf(text, sizeof text, "%.17g", d);
    iv_buf_text(out, text);
    iv_buf_text(out, strpbrk(text, ".e") == NULL ? ".0" : "");
}

static bool write_literal(struct iv_buf *out, const struct iv_val *v);

static bool write_items(struct iv_buf *out, const struct iv_val *v)
{
    bool map = v->kind == IV_KIND_MAP;
    bool written = true;
    iv_buf_text(out, map ? "{" : "[");
    for (uint32_t i = 0; i < v->n; i++) {
        iv_buf_text(out, i == 0 ? "" : ", ");
        written = written && write_literal(out, &v->items[map ? 2 * i : i]);
        iv_buf_text(out, map ? ": " : "");
        written = written && (!map || write_literal(out, &v->items[2 * i + 1]));
    }
    iv_buf_text(out, map ? "}" : "]");
    return written;
}

/* An expression that has this value. False: there is none. Parameters are as deep as their document. */
static bool write_literal(struct iv_buf *out, const struct iv_val *v)
{
    switch (v->kind) {
    case IV_KIND_NULL:
        iv_buf_text(out, "null");
        return true;
    case IV_KIND_BOOL:
        iv_buf_text(out, v->b ? "true" : "false");
        return true;
    case IV_KIND_INT:
        iv_buf_printf(out, v->i == INT64_MIN ? "int(\"%lld\")" : "%lld", (long long)v->i);
        return true;
    case IV_KIND_DOUBLE:
        write_double(out, v->d);
        return true;
    case IV_KIND_STRING:
        iv_json_string(out, iv_val_slice(*v));
        return true;
    case IV_KIND_TIMESTAMP:
        iv_buf_text(out, "timestamp(\"");
        iv_instant_format(out, iv_val_instant(*v));
        iv_buf_text(out, "\")");
        return true;
    case IV_KIND_DURATION:
        iv_buf_text(out, "duration(\"");
        iv_duration_format(out, iv_val_instant(*v));
        iv_buf_text(out, "\")");
        return true;
    case IV_KIND_LIST:
    case IV_KIND_MAP:
        return write_items(out, v);
    default:
        return false;
    }
}

static iv_rc add_names(struct iv_json *j, struct fixing *f, const struct iv_fixed_text *text,
                       struct iv_err *err)
{
    iv_json_open_object(j, "names");
    for (size_t i = 0; i < text->count; i++) {
        const struct iv_fixed_name *name = &text->names[i];
        if (name->kind == IV_FIXED_STEP) {
            continue;
        }
        struct iv_val value;
        IV_AUTO(iv_buf_deinit) struct iv_buf literal;
        iv_buf_init(&literal, LITERAL_MAX_BYTES);
        TRY(value_of(f, &value, name, err));
        ENSURE(write_literal(&literal, &value), err, IV_E_EVAL, "'" IV_STR_FMT "' has no value of its own",
               IV_STR_ARG(name->text));
        TRY(iv_buf_check(&literal, "a value", err));
        char key[1024];
        int n = snprintf(key, sizeof key, IV_STR_FMT, IV_STR_ARG(name->text));
        ENSURE(n > 0 && (size_t)n < sizeof key, err, IV_E_EVAL, "a name is too long");
        iv_json_str(j, key, iv_buf_slice(&literal));
    }
    iv_json_close_object(j);
    return IV_OK;
}

static iv_rc run_length(struct fixing *f, struct iv_val *out, const struct iv_fixed_text *text,
                        struct iv_cel_frame *frame, struct iv_err *err)
{
    struct iv_str names[NAMES_MAX];
    struct iv_val values[NAMES_MAX];
    ENSURE(text->count <= NAMES_MAX, err, IV_E_EVAL, "a length reads more than %d names", NAMES_MAX);
    for (size_t i = 0; i < text->count; i++) {
        names[i] = text->names[i].text;
        TRY(value_of(f, &values[i], &text->names[i], err));
    }
    IV_AUTO(iv_cel_env_freep) struct iv_cel_env *env = NULL;
    IV_AUTO(iv_cel_prog_freep) struct iv_cel_prog *prog = NULL;
    TRY(iv_expect_compile(&env, &prog, text->source, names, text->count, IV_STR(""), NULL, NULL, err));
    frame->bank[IV_EXPECT_NAME_BANK] = values;
    return iv_cel_run(prog, frame, out, err);
}

static iv_rc length_of(struct fixing *f, iv_ns *out, const struct iv_fixed_length *length, const char *what,
                       struct iv_err *err)
{
    if (length->text.source.p == NULL) {
        *out = length->constant;
        return IV_OK;
    }
    struct iv_val value = {0};
    struct iv_cel_frame frame;
    iv_cel_frame_init(&frame, LITERAL_MAX_BYTES);
    struct iv_rc_s rc = run_length(f, &value, &length->text, &frame, err);
    bool fits = value.kind == IV_KIND_DURATION;
    *out = fits ? iv_instant_to_ns_saturated(iv_val_instant(value)) : -1;
    iv_cel_frame_deinit(&frame);
    TRY(rc);
    ENSURE(fits && *out >= 0 && *out <= IV_EXPECT_WITHIN_MAX, err, IV_E_EVAL,
           "the expectation's '%s' must be a duration between 0s and 1d", what);
    return IV_OK;
}

iv_rc iv_expectation_render(struct iv_buf *out, iv_ns *within, const struct iv_expectation *x,
                            const struct iv_bindings *bindings, const struct iv_baseline *baseline,
                            struct iv_err *err)
{
    IV_AUTO(fixing_deinit) struct fixing f = {.bindings = bindings, .baseline = baseline};
    iv_ns after = 0;
    iv_ns earlier = 0;
    TRY(length_of(&f, within, &x->within, "within", err));
    TRY(length_of(&f, &after, &x->after, "after", err));
    TRY(length_of(&f, &earlier, &x->earlier, "earlier", err));
    ENSURE(after < *within, err, IV_E_EVAL, "the expectation's 'after' is not less than its 'within'");
    struct iv_json json = iv_json_to(out);
    struct iv_json *j = &json;
    iv_json_open_object(j, NULL);
    iv_json_text(j, "sense", x->unseen ? "unseen" : "seen");
    iv_json_str(j, "event", x->event);
    iv_json_text(j, "stream", iv_stream_name(x->stream));
    iv_json_str(j, "as", x->alias);
    iv_json_str(j, "where", x->where.source);
    iv_json_int(j, "after", after);
    iv_json_int(j, "earlier", earlier);
    iv_json_int(j, "settle", x->settle);
    iv_json_bool(j, "complete", x->complete);
    TRY(add_names(j, &f, &x->where, err));
    iv_json_close_object(j);
    return iv_buf_check(out, "an expectation", err);
}
