/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/guard.h"
#include "baseline/rule_text.h"
#include "baseline/yaml.h"
#include "baseline/yaml_fields.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

struct read {
    struct iv_yaml *doc;
    struct iv_problems *problems;
    struct iv_buf rendered;
    struct iv_rc_s rc;
};

static struct read read_with(const char *text, const struct iv_yaml_variables *variables)
{
    struct read r = {0};
    cr_assert(iv_ok(iv_problems_new(&r.problems, NULL)));
    r.rc = iv_yaml_parse(&r.doc, IV_STR("t.yaml"), iv_str_of(text), variables, r.problems, NULL);
    iv_buf_init(&r.rendered, 1u << 20);
    iv_problems_render(&r.rendered, r.problems);
    iv_buf_char(&r.rendered, '\0');
    return r;
}

static struct read read_yaml(const char *text)
{
    return read_with(text, NULL);
}

static void done(struct read *r)
{
    iv_yaml_free(r->doc);
    iv_problems_free(r->problems);
    iv_buf_deinit(&r->rendered);
}

static const char *render_again(struct read *r)
{
    iv_buf_clear(&r->rendered);
    iv_problems_render(&r->rendered, r->problems);
    iv_buf_char(&r->rendered, '\0');
    return r->rendered.p;
}

Test(yaml, nodes_know_their_line_column_and_style)
{
    struct read r = read_yaml("# head\na: 'x'\nbée:\n- {c: 1, d: \"é\"}\n");
    const struct iv_yaml_node *root = iv_yaml_root(r.doc);
    const struct iv_yaml_node *item = iv_yaml_at(root, "bée")->items[0];

    cr_expect(eq(u32, iv_yaml_at(root, "a")->line, 2));
    cr_expect(eq(u32, iv_yaml_at(root, "a")->column, 4));
    cr_expect(eq(int, (int)iv_yaml_at(root, "a")->style, (int)IV_YAML_SINGLE_QUOTED));
    cr_expect(eq(u32, root->pairs[1].key->line, 3));
    cr_expect(eq(u32, iv_yaml_at(item, "d")->column, 13));
    cr_expect(eq(int, (int)iv_yaml_at(item, "c")->style, (int)IV_YAML_PLAIN));
    done(&r);
}

Test(yaml, an_offset_inside_a_scalar_is_found_in_the_source_whatever_its_style)
{
    /* the value is the same each time; "@" must be found where it was written */
    static const char *const rows[] = {
        "a: one @two",
        "a: one\n  @two",
        "a: 'one\n  @two'",
        "a: \"one\n\n   @two\"",
        "a: \"\\u006fne \\\n   @two\"",
        "a: 'it''s   \n  @two'",
        "a: |\n  one\n  @two\n",
        "a: |\n\n  one\n\n    three @two\n",
        "a: >\n  one\n  two\n\n  @two\n",
        "a: >-\n   one\n     more\n   @two\n",
        "a: |2\n    one\n    @two\n",
        "a: &x é@two",
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct read r = read_yaml(rows[i]);
        const struct iv_yaml_node *node = iv_yaml_at(iv_yaml_root(r.doc), "a");
        const char *at = memchr(node->text.p, '@', node->text.n);
        cr_assert(ne(ptr, (void *)at, NULL), "row %zu", i);

        size_t place = iv_yaml_place(node, (size_t)(at - node->text.p));

        cr_expect(eq(sz, place, (size_t)(strchr(rows[i], '@') - rows[i])), "row %zu", i);
        done(&r);
    }
}

Test(yaml, problems_show_the_line_and_a_caret_as_wide_as_what_is_wrong)
{
    struct read r = read_yaml("rule:\n  if: é.time > then\n");
    const struct iv_yaml_node *node = iv_yaml_at(iv_yaml_at(iv_yaml_root(r.doc), "rule"), "if");

    iv_yaml_error_inside(r.problems, node, 10, 4, "undeclared '%s'", "then");

    cr_expect(eq(str, (char *)render_again(&r),
                 "t.yaml:2:16: error: undeclared 'then'\n  if: é.time > then\n               ^~~~\n"));
    done(&r);
}

Test(yaml, of_a_line_that_nobody_reads_to_its_end_the_part_around_the_caret_is_shown)
{
    char text[1200] = "rule: \"";
    char want[600];
    memset(text + 7, 'x', 1000);
    memcpy(text + 500, "wrong", 5);
    memcpy(text + 1007, "\"\n", 3);
    struct read r = read_yaml(text);
    const struct iv_yaml_node *node = iv_yaml_at(iv_yaml_root(r.doc), "rule");

    iv_yaml_error_inside(r.problems, node, 493, 5, "so it is");
    iv_yaml_error_inside(r.problems, node, 493, 900, "and so is all that follows");

    const char *got = render_again(&r);
    (void)snprintf(want, sizeof want, "t.yaml:1:501: error: so it is\n…%.*swrong%.*s…\n%*s^~~~~\n", 100,
                   text + 7, 135, text + 7, 101, "");
    cr_expect_eq(strncmp(got, want, strlen(want)), 0, "%s", got);
    cr_expect_eq(strlen(strrchr(got, '^')), 141, "the line of the caret is no longer than what is shown");
    done(&r);
}

