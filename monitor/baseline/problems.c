/* SPDX-License-Identifier: Apache-2.0 */
#include "baseline/problems.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/guard.h"

/* Nobody reads more, and a hostile text must not fill memory with complaints. */
#define PROBLEMS_MAX 1000u

struct iv_problems {
    struct iv_arena arena;
    struct entry {
        struct iv_problem problem;
        size_t file_rank;
    } * entries;
    size_t count;
    size_t capacity;
    size_t errors;
    struct seen {
        struct seen *next;
        struct iv_str file;
        size_t rank;
    } * seen;
    bool failed;
    bool secrets;
};

struct iv_rc_s iv_problems_new(struct iv_problems **out, struct iv_err *err)
{
    struct iv_problems *p = iv_calloc(1, sizeof *p);
    ENSURE(p != NULL, err, IV_E_NOMEM, "cannot allocate a list of problems");
    iv_arena_init(&p->arena, 0);
    *out = p;
    return IV_OK;
}

void iv_problems_free(struct iv_problems *problems)
{
    if (problems != NULL) {
        iv_arena_deinit(&problems->arena);
        iv_free(problems->entries);
        iv_free(problems);
    }
}

void iv_problems_freep(struct iv_problems **problems)
{
    iv_problems_free(*problems);
    *problems = NULL;
}

void iv_problems_keep_secrets(struct iv_problems *problems)
{
    problems->secrets = true;
}

static bool make_room(struct iv_problems *p)
{
    if (p->count < p->capacity) {
        return true;
    }
    size_t capacity = p->capacity == 0 ? 16 : p->capacity * 2;
    struct entry *grown = iv_realloc(p->entries, capacity * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    p->entries = grown;
    p->capacity = capacity;
    return true;
}

static size_t rank_of(struct iv_problems *p, struct iv_str file)
{
    for (const struct seen *f = p->seen; f != NULL; f = f->next) {
        if (iv_str_eq(f->file, file)) {
            return f->rank;
        }
    }
    struct seen *f = iv_arena_alloc(&p->arena, sizeof *f);
    struct iv_str copy = iv_arena_str(&p->arena, file);
    if (f == NULL || copy.p == NULL) {
        p->failed = true;
        return 0;
    }
    *f = (struct seen){p->seen, copy, p->seen == NULL ? 0 : p->seen->rank + 1};
    p->seen = f;
    return f->rank;
}

void iv_problems_see(struct iv_problems *problems, struct iv_str file)
{
    (void)rank_of(problems, file);
}

static int order(const struct entry *a, const struct entry *b)
{
    if (a->file_rank != b->file_rank) {
        return a->file_rank < b->file_rank ? -1 : 1;
    }
    if (a->problem.at.line != b->problem.at.line) {
        return a->problem.at.line < b->problem.at.line ? -1 : 1;
    }
    if (a->problem.at.column != b->problem.at.column) {
        return a->problem.at.column < b->problem.at.column ? -1 : 1;
    }
    return 0;
}

/* The line up to the last character that is underlined. */
static struct iv_str cut(const struct iv_problem *problem)
{
    size_t left = (size_t)problem->at.column - 1 + problem->width;
    size_t n = 0;
    while (n < problem->line.n && left > 0) {
        do {
            n++;
        } while (n < problem->line.n && ((unsigned char)problem->line.p[n] & 0xc0) == 0x80);
        left--;
    }
    return (struct iv_str){problem->line.p, n};
}

static bool copy_into(struct iv_problems *p, struct iv_problem *problem)
{
    problem->at.file = iv_arena_str(&p->arena, problem->at.file);
    problem->text = iv_arena_str(&p->arena, problem->text);
    if (problem->line.p != NULL) {
        problem->line = iv_arena_str(&p->arena, p->secrets ? cut(problem) : problem->line);
        if (problem->line.p == NULL) {
            return false;
        }
    }
    return problem->at.file.p != NULL && problem->text.p != NULL;
}

void iv_problems_add(struct iv_problems *problems, const struct iv_problem *problem)
{
    problems->errors += !problem->warning;
    if (problems->count >= PROBLEMS_MAX) {
        return;
    }
    if (!make_room(problems)) {
        problems->failed = true;
        return;
    }
    struct entry entry = {*problem, rank_of(problems, problem->at.file)};
    size_t place = problems->count;
    while (place > 0 && order(&entry, &problems->entries[place - 1]) < 0) {
        place--;
    }
    for (size_t i = place; i > 0 && order(&entry, &problems->entries[i - 1]) == 0; i--) {
        if (iv_str_eq(problems->entries[i - 1].problem.text, problem->text)) {
            problems->errors -= !problem->warning;
            return;
        }
    }
    if (!copy_into(problems, &entry.problem)) {
        problems->failed = true;
        return;
    }
    memmove(problems->entries + place + 1, problems->entries + place,
            (problems->count - place) * sizeof entry);
    problems->entries[place] = entry;
    problems->count++;
}

size_t iv_problems_errors(const struct iv_problems *problems)
{
    return problems->errors;
}

/* What would move a terminal's cursor is shown as a space. */
static void render_line(struct iv_buf *out, struct iv_str line)
{
    for (size_t i = 0; i < line.n; i++) {
        bool control = ((unsigned char)line.p[i] < 0x20 && line.p[i] != '\t') || line.p[i] == 0x7f;
        iv_buf_char(out, control ? ' ' : line.p[i]);
    }
    iv_buf_char(out, '\n');
}

/* The caret stands under its character: tabs are repeated, all else is a column of one. */
static void render_caret(struct iv_buf *out, const struct iv_problem *problem)
{
    uint32_t column = 1;
    for (size_t i = 0; i < problem->line.n && column < problem->at.column; i++) {
        unsigned char c = (unsigned char)problem->line.p[i];
        if ((c & 0xc0) != 0x80) {
            iv_buf_char(out, c == '\t' ? '\t' : ' ');
            column++;
        }
    }
    iv_buf_char(out, '^');
    for (uint32_t i = 1; i < problem->width; i++) {
        iv_buf_char(out, '~');
    }
    iv_buf_char(out, '\n');
}

void iv_problems_render(struct iv_buf *out, const struct iv_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct iv_problem *p = &problems->entries[i].problem;
        iv_buf_printf(out, IV_STR_FMT ":%u:%u: %s: " IV_STR_FMT "\n", IV_STR_ARG(p->at.file), p->at.line,
                      p->at.column, p->warning ? "warning" : "error", IV_STR_ARG(p->text));
        if (p->line.p != NULL) {
            render_line(out, p->line);
            render_caret(out, p);
        }
    }
    if (problems->count == PROBLEMS_MAX) {
        iv_buf_text(out, "more problems are not shown\n");
    }
}

struct iv_rc_s iv_problems_done(const struct iv_problems *problems, const char *what, struct iv_err *err)
{
    ENSURE(!problems->failed, err, IV_E_NOMEM, "cannot allocate the list of problems of %s", what);
    if (problems->errors == 0) {
        return IV_OK;
    }
    const struct iv_problem *first = &problems->entries[0].problem;
    for (size_t i = 0; i < problems->count && first->warning; i++) {
        first = &problems->entries[i].problem;
    }
    return iv_err_set(err, IV_E_REFUSED,
                      "%s is refused with %zu error%s, the first at " IV_STR_FMT ":%u:%u: " IV_STR_FMT, what,
                      problems->errors, problems->errors == 1 ? "" : "s", IV_STR_ARG(first->at.file),
                      first->at.line, first->at.column, IV_STR_ARG(first->text));
}
