/* SPDX-License-Identifier: Apache-2.0 */
/* Where a replay's lines go: at once, or sorted at the end, one line a verdict.
 * Owner/thread: one thread. A failure to write or to remember is kept and told by iv_lines_finish. */
#pragma once

#include "base/arena.h"
#include "engine/engine.h"

#include <stdio.h>

struct iv_line {
    iv_ns time;
    struct iv_str source;
    struct iv_str id;
    struct iv_str rule;
    struct iv_str text; /* without the line's end */
    unsigned char uid[IV_UID_BYTES];
    size_t number; /* in order of emission */
};

struct iv_lines {
    const char *name; /* for messages */
    FILE *to;         /* NULL: nowhere */
    bool sort;
    bool failed;
    bool no_memory;
    struct iv_arena arena; /* sort: the lines until the end */
    struct iv_line *items;
    size_t count;
    size_t room;
};

/* path NULL: nowhere. "-" is standard output. The file is made anew. */
iv_rc iv_lines_open(struct iv_lines *lines, const char *path, bool sort, struct iv_err *err);
void iv_lines_close(struct iv_lines *lines);

/* text ends without a line's end; what is sorted is one line for each uid: the last that was put. */
void iv_lines_put(struct iv_lines *lines, const struct iv_verdict *verdict, struct iv_str text);
/* A line that belongs to no verdict; never sorted. */
void iv_lines_put_text(struct iv_lines *lines, struct iv_str text);

/* By time, source, id and rule of the trigger. */
int iv_line_cmp(const struct iv_line *a, const struct iv_line *b);

/* What was remembered, one line for each uid, in order of the uids. */
iv_rc iv_lines_settle(struct iv_lines *lines, struct iv_err *err);
/* Writes what is left. IV_E_IO, IV_E_NOMEM: not all of it could be written. */
iv_rc iv_lines_finish(struct iv_lines *lines, struct iv_err *err);
