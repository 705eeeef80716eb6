/* SPDX-License-Identifier: Apache-2.0 */
#include "app/replay_changes.h"
#include "base/alloc.h"
#include "base/guard.h"

#include <errno.h>
#include <stdlib.h>

struct change {
    const struct iv_line *line;
    bool gained;
};

static int by_rule(const void *a, const void *b)
{
    const struct change *x = a;
    const struct change *y = b;
    int c = iv_str_cmp(x->line->rule, y->line->rule);
    c = c != 0 ? c : iv_line_cmp(x->line, y->line);
    return c != 0 ? c : (int)x->gained - (int)y->gained;
}

/* What stands in one list only; both are sorted by uid. */
static size_t differ(struct change *out, const struct iv_lines *before, const struct iv_lines *after)
{
    size_t count = 0;
    size_t i = 0;
    size_t k = 0;
    while (i < before->count || k < after->count) {
        int c = i == before->count  ? 1
                : k == after->count ? -1
                                    : memcmp(before->items[i].uid, after->items[k].uid, IV_UID_BYTES);
        if (c < 0) {
            out[count++] = (struct change){&before->items[i], false};
        } else if (c > 0) {
            out[count++] = (struct change){&after->items[k], true};
        }
        i += c <= 0;
        k += c >= 0;
    }
    return count;
}

/* "TOK-002: 3 gained, 1 lost", before the first of a rule. */
static void heading(FILE *out, const struct change *changes, size_t at, size_t count)
{
    struct iv_str rule = changes[at].line->rule;
    if (at > 0 && iv_str_eq(rule, changes[at - 1].line->rule)) {
        return;
    }
    size_t gained = 0;
    size_t n = 0;
    for (; at + n < count && iv_str_eq(rule, changes[at + n].line->rule); n++) {
        gained += changes[at + n].gained;
    }
    (void)fprintf(out, IV_STR_FMT ": %zu gained, %zu lost\n", IV_STR_ARG(rule), gained, n - gained);
}

static void print(FILE *out, const struct change *changes, size_t count, bool table)
{
    for (size_t i = 0; i < count; i++) {
        struct iv_str text = changes[i].line->text;
        if (table) {
            heading(out, changes, i, count);
            (void)fprintf(out, "%c %s\n", changes[i].gained ? '+' : '-', text.p);
        } else {
            (void)fprintf(out, "{\"change\":\"%s\",%s\n", changes[i].gained ? "gained" : "lost", text.p + 1);
        }
    }
}

iv_rc iv_replay_changes(uint64_t *changes, struct iv_lines *before, struct iv_lines *after, bool table,
                        FILE *out, struct iv_err *err)
{
    TRY(iv_lines_settle(before, err));
    TRY(iv_lines_settle(after, err));
    IV_AUTO(iv_freep) struct change *all = iv_calloc(before->count + after->count + 1, sizeof *all);
    ENSURE(all != NULL, err, IV_E_NOMEM, "cannot compare %zu violations with %zu", before->count,
           after->count);
    size_t count = differ(all, before, after);
    if (count > 0) {
        qsort(all, count, sizeof *all, by_rule);
    }
    print(out, all, count, table);
    errno = 0;
    ENSURE(fflush(out) == 0 && !ferror(out), err, IV_E_IO, "cannot write standard output: %s",
           errno != 0 ? strerror(errno) : "it took no more");
    *changes = count;
    return IV_OK;
}
