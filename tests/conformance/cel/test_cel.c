/* SPDX-License-Identifier: Apache-2.0 */
/* cel-spec's own conformance tests. What cannot pass because it is about protobuf messages is listed, each
 * with its reason, in skipped.txt; a test that stands there and passes, or is not there, fails the run. */
#include "base/buf.h"
#include "base/guard.h"
#include "cel/cel.h"
#include "conformance/cel/proto_values.h"
#include "conformance/published.h"

#define FOLDER "cel"
#define VARS_MAX 16

struct suite {
    struct iv_arena arena; /* of one file */
    struct iv_str skips;
    size_t skips_seen;
    size_t passed;
    size_t failed;
};

/* One test while it runs. */
struct trial {
    const struct text_field *test;
    struct iv_arena *arena;
    struct iv_cel_env *env;
    struct iv_cel_prog *prog;
    struct iv_cel_diags diags;
    struct iv_val vars[VARS_MAX];
    uint16_t var_count;
    bool refused; /* by the checker, and that is right */
    char why[1024];
};

static bool fail(struct trial *t, const char *what, struct iv_str detail)
{
    (void)snprintf(t->why, sizeof t->why, "%s" IV_STR_FMT, what, IV_STR_ARG(detail));
    return false;
}

static iv_rc never_called(struct iv_val *out, const struct iv_val *args, size_t count,
                          struct iv_cel_frame *frame, void *ctx, struct iv_err *err)
{
    (void)out, (void)args, (void)count, (void)frame, (void)ctx;
    return iv_err_set(err, IV_E_EVAL, "declared for the checker only");
}

static bool declare_function(struct trial *t, const struct text_field *decl, struct iv_str name)
{
    const struct text_field *o = textproto_get(decl->first, "overloads");
    for (; o != NULL; o = textproto_next(o)) {
        struct iv_cel_overload overload = {.function = name, .cost = 1, .call = never_called};
        const struct text_field *p = textproto_get(o->first, "params");
        for (; p != NULL; p = textproto_next(p)) {
            if (!proto_type(&overload.args[overload.arg_count++], p->first, t->arena)) {
                return fail(t, "parameter of a message type in ", name);
            }
        }
        if (!proto_type(&overload.result, textproto_get(o->first, "result_type")->first, t->arena) ||
            !iv_ok(iv_cel_env_function(t->env, &overload, NULL))) {
            return fail(t, "cannot declare ", name);
        }
    }
    return true;
}

static bool declare_var(struct trial *t, struct iv_str name, const struct iv_cel_type *type)
{
    const struct iv_cel_var var = {.name = name, .type = type, .bank = 0, .slot = t->var_count};
    cr_assert(t->var_count < VARS_MAX);
    if (!iv_ok(iv_cel_env_var(t->env, &var, NULL))) {
        return fail(t, "cannot declare ", name);
    }
    t->var_count++;
    return true;
}

static const struct text_field *binding_of(const struct trial *t, struct iv_str name)
{
    const struct text_field *b = textproto_get(t->test, "bindings");
    while (b != NULL && !iv_str_eq(textproto_text(b->first, "key"), name)) {
        b = textproto_next(b);
    }
    return b;
}

static bool bind(struct trial *t, const struct text_field *binding, struct iv_str name)
{
    const struct text_field *value = textproto_get(textproto_get(binding->first, "value")->first, "value");
    bool good = value != NULL && proto_value(&t->vars[t->var_count - 1], value->first, t->arena);
    return good || fail(t, "binding of a message type: ", name);
}

static bool declare(struct trial *t)
{
    for (const struct text_field *d = textproto_get(t->test, "type_env"); d != NULL; d = textproto_next(d)) {
        struct iv_str name = textproto_text(d->first, "name");
        const struct text_field *ident = textproto_get(d->first, "ident");
        const struct iv_cel_type *type = NULL;
        if (ident == NULL) {
            if (!declare_function(t, textproto_get(d->first, "function"), name)) {
                return false;
            }
            continue;
        }
        if (!proto_type(&type, textproto_get(ident->first, "type")->first, t->arena)) {
            return fail(t, "variable of a message type: ", name);
        }
        const struct text_field *binding = binding_of(t, name);
        if (!declare_var(t, name, type) || (binding != NULL && !bind(t, binding, name))) {
            return false;
        }
    }
    for (const struct text_field *b = textproto_get(t->test, "bindings"); b != NULL; b = textproto_next(b)) {
        struct iv_str name = textproto_text(b->first, "key");
        struct iv_cel_var again = {.name = name, .type = &iv_cel_dyn, .slot = t->var_count};
        if (iv_ok(iv_cel_env_var(t->env, &again, NULL))) {
            t->var_count++;
            if (!bind(t, b, name)) {
                return false;
            }
        }
    }
    return true;
}

