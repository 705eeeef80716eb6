/* SPDX-License-Identifier: Apache-2.0 */
/* A query that grows by conditions. Internal to the room.
 * Guarantee: what comes from outside is bound, never text of the statement. Parameters are bound in the order
 * in which the text has them. */
#pragma once

#include "base/buf.h"
#include "evidence/reader_internal.h"

enum { IV_QUERY_PARAMETERS_MAX = 40 };

struct iv_query {
    struct iv_buf text;
    struct {
        struct iv_str s;
        int64_t i;
        bool is_int;
    } parameters[IV_QUERY_PARAMETERS_MAX];
    size_t count;
    bool conditional; /* the next condition is not the first of its SELECT */
};

void iv_query_init(struct iv_query *q, const char *select);
void iv_query_deinit(struct iv_query *q);

/* More of the text; conditions that follow are those of another SELECT. */
void iv_query_more(struct iv_query *q, const char *text);
void iv_query_condition(struct iv_query *q, const char *condition);
/* A parameter of a text or a condition that has one more than the next ones give it. */
void iv_query_bind_str(struct iv_query *q, struct iv_str s);
void iv_query_bind_int(struct iv_query *q, int64_t i);
/* p NULL: not asked. */
void iv_query_str(struct iv_query *q, const char *condition, struct iv_str s);
void iv_query_int(struct iv_query *q, bool asked, const char *condition, int64_t i);
/* limit 0: 100 */
void iv_query_order(struct iv_query *q, const char *column, bool newest_first, size_t limit);

/* Reads one row; *on: whether to go on, true to begin with. */
typedef struct iv_rc_s (*iv_query_row)(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err);
/* doing: "read findings" */
iv_rc iv_query_each(struct iv_reader *reader, const struct iv_query *q, iv_query_row read, void *ctx,
                    const char *doing, struct iv_err *err);

/* For a statement of one's own. The texts must live until the statement has run. */
iv_rc iv_query_prepare(struct iv_reader *reader, sqlite3_stmt **out, const struct iv_query *q,
                       struct iv_err *err);
