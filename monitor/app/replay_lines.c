/* SPDX-License-Identifier: Apache-2.0 */
#include "app/replay_lines.h"
#include "base/alloc.h"
#include "base/guard.h"

#include <errno.h>
#include <stdlib.h>

#define BUFFER_BYTES ((size_t)64 << 10)

iv_rc iv_lines_open(struct iv_lines *lines, const char *path, bool sort, struct iv_err *err)
{
    *lines = (struct iv_lines){.name = path, .sort = sort};
    iv_arena_init(&lines->arena, 0);
    if (path == NULL) {
        return IV_OK;
    }
    if (strcmp(path, "-") == 0) {
        lines->name = "standard output";
        lines->to = stdout;
    } else {
        lines->to = fopen(path, "we");
        ENSURE(lines->to != NULL, err, IV_E_IO, "cannot write '%s': %s", path, strerror(errno));
    }
    (void)setvbuf(lines->to, NULL, _IOFBF, BUFFER_BYTES);
    return IV_OK;
}

void iv_lines_close(struct iv_lines *lines)
{
    if (lines->to != NULL && lines->to != stdout) {
        (void)fclose(lines->to);
    }
    iv_arena_deinit(&lines->arena);
    iv_free(lines->items);
    *lines = (struct iv_lines){.to = NULL};
}

void iv_lines_put_text(struct iv_lines *lines, struct iv_str text)
{
    if (lines->to != NULL &&
        (fwrite(text.p, 1, text.n, lines->to) != text.n || putc('\n', lines->to) == EOF)) {
        lines->failed = true;
    }
}

static bool make_room(struct iv_lines *lines)
{
    if (lines->count < lines->room) {
        return true;
    }
    size_t room = lines->room == 0 ? 256 : 2 * lines->room;
    struct iv_line *items = iv_realloc(lines->items, room * sizeof *items);
    if (items == NULL) {
        return false;
    }
    lines->items = items;
    lines->room = room;
    return true;
}

static void keep(struct iv_lines *lines, const struct iv_verdict *verdict, struct iv_str text)
{
    if (!make_room(lines)) {
        lines->no_memory = true;
        return;
    }
    struct iv_line *line = &lines->items[lines->count];
    *line = (struct iv_line){.time = verdict->trigger.time,
                             .source = iv_arena_str(&lines->arena, verdict->trigger.source),
                             .id = iv_arena_str(&lines->arena, verdict->trigger.id),
                             .rule = verdict->rule->id,
                             .text = iv_arena_str(&lines->arena, text),
                             .number = lines->count};
    memcpy(line->uid, verdict->uid, sizeof line->uid);
    lines->no_memory |= line->source.p == NULL || line->id.p == NULL || line->text.p == NULL;
    lines->count++;
}

void iv_lines_put(struct iv_lines *lines, const struct iv_verdict *verdict, struct iv_str text)
{
    if (lines->to == NULL) {
        return;
    }
    if (lines->sort) {
        keep(lines, verdict, text);
    } else {
        iv_lines_put_text(lines, text);
    }
}

static int by_uid(const void *a, const void *b)
{
    const struct iv_line *x = a;
    const struct iv_line *y = b;
    int c = memcmp(x->uid, y->uid, sizeof x->uid);
    return c != 0 ? c : (x->number > y->number) - (x->number < y->number);
}

int iv_line_cmp(const struct iv_line *a, const struct iv_line *b)
{
    int c = (a->time > b->time) - (a->time < b->time);
    c = c != 0 ? c : iv_str_cmp(a->source, b->source);
    c = c != 0 ? c : iv_str_cmp(a->id, b->id);
    c = c != 0 ? c : iv_str_cmp(a->rule, b->rule);
    return c != 0 ? c : memcmp(a->uid, b->uid, sizeof a->uid);
}

static int in_order(const void *a, const void *b)
{
    return iv_line_cmp(a, b);
}

/* Of the lines of one verdict the last stays. */
static void merge(struct iv_lines *lines)
{
    size_t kept = 0;
    for (size_t i = 0; i < lines->count; i++) {
        bool again =
            i + 1 < lines->count && memcmp(lines->items[i].uid, lines->items[i + 1].uid, IV_UID_BYTES) == 0;
        if (!again) {
            lines->items[kept++] = lines->items[i];
        }
    }
    lines->count = kept;
}

iv_rc iv_lines_settle(struct iv_lines *lines, struct iv_err *err)
{
    ENSURE(!lines->no_memory, err, IV_E_NOMEM, "cannot remember all lines of %s to sort them", lines->name);
    if (lines->count > 0) {
        qsort(lines->items, lines->count, sizeof *lines->items, by_uid);
        merge(lines);
    }
    return IV_OK;
}

iv_rc iv_lines_finish(struct iv_lines *lines, struct iv_err *err)
{
    if (lines->to == NULL) {
        return IV_OK;
    }
    TRY(iv_lines_settle(lines, err));
    if (lines->count > 0) {
        qsort(lines->items, lines->count, sizeof *lines->items, in_order);
    }
    for (size_t i = 0; i < lines->count; i++) {
        iv_lines_put_text(lines, lines->items[i].text);
    }
    lines->count = 0;
    errno = 0;
    bool flushed = fflush(lines->to) == 0;
    ENSURE(flushed && !lines->failed, err, IV_E_IO, "cannot write %s: %s", lines->name,
           errno != 0 ? strerror(errno) : "it took no more");
    return IV_OK;
}