Test(yaml, what_cannot_be_read_is_refused_with_its_place)
{
    static const struct {
        const char *text;
        const char *want; /* in the rendering */
    } rows[] = {
        {"a: [1, 2\nb: 3\n", "t.yaml:2:"},
        {"a:\n\tb: 1\n", "not by tabs"},
        {"", "t.yaml:1:1: error: the document is empty"},
        {"# nothing\n", "the document is empty"},
        {"a: 1\n---\nb: 2\n", "t.yaml:2:1: error: a second document"},
        {"a: !!str 5\n", "t.yaml:1:4: error: tags are not used here"},
        {"a: *b\n", "an alias of an anchor that does not stand before it"},
        {"a: &a [*a]\n", "an alias of an anchor that does not stand before it"},
        {"? [x]\n: 1\n", "a key must be a scalar"},
        {"a: \xff\n", "not UTF-8"},
        {"a: \x01\n", "control characters are not allowed"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct read r = read_yaml(rows[i].text);

        cr_expect(eq(int, (int)r.rc.code, (int)IV_E_REFUSED), "row %zu", i);
        cr_expect(ne(ptr, strstr(r.rendered.p, rows[i].want), NULL), "row %zu: %s", i, r.rendered.p);
        done(&r);
    }
}

Test(yaml, a_key_that_stands_twice_is_reported_and_the_rest_still_read)
{
    struct read r = read_yaml("a: 1\nb: 2\na: 3\n");

    cr_expect(eq(int, (int)r.rc.code, (int)IV_CODE_OK));
    cr_expect(eq(str, r.rendered.p, "t.yaml:3:1: error: key 'a' stands twice, first on line 1\na: 3\n^\n"));
    done(&r);
}

Test(yaml, an_alias_stands_for_its_anchor)
{
    struct read r = read_yaml("a: &x {k: v}\nb: *x\n");

    cr_assert(eq(int, (int)r.rc.code, (int)IV_CODE_OK));
    const struct iv_yaml_node *v = iv_yaml_at(iv_yaml_at(iv_yaml_root(r.doc), "b"), "k");
    cr_expect(iv_str_eq(v->text, IV_STR("v")));
    done(&r);
}

Test(yaml, a_document_that_explodes_is_refused)
{
    struct iv_buf text;
    iv_buf_init(&text, 1u << 20);
    iv_buf_text(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 9; i++) {
        iv_buf_printf(&text, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++) {
            iv_buf_printf(&text, "%s*a%d", k == 0 ? "" : ", ", i - 1);
        }
        iv_buf_text(&text, "]\n");
    }
    struct read r = read_yaml(text.p);

    cr_expect(eq(int, (int)r.rc.code, (int)IV_E_REFUSED));
    cr_expect(ne(ptr, strstr(r.rendered.p, "too large with its aliases written out"), NULL));
    done(&r);
    iv_buf_deinit(&text);
}

Test(yaml, a_document_that_is_too_deep_is_refused)
{
    struct iv_buf text;
    iv_buf_init(&text, 1u << 20);
    for (int i = 0; i < 10000; i++) {
        iv_buf_char(&text, '[');
    }
    struct read r = read_yaml(text.p);

    cr_expect(eq(int, (int)r.rc.code, (int)IV_E_REFUSED));
    cr_expect(ne(ptr, strstr(r.rendered.p, "nested too deep"), NULL));
    done(&r);
    iv_buf_deinit(&text);
}

Test(yaml, plain_scalars_have_types_and_quoted_ones_are_strings)
{
    static const struct {
        const char *text;
        enum iv_kind kind;
    } rows[] = {
        {"a: 5", IV_KIND_INT},
        {"a: -5", IV_KIND_INT},
        {"a: 5.0", IV_KIND_DOUBLE},
        {"a: 1e3", IV_KIND_DOUBLE},
        {"a: .5", IV_KIND_DOUBLE},
        {"a: 5m", IV_KIND_DURATION},
        {"a: 30d", IV_KIND_DURATION},
        {"a: 1h30m", IV_KIND_DURATION},
        {"a: '5m'", IV_KIND_STRING},
        {"a: true", IV_KIND_BOOL},
        {"a: \"true\"", IV_KIND_STRING},
        {"a: ~", IV_KIND_NULL},
        {"a:", IV_KIND_NULL},
        {"a: yes", IV_KIND_STRING},
        {"a: 2026-01-01T00:00:00Z", IV_KIND_TIMESTAMP},
        {"a: 2026-01-01", IV_KIND_STRING},
        {"a: 1.2.3", IV_KIND_STRING},
        {"a: [1]", IV_KIND_LIST},
        {"a: {b: 1}", IV_KIND_MAP},
        {"a: 0s", IV_KIND_DURATION},
        {"a: 0", IV_KIND_INT},
        {"a: .", IV_KIND_STRING},
        {"a: 1e", IV_KIND_STRING},
        {"a: '2026-01-01T00:00:00Z'", IV_KIND_STRING},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct read r = read_yaml(rows[i].text);
        struct iv_arena arena;
        iv_arena_init(&arena, 0);
        struct iv_val v;

        cr_assert(iv_yaml_value(&v, &arena, iv_yaml_at(iv_yaml_root(r.doc), "a")));

        cr_expect(eq(int, v.kind, (int)rows[i].kind), "%s", rows[i].text);
        iv_arena_deinit(&arena);
        done(&r);
    }
}

static bool home(void *ctx, struct iv_str *out, struct iv_str name)
{
    (void)ctx;
    *out = IV_STR("/home/x");
    return iv_str_eq(name, IV_STR("HOME"));
}

Test(yaml, variables_are_put_in_where_they_are_asked_for)
{
    static const struct iv_yaml_variables variables = {home, NULL};
    struct read r = read_with("a: \"${HOME}/y $${HOME} ${\"\nb: ${NONE}\n", &variables);

    struct iv_str a = iv_yaml_at(iv_yaml_root(r.doc), "a")->text;
    cr_expect(iv_str_eq(a, IV_STR("/home/x/y ${HOME} ${")), "" IV_STR_FMT, IV_STR_ARG(a));
    cr_expect(eq(str, r.rendered.p,
                 "t.yaml:2:4: error: there is no environment variable 'NONE'\nb: ${NONE}\n   ^~~~~~~\n"));
    done(&r);
}

Test(yaml_fields, mistakes_of_a_mapping_are_all_reported_in_order_of_their_places)
{
    struct read r = read_yaml("topics: x\nlateness: soon\ngrade: compleet\ncount: 70\n");
    struct iv_yaml_map map;
    struct iv_str topic;
    iv_ns lateness = 0;
    size_t grade = 0;
    int64_t count = 0;
    static const char *const grades[] = {"complete", "best_effort"};

    cr_expect(iv_yaml_open(&map, iv_yaml_root(r.doc), "stream", r.problems));
    cr_expect(not(iv_yaml_choice(&grade, iv_yaml_get(&map, "grade"), grades, 2, r.problems)));
    cr_expect(not(iv_yaml_duration(&lateness, iv_yaml_get(&map, "lateness"), r.problems)));
    cr_expect(not(iv_yaml_int(&count, iv_yaml_get(&map, "count"), 1, 64, r.problems)));
    cr_expect(not(iv_yaml_string(&topic, iv_yaml_need(&map, "topic"), r.problems)));
    iv_yaml_close(&map);

    cr_expect(
        eq(str, (char *)render_again(&r),
           "t.yaml:1:1: error: stream lacks the key 'topic'\ntopics: x\n^~~~~~~~~\n"
           "t.yaml:1:1: error: unknown key 'topics' in stream, did you mean 'topic'?\ntopics: x\n^~~~~~\n"
           "t.yaml:2:11: error: must be a duration such as 250ms, 5m or 30d, not 'soon'\nlateness: soon\n"
           "          ^~~~\n"
           "t.yaml:3:8: error: must be complete or best_effort, not 'compleet', did you mean 'complete'?\n"
           "grade: compleet\n       ^~~~~~~~\n"
           "t.yaml:4:8: error: must be from 1 to 64, not 70\ncount: 70\n       ^~\n"));
    done(&r);
}

Test(rule_text, is_what_a_file_says_of_the_rule_and_nothing_where_it_has_none)
{
    static const struct {
        const char *file;
        const char *want;
    } rows[] = {
        {"rules:\n  - id: A-1\n    title: one\n  - id: A-2\n    title: two\n", "id: A-2\n    title: two"},
        {"rules:\n- {id: \"A-2\", title: two}\n", "{id: \"A-2\", title: two}"},
        {"rules:\n  - id: A-22\n  - A-2\n  - [A-2]\n  - title: A-2\n", ""},
        {"rules: [A-2]\n", ""},
        {"rules: {id: A-2}\n", ""},
        {"- id: A-2\n", ""},
        {"# A-2\n", ""},
        {"\tA-2: [", ""},
        {"", ""},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_err err = {.text = ""};
        IV_AUTO(iv_buf_deinit) struct iv_buf text;
        iv_buf_init(&text, 1024);
        cr_assert(iv_ok(iv_rule_text(&text, iv_str_of(rows[i].file), IV_STR("A-2"), &err)), "%s", err.text);
        struct iv_str got = iv_buf_slice(&text);
        while (got.n > 0 && got.p[got.n - 1] == '\n') {
            got.n--;
        }
        cr_expect(iv_str_eq(got, iv_str_of(rows[i].want)), "row %zu: '" IV_STR_FMT "'", i, IV_STR_ARG(got));
    }
}
