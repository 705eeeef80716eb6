/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/expected.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "fleet/plant_list.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES ((size_t)16 * 1024)
#define RULES_MAX 64
#define RULE_BYTES 16
#define PENDING_MIN 1024

struct iv_sim_expected {
    FILE *file; /* NULL: only counts */
    char path[4096];
    struct iv_buf line;
    struct iv_plant_list pending;
    size_t crowded; /* when so many are pending, those that are due are looked for */
    size_t count;
    size_t rules;
    struct {
        char rule[RULE_BYTES];
        size_t count;
    } by_rule[RULES_MAX];
};

iv_rc iv_sim_expected_new(struct iv_sim_expected **out, const char *path, struct iv_err *err)
{
    IV_AUTO(iv_sim_expected_freep) struct iv_sim_expected *e = iv_calloc(1, sizeof *e);
    ENSURE(e != NULL, err, IV_E_NOMEM, "cannot allocate what is expected");
    iv_buf_init(&e->line, LINE_MAX_BYTES);
    iv_plant_list_init(&e->pending);
    e->crowded = PENDING_MIN;
    if (path != NULL) {
        int n = snprintf(e->path, sizeof e->path, "%s", path);
        ENSURE(n > 0 && (size_t)n < sizeof e->path, err, IV_E_REFUSED, "the path '%s' is too long", path);
        e->file = fopen(path, "wxe");
        ENSURE(e->file != NULL || errno != EEXIST, err, IV_E_REFUSED,
               "'%s' is there already; it is not overwritten", path);
        ENSURE(e->file != NULL, err, IV_E_IO, "cannot create '%s': %s", path, strerror(errno));
    }
    *out = TAKE(e);
    return IV_OK;
}

void iv_sim_expected_free(struct iv_sim_expected *expected)
{
    if (expected != NULL) {
        if (expected->file != NULL) {
            (void)fclose(expected->file);
        }
        iv_buf_deinit(&expected->line);
        iv_plant_list_deinit(&expected->pending);
        iv_free(expected);
    }
}

void iv_sim_expected_freep(struct iv_sim_expected **expected)
{
    iv_sim_expected_free(*expected);
}

/* The rules stay in order of their ids. */
static void count(struct iv_sim_expected *e, struct iv_str rule)
{
    size_t at = 0;
    while (at < e->rules && iv_str_cmp(iv_str_of(e->by_rule[at].rule), rule) < 0) {
        at++;
    }
    if (at == e->rules || !iv_str_eq(iv_str_of(e->by_rule[at].rule), rule)) {
        IV_CHECK(e->rules < RULES_MAX && rule.n < RULE_BYTES);
        memmove(&e->by_rule[at + 1], &e->by_rule[at], (e->rules - at) * sizeof e->by_rule[0]);
        memcpy(e->by_rule[at].rule, rule.p, rule.n);
        e->by_rule[at].rule[rule.n] = '\0';
        e->by_rule[at].count = 0;
        e->rules++;
    }
    e->by_rule[at].count++;
    e->count++;
}

static void write_line(void *ctx, const struct iv_fleet_plant *plant)
{
    struct iv_sim_expected *e = ctx;
    count(e, plant->rule);
    if (e->file == NULL) {
        return;
    }
    iv_buf_clear(&e->line);
    iv_plant_write(&e->line, plant);
    iv_buf_char(&e->line, '\n');
    if (iv_buf_failed(&e->line)) {
        e->pending.failed = true;
    } else {
        (void)fwrite(e->line.p, 1, e->line.n, e->file); /* close asks how it went */
    }
}

/* What is not an absence is certain when it is told. */
void iv_sim_expected_add(void *ctx, const struct iv_fleet_plant *plant)
{
    struct iv_sim_expected *e = ctx;
    if (!plant->absence) {
        write_line(e, plant);
    } else {
        iv_plant_list_add(&e->pending, plant);
    }
}

void iv_sim_expected_pass(struct iv_sim_expected *e, iv_ns now)
{
    if (e->pending.count >= e->crowded) {
        iv_plant_list_take(&e->pending, now, write_line, e);
        e->crowded = 2 * e->pending.count < PENDING_MIN ? PENDING_MIN : 2 * e->pending.count;
    }
}

iv_rc iv_sim_expected_close(struct iv_sim_expected *e, iv_ns end, struct iv_err *err)
{
    iv_plant_list_take(&e->pending, end, write_line, e);
    ENSURE(!e->pending.failed, err, IV_E_NOMEM, "cannot remember what was planted");
    ENSURE(e->file == NULL || (fflush(e->file) == 0 && ferror(e->file) == 0), err, IV_E_IO,
           "cannot write '%s': %s", e->path, strerror(errno));
    return IV_OK;
}

size_t iv_sim_expected_count(const struct iv_sim_expected *expected)
{
    return expected->count;
}

void iv_sim_expected_tell(struct iv_buf *out, const struct iv_sim_expected *expected)
{
    for (size_t i = 0; i < expected->rules; i++) {
        iv_buf_printf(out, "%s%s=%zu", i == 0 ? "" : " ", expected->by_rule[i].rule,
                      expected->by_rule[i].count);
    }
}