static bool compile(struct trial *t)
{
    struct iv_str container = textproto_text(t->test, "container");
    const struct iv_cel_options options = {
        .no_check = iv_str_eq(textproto_text(t->test, "disable_check"), IV_STR("true"))};
    if (container.n > 0 && !iv_ok(iv_cel_env_container(t->env, container, NULL))) {
        return fail(t, "cannot set the container ", container);
    }
    struct iv_err err = {.code = IV_CODE_OK};
    struct iv_rc_s rc =
        iv_cel_compile(&t->prog, t->env, textproto_text(t->test, "expr"), &options, &t->diags, &err);
    /* The specification counts what the checker refuses as an error of the evaluation. */
    t->refused = rc.code == IV_E_TYPE && textproto_get(t->test, "eval_error") != NULL;
    return iv_ok(rc) || t->refused || fail(t, "does not compile: ", iv_str_of(err.text));
}

static bool check_type(struct trial *t, const struct text_field *wanted)
{
    const struct iv_cel_type *type = NULL;
    if (!proto_type(&type, wanted->first, t->arena)) {
        return fail(t, "deduced type is a message or a wrapper", IV_STR(""));
    }
    struct iv_buf want;
    struct iv_buf is;
    iv_buf_init(&want, 1000);
    iv_buf_init(&is, 1000);
    iv_cel_type_format(&want, type);
    iv_cel_type_format(&is, iv_cel_prog_type(t->prog));
    bool same = iv_str_eq(iv_buf_slice(&want), iv_buf_slice(&is));
    if (!same) {
        (void)fail(t, "deduced type is ", iv_buf_slice(&is));
    }
    iv_buf_deinit(&want);
    iv_buf_deinit(&is);
    return same;
}

static bool check_value(struct trial *t, const struct text_field *wanted, struct iv_rc_s rc,
                        const struct iv_val *v, const struct iv_err *err)
{
    struct iv_val expected = iv_val_bool(true);
    if (!iv_ok(rc)) {
        return fail(t, "fails: ", iv_str_of(err->text));
    }
    if (wanted != NULL && !proto_value(&expected, wanted->first, t->arena)) {
        return fail(t, "the expected value is a message", IV_STR(""));
    }
    if (proto_same(v, &expected)) {
        return true;
    }
    struct iv_buf text;
    iv_buf_init(&text, 10000);
    iv_val_json(&text, v);
    (void)fail(t, "value is ", iv_buf_slice(&text));
    iv_buf_deinit(&text);
    return false;
}

static bool run(struct trial *t)
{
    struct iv_cel_frame frame;
    struct iv_val v = {0};
    struct iv_err err = {.code = IV_CODE_OK};
    const struct text_field *typed = textproto_get(t->test, "typed_result");
    const struct text_field *value =
        textproto_get(typed == NULL ? t->test : typed->first, typed == NULL ? "value" : "result");
    if (typed != NULL && !check_type(t, textproto_get(typed->first, "deduced_type"))) {
        return false;
    }
    if (iv_str_eq(textproto_text(t->test, "check_only"), IV_STR("true"))) {
        return true;
    }
    iv_cel_frame_init(&frame, 1u << 20);
    frame.bank[0] = t->vars;
    struct iv_rc_s rc = iv_cel_run(t->prog, &frame, &v, &err);
    bool good = textproto_get(t->test, "eval_error") != NULL
                    ? !iv_ok(rc) || fail(t, "should fail and does not", IV_STR(""))
                    : check_value(t, value, rc, &v, &err);
    iv_cel_frame_deinit(&frame);
    return good;
}

