/* SPDX-License-Identifier: Apache-2.0 */
/* Places: from a byte of a scalar's value back to the byte of the source that it was written as, and from
 * there to lines, columns and carets. */
#include "baseline/yaml_internal.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

size_t iv_yaml_break(const char *p, size_t left)
{
    if (left >= 2 && p[0] == '\r' && p[1] == '\n') {
        return 2;
    }
    if (left >= 1 && (p[0] == '\r' || p[0] == '\n')) {
        return 1;
    }
    if (left >= 2 && memcmp(p, "\xc2\x85", 2) == 0) {
        return 2;
    }
    if (left >= 3 && (memcmp(p, "\xe2\x80\xa8", 3) == 0 || memcmp(p, "\xe2\x80\xa9", 3) == 0)) {
        return 3;
    }
    return 0;
}

bool iv_yaml_index_lines(struct iv_yaml *document)
{
    struct iv_str text = document->text;
    size_t count = 1;
    size_t *starts = NULL;
    for (int pass = 0; pass < 2; pass++) {
        count = 1;
        for (size_t i = 0; i < text.n;) {
            size_t step = iv_yaml_break(text.p + i, text.n - i);
            i += step == 0 ? 1 : step;
            if (step > 0 && pass == 1) {
                starts[count] = i;
            }
            count += step > 0;
        }
        if (pass == 0) {
            starts = iv_arena_zalloc(&document->arena, count * sizeof *starts);
            if (starts == NULL) {
                return false;
            }
        }
    }
    document->line_starts = starts;
    document->line_count = count;
    return true;
}

static size_t line_of(const struct iv_yaml *document, size_t offset)
{
    size_t low = 0;
    size_t high = document->line_count;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (document->line_starts[mid] <= offset) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return low;
}

static struct iv_str line_text(const struct iv_yaml *document, size_t line)
{
    size_t start = document->line_starts[line];
    size_t end = start;
    while (end < document->text.n && iv_yaml_break(document->text.p + end, document->text.n - end) == 0) {
        end++;
    }
    return (struct iv_str){document->text.p + start, end - start};
}

void iv_yaml_problem(struct iv_problems *problems, const struct iv_yaml *document, size_t start, size_t end,
                     bool warning, struct iv_str text)
{
    start = start > document->text.n ? document->text.n : start;
    size_t line = line_of(document, start);
    struct iv_str shown = line_text(document, line);
    size_t begin = document->line_starts[line];
    size_t line_end = begin + shown.n;
    end = end > line_end ? line_end : end;
    struct iv_problem problem = {
        .at = {document->file, (uint32_t)line + 1,
               1 + (uint32_t)iv_utf8_count((struct iv_str){document->text.p + begin, start - begin})},
        .warning = warning,
        .text = text,
        .line = shown,
        .width = 1,
    };
    if (end > start) {
        struct iv_str marked = {document->text.p + start, end - start};
        while (marked.n > 1 && (marked.p[marked.n - 1] == ' ' || marked.p[marked.n - 1] == '\t')) {
            marked.n--;
        }
        problem.width = (uint32_t)iv_utf8_count(marked);
    }
    iv_problems_add(problems, &problem);
}

struct iv_position iv_yaml_position(const struct iv_yaml_node *node)
{
    return (struct iv_position){node->document->file, node->line, node->column};
}

struct iv_str iv_yaml_source(const struct iv_yaml_node *node)
{
    struct iv_str s = {node->document->text.p + node->start, node->end - node->start};
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r')) {
        s.n--;
    }
    return s;
}

static void report(struct iv_problems *problems, const struct iv_yaml_node *node, size_t start, size_t end,
                   bool warning, const char *format, va_list args)
{
    char text[1024];
    (void)vsnprintf(text, sizeof text, format, args);
    iv_yaml_problem(problems, node->document, start, end, warning, iv_str_of(text));
}

void iv_yaml_error(struct iv_problems *problems, const struct iv_yaml_node *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(problems, node, node->start, node->end, false, format, args);
    va_end(args);
}

void iv_yaml_warning(struct iv_problems *problems, const struct iv_yaml_node *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(problems, node, node->start, node->end, true, format, args);
    va_end(args);
}

static void report_inside(struct iv_problems *problems, const struct iv_yaml_node *scalar, size_t offset,
                          size_t length, bool warning, const char *format, va_list args)
{
    struct iv_str text = scalar->text;
    while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == ' ')) {
        text.n--; /* what is missing at the end is missing behind the last word */
    }
    size_t start = offset >= text.n && text.n > 0 ? iv_yaml_place(scalar, text.n - 1) + 1
                                                  : iv_yaml_place(scalar, offset);
    size_t end = length == 0 || offset >= text.n ? start : iv_yaml_place(scalar, offset + length - 1) + 1;
    report(problems, scalar, start, end, warning, format, args);
}

void iv_yaml_error_inside(struct iv_problems *problems, const struct iv_yaml_node *scalar, size_t offset,
                          size_t length, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report_inside(problems, scalar, offset, length, false, format, args);
    va_end(args);
}

