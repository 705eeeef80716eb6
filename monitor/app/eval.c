/* SPDX-License-Identifier: Apache-2.0 */
/* invigil eval: one CEL expression, for people who write rules. */
#include "app/command.h"
#include "app/eval_scope.h"
#include "base/buf.h"
#include "base/guard.h"
#include "base/utf8.h"

#include <stdio.h>

#define VALUE_BYTES_MAX ((size_t)64 << 20)
#define OUTPUT_BYTES_MAX ((size_t)256 << 20)

struct eval_args {
    struct iv_words binds;
    struct iv_words events;
    bool disable_check;
};

/* The line of the source that holds the offset. */
struct place {
    struct iv_str line;
    size_t number; /* from 1 */
    size_t before; /* bytes of the line before the offset */
};

static struct place find_place(struct iv_str source, size_t offset)
{
    struct place p = {.number = 1};
    size_t start = 0;
    offset = offset < source.n ? offset : source.n;
    for (size_t i = 0; i < offset; i++) {
        if (source.p[i] == '\n') {
            p.number++;
            start = i + 1;
        }
    }
    const char *end = memchr(source.p + start, '\n', source.n - start);
    p.line =
        (struct iv_str){source.p + start, end == NULL ? source.n - start : (size_t)(end - source.p) - start};
    p.before = offset - start;
    return p;
}

/* "LINE:COLUMN: error: …", the line, and a caret under the character; tabs stay tabs so
 * that it stands there. */
static void print_error(struct iv_str source, size_t offset, size_t length, const char *text)
{
    struct place p = find_place(source, offset);
    size_t column = iv_utf8_count((struct iv_str){p.line.p, p.before}) + 1;
    (void)fprintf(stderr, "%zu:%zu: error: %s\n" IV_STR_FMT "\n", p.number, column, text, IV_STR_ARG(p.line));
    for (size_t i = 0; i < p.before; i++) {
        if (((unsigned char)p.line.p[i] & 0xc0) != 0x80) {
            (void)fputc(p.line.p[i] == '\t' ? '\t' : ' ', stderr);
        }
    }
    size_t left = p.line.n - p.before;
    size_t width = iv_utf8_count((struct iv_str){p.line.p + p.before, length < left ? length : left});
    (void)fputc('^', stderr);
    for (size_t i = 1; i < width; i++) {
        (void)fputc('~', stderr);
    }
    (void)fputc('\n', stderr);
}

static iv_rc print_value(const struct iv_eval_scope *scope, struct iv_cel_frame *frame,
                         const struct iv_val *v, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    struct iv_val plain;
    iv_buf_init(&text, OUTPUT_BYTES_MAX);
    TRY(iv_eval_scope_plain(&plain, scope, v, &frame->arena, err));
    iv_val_json(&text, &plain);
    iv_buf_char(&text, '\n');
    ENSURE(!iv_buf_failed(&text), err, IV_E_EVAL, "the value is too large to print");
    size_t written = fwrite(text.p, 1, text.n, stdout);
    ENSURE(written == text.n && fflush(stdout) == 0, err, IV_E_IO, "cannot write to standard output");
    return IV_OK;
}

static iv_rc run_program(const struct iv_cel_prog *prog, const struct iv_eval_scope *scope,
                         struct iv_err *err)
{
    IV_AUTO(iv_cel_frame_deinit) struct iv_cel_frame frame;
    struct iv_val v;
    iv_cel_frame_init(&frame, VALUE_BYTES_MAX);
    frame.bank[0] = iv_eval_scope_bank(scope);
    struct iv_rc_s rc = iv_cel_run(prog, &frame, &v, err);
    if (!iv_ok(rc)) {
        print_error(iv_cel_prog_source(prog), frame.error_offset, 1, err->text);
        err->text[0] = '\0'; /* all is said */
        return rc;
    }
    return print_value(scope, &frame, &v, err);
}

static iv_rc evaluate(const struct eval_args *a, struct iv_str source, struct iv_err *err)
{
    IV_AUTO(iv_eval_scope_freep) struct iv_eval_scope *scope = NULL;
    IV_AUTO(iv_cel_prog_freep) struct iv_cel_prog *prog = NULL;
    IV_AUTO(iv_cel_diags_deinit) struct iv_cel_diags diags = {NULL, 0};
    const struct iv_cel_options options = {.no_check = a->disable_check};
    TRY(iv_eval_scope_new(&scope, &a->binds, &a->events, err));
    struct iv_rc_s rc = iv_cel_compile(&prog, iv_eval_scope_env(scope), source, &options, &diags, err);
    for (size_t i = 0; !iv_ok(rc) && i < diags.count; i++) {
        print_error(source, diags.items[i].offset, diags.items[i].length, diags.items[i].text);
        err->text[0] = '\0';
    }
    TRY(rc);
    return run_program(prog, scope, err);
}

static int eval_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    return iv_exit_of(evaluate(args, iv_str_of(words->items[0]), err));
}

static const struct iv_flag eval_flags[] = {
    {.name = "bind",
     .kind = IV_FLAG_LIST,
     .value = "NAME=JSON",
     .offset = offsetof(struct eval_args, binds),
     .doc = "Gives a name a value; the name may be dotted."},
    {.name = "event",
     .kind = IV_FLAG_LIST,
     .value = "NAME=FILE",
     .offset = offsetof(struct eval_args, events),
     .doc = "Gives a name to the event in a file, with its type's fields."},
    {.name = "disable-check",
     .kind = IV_FLAG_BOOL,
     .offset = offsetof(struct eval_args, disable_check),
     .doc = "Skips the type check."},
};

const struct iv_command iv_command_eval = {
    .name = "eval",
    .synopsis = "EXPRESSION [--bind NAME=JSON]… [--event NAME=FILE]… [--disable-check]",
    .doc = "Evaluates one CEL expression, for people who write rules.",
    .details =
        "Prints the value as JSON; an error, with its line and column, goes to standard error. There is no\n"
        "baseline here, so receipt_valid knows no key and is false.",
    .flags = eval_flags,
    .flag_count = IV_COUNT(eval_flags),
    .args_size = sizeof(struct eval_args),
    .min_words = 1,
    .max_words = 1,
    .dashed_words = true,
    .run = eval_run,
};
