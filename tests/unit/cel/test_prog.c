/* SPDX-License-Identifier: Apache-2.0 */
#include "cel/prog.h"
#include "unit/cel/world.h"

static struct world w;

static void init(void)
{
    world_init(&w);
}

static void deinit(void)
{
    world_deinit(&w);
}

TestSuite(cel_prog, .init = init, .fini = deinit);

Test(cel_prog, is_dumped_an_instruction_a_line)
{
    static const struct {
        const char *source;
        const char *dump;
    } rows[] = {
        {"has(use.bytes) && use.bytes > 3 * 4", "   0  HAS_FIELD 0:0 .bytes\n"
                                                "   1  LEFT_AND -> 6  ; absorbs failures since 0\n"
                                                "   2  FIELD 0:0 .bytes\n"
                                                "   3  CONST 12\n"
                                                "   4  GT\n"
                                                "   5  RIGHT_AND\n"
                                                "   6  RETURN\n"},
        {"baseline.tools.exists(t, t == use.scope)", "   0  VAR 1:1\n"
                                                     "   1  FOLD exists\n"
                                                     "   2  NEXT exists -> 7\n"
                                                     "   3  LOCAL 2\n"
                                                     "   4  FIELD 0:0 .scope\n"
                                                     "   5  EQ\n"
                                                     "   6  STEP exists -> 2  ; absorbs failures since 3\n"
                                                     "   7  END exists\n"
                                                     "   8  RETURN\n"},
        {"use.scope.matches('a') ? 1 : 2", "   0  FIELD 0:0 .scope\n"
                                           "   1  CONST \"a\"\n"
                                           "   2  CALL matches/2\n"
                                           "   3  BRANCH -> 6\n"
                                           "   4  CONST 1\n"
                                           "   5  JUMP -> 7\n"
                                           "   6  CONST 2\n"
                                           "   7  RETURN\n"},
        {"[1, 2].map(i, i * i) + [duration('1m').getSeconds()]", "   0  CONST [1,4,60]\n"
                                                                 "   1  RETURN\n"},
        {"cel.bind(n, use.bytes, n + n)", "   0  FIELD 0:0 .bytes\n"
                                          "   1  LOCAL 0\n"
                                          "   2  LOCAL 0\n"
                                          "   3  ADD\n"
                                          "   4  SLIDE 1\n"
                                          "   5  RETURN\n"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        iv_buf_clear(&w.text);
        cr_assert(iv_ok(world_compile(&w, rows[i].source, NULL)), "%s", w.err.text);

        iv_cel_prog_dump(&w.text, w.prog);

        cr_expect_str_eq(w.text.p, rows[i].dump, "'%s':\n%s", rows[i].source, w.text.p);
    }
}

static void note(void *ctx, uint16_t name_id)
{
    *(unsigned *)ctx |= 1u << name_id;
}

Test(cel_prog, tells_which_fields_it_reads)
{
    static const struct {
        const char *source;
        unsigned use; /* bits by name id */
        unsigned gone;
        bool use_whole;
    } rows[] = {
        {"use.time > gone.time", 1u << N_TIME, 1u << N_TIME, false},
        {"has(use.bytes) && use.meta.tier == 2", 1u << N_BYTES | 1u << N_META, 0, false},
        {"[use].exists(u, u.scope == gone.reason)", 0, 1u << N_REASON, true},
        {"use == dyn(gone)", 0, 0, true},
        {"true || use.bytes > 1", 1u << N_BYTES, 0, false},
        {"1 + 1 == 2", 0, 0, false},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        unsigned use = 0;
        unsigned gone = 0;
        cr_assert(iv_ok(world_compile(&w, rows[i].source, NULL)), "%s", w.err.text);

        bool whole = iv_cel_prog_fields(w.prog, 0, WORLD_USE, note, &use);
        (void)iv_cel_prog_fields(w.prog, 0, WORLD_GONE, note, &gone);

        cr_expect_eq(use, rows[i].use, "'%s'", rows[i].source);
        cr_expect_eq(gone, rows[i].gone, "'%s'", rows[i].source);
        cr_expect_eq(whole, rows[i].use_whole, "'%s'", rows[i].source);
        cr_expect_eq(iv_cel_prog_uses(w.prog, 0, WORLD_USE), whole || use != 0, "'%s'", rows[i].source);
    }
}

Test(cel_prog, is_constant_exactly_when_it_reads_no_variable)
{
    static const struct {
        const char *source;
        bool constant;
    } rows[] = {
        {"1 + 2", true},           {"[1, 2].exists(i, i > 1)", true},
        {"1 / 0", true},           {"baseline.token.skew", false},
        {"has(use.bytes)", false}, {"[1].exists(i, i > x)", false},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        cr_assert(iv_ok(world_compile(&w, rows[i].source, NULL)));
        cr_expect_eq(iv_cel_prog_constant(w.prog), rows[i].constant, "'%s'", rows[i].source);
    }
}

Test(cel_prog, outlives_its_source_and_its_environment)
{
    char source[] = "'a' + 'b' + string(size([1, 2]))";
    struct iv_cel_env *env = NULL;
    struct iv_cel_prog *prog = NULL;
    struct iv_val v;
    cr_assert(iv_ok(iv_cel_env_new(&env, &w.err)));
    cr_assert(iv_ok(iv_cel_compile(&prog, env, iv_str_of(source), NULL, &w.diags, &w.err)));

    iv_cel_env_free(env);
    memset(source, 'z', sizeof source);

    cr_assert(iv_ok(iv_cel_run(prog, &w.frame, &v, &w.err)));
    cr_expect(iv_str_eq(iv_val_slice(v), IV_STR("ab2")));
    cr_expect(iv_str_eq(iv_cel_prog_source(prog), IV_STR("'a' + 'b' + string(size([1, 2]))")));
    iv_cel_prog_free(prog);
}

/* Every program with one instruction bent is either refused, or one that the VM can run without harm. */
Test(cel_prog, is_refused_when_damaged)
{
    static const char source[] =
        "[use.scope, 'a'].exists(s, s == x || has(use.bytes) && use.bytes > 1) ? f : [?g]";
    const struct iv_cel_options unchecked = {.no_check = true};
    cr_assert(iv_ok(world_compile(&w, source, &unchecked)), "%s", w.err.text);
    struct iv_cel_insn code[64];
    cr_assert_leq(w.prog->code_count, IV_COUNT(code));
    memcpy(code, w.prog->code, w.prog->code_count * sizeof *code);
    struct iv_cel_prog bent = *w.prog;
    bent.code = code;
    size_t refused = 0;
    for (uint32_t i = 0; i < bent.code_count; i++) {
        for (uint32_t k = 0; k < 4; k++) {
            struct iv_cel_insn keep = code[i];
            code[i].op = k == 0 ? IV_CEL_OPS : k == 1 ? IV_CEL_OP_RETURN : keep.op;
            code[i].c = k == 2 ? 1000 : keep.c;
            code[i].b = k == 3 ? 1000 : keep.b;
            code[i].a = k == 3 ? 200 : keep.a;
            refused += !iv_ok(iv_cel_verify(&bent, NULL));
            code[i] = keep;
        }
    }
    cr_expect_gt(refused, bent.code_count);
    cr_expect(iv_ok(iv_cel_verify(&bent, NULL)), "as it was");
}