static bool try_test(struct trial *t)
{
    cr_assert(iv_ok(iv_cel_env_new(&t->env, NULL)));
    bool good = declare(t) && compile(t) && (t->refused || run(t));
    iv_cel_prog_free(t->prog);
    iv_cel_diags_deinit(&t->diags);
    iv_cel_env_free(t->env);
    return good;
}

/* True if the list names the test: a line "FILE/SECTION/TEST: reason". */
static bool is_skipped(struct suite *s, const char *id)
{
    const char *p = s->skips.p;
    size_t n = strlen(id);
    for (size_t left = s->skips.n; left > n;) {
        if (memcmp(p, id, n) == 0 && p[n] == ':') {
            cr_expect(left > n + 3 && p[n + 2] != '\n', "skipped.txt gives no reason for %s", id);
            return true;
        }
        const char *end = memchr(p, '\n', left);
        left -= end == NULL ? left : (size_t)(end - p) + 1;
        p = end + 1;
    }
    return false;
}

static void run_file(struct suite *s, const char *file)
{
    char name[256];
    (void)snprintf(name, sizeof name, "%s.textproto", file);
    struct iv_str text = published_file(FOLDER, name);
    const struct text_field *root = textproto_read(text, &s->arena);
    for (const struct text_field *part = textproto_get(root, "section"); part != NULL;
         part = textproto_next(part)) {
        struct iv_str section = textproto_text(part->first, "name");
        for (const struct text_field *f = textproto_get(part->first, "test"); f != NULL;
             f = textproto_next(f)) {
            char id[512];
            struct iv_str test = textproto_text(f->first, "name");
            (void)snprintf(id, sizeof id, "%s/" IV_STR_FMT "/" IV_STR_FMT, file, IV_STR_ARG(section),
                           IV_STR_ARG(test));
            struct trial t = {.test = f->first, .arena = &s->arena};
            bool skipped = is_skipped(s, id);
            bool good = try_test(&t);
            s->skips_seen += skipped;
            s->passed += good;
            s->failed += !good && !skipped;
            cr_expect(good || skipped, "%s: %s", id, t.why);
            cr_expect(!good || !skipped, "%s passes and must leave skipped.txt", id);
        }
    }
    published_free(text);
    iv_arena_reset(&s->arena);
}

/* A row of the table of counts: of what was added since. */
static void print_row(const char *name, const struct suite *now, const struct suite *before)
{
    (void)fprintf(stderr, "%-16s%8zu%10zu%8zu\n", name, now->passed - before->passed,
                  now->skips_seen - before->skips_seen, now->failed - before->failed);
}

static struct iv_str read_skips(void)
{
    FILE *file = fopen(IV_SOURCE_DIR "/tests/conformance/cel/skipped.txt", "rb");
    cr_assert(file != NULL);
    static char text[1 << 16];
    size_t n = fread(text, 1, sizeof text, file);
    cr_assert(n < sizeof text);
    (void)fclose(file);
    return (struct iv_str){text, n};
}

static size_t lines_of(struct iv_str text)
{
    size_t lines = 0;
    bool start = true;
    for (size_t i = 0; i < text.n; i++) {
        lines += start && text.p[i] != '#' && text.p[i] != '\n';
        start = text.p[i] == '\n';
    }
    return lines;
}

Test(cel, agrees_with_the_specification)
{
    static const char *const files[] = {
        "basic",     "comparisons",  "conversions",  "fields",      "fp_math",        "integer_math",
        "lists",     "logic",        "macros",       "macros2",     "namespace",      "parse",
        "plumbing",  "string",       "string_ext",   "timestamps",  "type_deduction", "math_ext",
        "optionals", "bindings_ext", "encoders_ext", "network_ext",
    };
    if (!published_is_there(FOLDER)) {
        return;
    }
    struct suite s = {.skips = read_skips()};
    iv_arena_init(&s.arena, 0);

    (void)fprintf(stderr, "%-16s%8s%10s%8s\n", "cel-spec", "passed", "left out", "failed");
    for (size_t i = 0; i < IV_COUNT(files); i++) {
        struct suite before = s;
        run_file(&s, files[i]);
        print_row(files[i], &s, &before);
    }
    print_row("all", &s, &(struct suite){.passed = 0});

    cr_expect_eq(s.skips_seen, lines_of(s.skips), "skipped.txt names tests that are not there, or one twice");
    iv_arena_deinit(&s.arena);
}
