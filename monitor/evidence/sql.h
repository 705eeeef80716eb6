/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite behind a few calls. Internal to the room: nobody else includes it.
 * Purpose: one place that opens, binds, steps, and turns SQLite's codes into our errors with the file's
 * name. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct iv_sql {
    sqlite3 *db;
    char *path; /* owned, for messages */
};

/* write: creates the file where it is not there, WAL and synchronous=FULL; else read-only, and the file must
 * exist. */
iv_rc iv_sql_open(struct iv_sql *out, struct iv_str path, bool write, struct iv_err *err);
void iv_sql_close(struct iv_sql *sql);

/* The error that SQLite reported last, as ours. doing: "write a finding". */
iv_rc iv_sql_failed(const struct iv_sql *sql, const char *doing, struct iv_err *err);

iv_rc iv_sql_exec(const struct iv_sql *sql, const char *text, const char *doing, struct iv_err *err);
/* The integer that a pragma or query answers. */
iv_rc iv_sql_int(const struct iv_sql *sql, int64_t *out, const char *text, const char *doing,
                 struct iv_err *err);
iv_rc iv_sql_prepare(const struct iv_sql *sql, sqlite3_stmt **out, const char *text, struct iv_err *err);
/* For IV_AUTO: back to its beginning, bindings gone, so that it can run again. NULL is fine. */
void iv_sql_resetp(sqlite3_stmt **stmt);
void iv_sql_finalizep(sqlite3_stmt **stmt);

/* Binding from the first parameter on, in order. A failure is remembered by SQLite and shows in the step.
 * Text is not copied: it must live until the statement is reset. */
struct iv_sql_args {
    sqlite3_stmt *stmt;
    int next;
};
static inline struct iv_sql_args iv_sql_args(sqlite3_stmt *stmt)
{
    return (struct iv_sql_args){stmt, 1};
}
void iv_sql_bind_str(struct iv_sql_args *args, struct iv_str s);       /* p NULL: the empty text */
void iv_sql_bind_bytes(struct iv_sql_args *args, struct iv_str bytes); /* likewise */
void iv_sql_bind_int(struct iv_sql_args *args, int64_t i);

/* *row: there is one. */
iv_rc iv_sql_step(const struct iv_sql *sql, sqlite3_stmt *stmt, bool *row, const char *doing,
                  struct iv_err *err);
/* For statements that answer nothing. */
iv_rc iv_sql_run(const struct iv_sql *sql, sqlite3_stmt *stmt, const char *doing, struct iv_err *err);

/* Reading from the first column on, in order. */
struct iv_sql_row {
    sqlite3_stmt *stmt;
    int next;
};
static inline struct iv_sql_row iv_sql_row(sqlite3_stmt *stmt)
{
    return (struct iv_sql_row){stmt, 0};
}
struct iv_str iv_sql_get_str(struct iv_sql_row *row); /* NULL is the empty text */
struct iv_str iv_sql_get_bytes(struct iv_sql_row *row);
int64_t iv_sql_get_int(struct iv_sql_row *row);
