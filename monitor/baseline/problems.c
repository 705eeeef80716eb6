/* SPDX-License-Identifier: Apache-2.0 */
#include "baseline/problems.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/guard.h"

/* Nobody reads more, and a hostile text must not fill memory with complaints. */
#define PROBLEMS_MAX 1000u
#define EXCERPT_MAX 240u      /* characters of a line that are shown */
#define BEFORE_CARET_MAX 100u /* of them before the caret */

struct iv_problems {
    struct iv_arena arena;
    struct entry {
        struct iv_problem problem; /* its line and width are those of the excerpt that is shown */
        uint32_t caret;            /* its column in the excerpt, from 1 */
        size_t file_rank;
    } * entries;
    size_t count;
    size_t capacity;
    size_t errors;
    size_t unseen; /* that found no room */
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

/* The bytes of the line's first so many characters. */
static size_t bytes_of(struct iv_str line, size_t characters)
{
    size_t n = 0;
    while (n < line.n && characters > 0) {
        do {
            n++;
        } while (n < line.n && ((unsigned char)line.p[n] & 0xc0) == 0x80);
        characters--;
    }
    return n;
}

/* Of a line that is longer than anybody reads, the part around the caret. */
static bool take_excerpt(struct iv_problems *p, struct entry *entry)
{
    struct iv_problem *problem = &entry->problem;
    size_t before = problem->at.column - 1;
    struct iv_str line = problem->line;
    if (p->secrets) { /* up to the last character that is underlined */
        line.n = bytes_of(line, before + problem->width);
    }
    size_t skipped =
        before > BEFORE_CARET_MAX && bytes_of(line, EXCERPT_MAX) < line.n ? before - BEFORE_CARET_MAX : 0;
    size_t begin = bytes_of(line, skipped);
    struct iv_str rest = {line.p + begin, line.n - begin};
    size_t end = bytes_of(rest, EXCERPT_MAX);
    problem->line = iv_arena_printf(&p->arena, "%s" IV_STR_FMT "%s", skipped > 0 ? "…" : "", (int)end, rest.p,
                                    end < rest.n ? "…" : "");
    entry->caret = (uint32_t)(before - skipped + (skipped > 0 ? 2 : 1));
    size_t room = EXCERPT_MAX - (before - skipped < EXCERPT_MAX ? before - skipped : EXCERPT_MAX - 1);
    problem->width = problem->width < room ? problem->width : (uint32_t)room;
    return problem->line.p != NULL;
}

static bool copy_into(struct iv_problems *p, struct entry *entry)
{
    struct iv_problem *problem = &entry->problem;
    problem->at.file = iv_arena_str(&p->arena, problem->at.file);
    problem->text = iv_arena_str(&p->arena, problem->text);
    return (problem->line.p == NULL || take_excerpt(p, entry)) && problem->at.file.p != NULL &&
           problem->text.p != NULL;
}

void iv_problems_add(struct iv_problems *problems, const struct iv_problem *problem)
{
    problems->errors += !problem->warning;
    if (problems->count >= PROBLEMS_MAX) {
        problems->unseen++;
        return;
    }
    if (!make_room(problems)) {
        problems->failed = true;
        return;
    }
    struct entry entry = {*problem, 1, rank_of(problems, problem->at.file)};
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
    if (!copy_into(problems, &entry)) {
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

size_t iv_problems_each(const struct iv_problems *problems, iv_problem_fn fn, void *ctx)
{
    for (size_t i = 0; i < problems->count; i++) {
        fn(ctx, &problems->entries[i].problem);
    }
    return problems->unseen;
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
static void render_caret(struct iv_buf *out, const struct iv_problem *problem, uint32_t caret)
{
    uint32_t column = 1;
    for (size_t i = 0; i < problem->line.n && column < caret; i++) {
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
            render_caret(out, p, problems->entries[i].caret);
        }
    }
    if (problems->unseen > 0) {
        iv_buf_printf(out, "%zu more problem%s not shown\n", problems->unseen,
                      problems->unseen == 1 ? " is" : "s are");
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