void iv_yaml_warning_inside(struct iv_problems *problems, const struct iv_yaml_node *scalar, size_t offset,
                            size_t length, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report_inside(problems, scalar, offset, length, true, format, args);
    va_end(args);
}

/* Walks value and source side by side. */
struct walk {
    struct iv_str source;
    size_t s;
    size_t end;
    struct iv_str value;
    size_t v;
    size_t indent; /* of a block scalar's lines, in spaces */
};

static bool blank(const struct walk *w, size_t at)
{
    return at < w->end && (w->source.p[at] == ' ' || w->source.p[at] == '\t');
}

static size_t break_at(const struct walk *w, size_t at)
{
    return at < w->end ? iv_yaml_break(w->source.p + at, w->end - at) : 0;
}

/* Blanks that stand at the end of a line of a flow scalar are no part of it. */
static size_t blanks_before_break(const struct walk *w)
{
    size_t at = w->s;
    while (blank(w, at)) {
        at++;
    }
    return break_at(w, at) > 0 ? at - w->s : 0;
}

static void skip_indent(struct walk *w, bool block)
{
    for (size_t n = 0; (!block || n < w->indent) && blank(w, w->s) && (!block || w->source.p[w->s] == ' ');
         n++) {
        w->s++;
    }
}

/* A run of line breaks was folded to one space or to some newlines. */
static void step_breaks(struct walk *w, bool block)
{
    for (size_t n = break_at(w, w->s); n > 0; n = break_at(w, w->s)) {
        w->s += n;
        skip_indent(w, block);
    }
    if (w->v < w->value.n && w->value.p[w->v] == ' ') {
        w->v++;
        return;
    }
    while (w->v < w->value.n && w->value.p[w->v] == '\n') {
        w->v++;
    }
}

static size_t character_bytes(unsigned char lead)
{
    return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* YAML 1.2 5.7: an escape is a character, or x, u and U with 2, 4 and 8 digits; an
 * escaped break is nothing. */
static void step_escape(struct walk *w)
{
    w->s++;
    size_t n = break_at(w, w->s);
    if (n > 0) {
        w->s += n;
        skip_indent(w, false);
        return;
    }
    char c = w->s < w->end ? w->source.p[w->s] : '\0';
    w->s += c == 'x' ? 3 : c == 'u' ? 5 : c == 'U' ? 9 : 1;
    w->v += w->v < w->value.n ? character_bytes((unsigned char)w->value.p[w->v]) : 1;
}

static void step_flow(struct walk *w, enum iv_yaml_style style)
{
    size_t trailing = blanks_before_break(w);
    if (trailing > 0 || break_at(w, w->s) > 0) {
        w->s += trailing;
        step_breaks(w, false);
    } else if (style == IV_YAML_DOUBLE_QUOTED && w->source.p[w->s] == '\\') {
        step_escape(w);
    } else {
        bool pair =
            style == IV_YAML_SINGLE_QUOTED && w->end - w->s >= 2 && memcmp(w->source.p + w->s, "''", 2) == 0;
        w->s += pair ? 2 : 1;
        w->v++;
    }
}

/* Behind "|", ">" and their indicators; the indentation is that of the first line that is not blank. */
static void enter_block(struct walk *w)
{
    while (w->s < w->end && break_at(w, w->s) == 0) {
        w->s++;
    }
    size_t line = w->s;
    for (;;) {
        size_t n = break_at(w, line);
        if (n == 0) {
            break;
        }
        line += n;
        size_t at = line;
        while (at < w->end && w->source.p[at] == ' ') {
            at++;
        }
        if (break_at(w, at) == 0) {
            size_t shown = 0; /* spaces that the value keeps stand behind an explicit indentation */
            while (shown < w->value.n && w->value.p[shown] == ' ') {
                shown++;
            }
            w->indent = at - line > shown ? at - line - shown : 0;
            break;
        }
        line = at;
    }
    w->s += break_at(w, w->s);
    skip_indent(w, true);
}

size_t iv_yaml_place(const struct iv_yaml_node *scalar, size_t offset)
{
    struct walk w = {
        .source = scalar->document->text, .s = scalar->start, .end = scalar->end, .value = scalar->text};
    bool block = scalar->style == IV_YAML_LITERAL || scalar->style == IV_YAML_FOLDED;
    if (block) {
        enter_block(&w);
    } else if (scalar->style != IV_YAML_PLAIN) {
        w.s++;
    }
    while (w.v < offset && w.s < w.end) {
        if (!block) {
            step_flow(&w, scalar->style);
        } else if (break_at(&w, w.s) > 0) {
            step_breaks(&w, true);
        } else {
            w.s++;
            w.v++;
        }
    }
    while (scalar->style == IV_YAML_DOUBLE_QUOTED && w.s + 1 < w.end && w.source.p[w.s] == '\\' &&
           break_at(&w, w.s + 1) > 0) {
        step_escape(&w); /* an escaped break stands before the byte that was asked for */
    }
    return w.s;
}
