/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/remediation.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "evidence/query.h"
#include "evidence/times.h"

#include <stdlib.h>

enum { DETECT, ACT, CONTAIN, KINDS };

struct tally {
    struct iv_remediation *out;
    struct iv_buf lengths[KINDS]; /* iv_ns each */
    int64_t rows;
};

static void keep_length(struct iv_buf *to, iv_ns length)
{
    if (length >= 0) {
        iv_buf_add(to, &length, sizeof length);
    }
}

static iv_rc read_one(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    struct tally *t = ctx;
    struct iv_execution e = {.planned = iv_sql_get_int(row)};
    e.observed = iv_sql_get_int(row) != 0;
    struct iv_str state = iv_sql_get_str(row);
    ENSURE(iv_run_state_of(&e.state, state), err, IV_E_STORE,
           "an execution in the store has state '" IV_STR_FMT "', which is none", IV_STR_ARG(state));
    e.event_time = iv_sql_get_int(row);
    e.started = iv_sql_get_int(row);
    e.finished = iv_sql_get_int(row);
    if (++t->rows > IV_REMEDIATION_MAX) {
        t->out->whole = *on = false;
        return IV_OK;
    }
    t->out->executions[e.state]++;
    if (!e.observed) {
        struct iv_times times = iv_times_of(&e);
        keep_length(&t->lengths[DETECT], times.detect);
        keep_length(&t->lengths[ACT], times.act);
        keep_length(&t->lengths[CONTAIN], times.contain);
    }
    return IV_OK;
}

static int by_length(const void *a, const void *b)
{
    const iv_ns *x = a;
    const iv_ns *y = b;
    return (*x > *y) - (*x < *y);
}

static struct iv_lengths lengths_of(struct iv_buf *kept)
{
    iv_ns *all = (iv_ns *)(void *)kept->p;
    size_t count = kept->n / sizeof *all;
    if (count == 0) {
        return (struct iv_lengths){.count = 0};
    }
    qsort(all, count, sizeof *all, by_length);
    return (struct iv_lengths){.count = (int64_t)count,
                               .p50 = all[(count + 1) / 2 - 1],
                               .p90 = all[(count * 9 + 9) / 10 - 1],
                               .max = all[count - 1]};
}

static iv_rc read_all(struct tally *t, struct iv_reader *reader, iv_ns from, iv_ns until, struct iv_err *err)
{
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, "SELECT planned, observed, state, event_time, started, finished FROM executions"
                      " INDEXED BY executions_planned");
    iv_query_int(&q, true, "planned >= ?", from);
    iv_query_int(&q, true, "planned < ?", until);
    iv_query_order(&q, "planned", true, IV_REMEDIATION_MAX + 1);
    TRY(iv_query_each(reader, &q, read_one, t, "read when executions were planned", err));
    struct iv_lengths *const out[KINDS] = {&t->out->detect, &t->out->act, &t->out->contain};
    for (int kind = 0; kind < KINDS; kind++) {
        TRY(iv_buf_check(&t->lengths[kind], "the times of executions", err));
        *out[kind] = lengths_of(&t->lengths[kind]);
    }
    return IV_OK;
}

iv_rc iv_reader_remediation(struct iv_reader *reader, struct iv_remediation *out, iv_ns from, iv_ns until,
                            struct iv_err *err)
{
    struct tally t = {.out = out};
    *out = (struct iv_remediation){.whole = true};
    for (int kind = 0; kind < KINDS; kind++) {
        iv_buf_init(&t.lengths[kind], (IV_REMEDIATION_MAX + 1) * sizeof(iv_ns));
    }
    struct iv_rc_s rc = read_all(&t, reader, from, until, err);
    for (int kind = 0; kind < KINDS; kind++) {
        iv_buf_deinit(&t.lengths[kind]);
    }
    return rc;
}
