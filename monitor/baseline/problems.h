/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a text that a person wrote: all of it in one run, each with its place.
 * Owner/thread: one owner, one thread; keeps copies of all that it shows.
 * Guarantee: in order of file (as they were read), line and column; the same problem at the same place
 * stands once. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct iv_position {
    struct iv_str file; /* as given to invigil */
    uint32_t line;      /* from 1 */
    uint32_t column;    /* from 1, in characters */
};

/* Rendered as "FILE:LINE:COLUMN: error: …", the line, a caret. Warnings do not refuse a baseline. */
struct iv_problem {
    struct iv_position at;
    bool warning;
    struct iv_str text;
    struct iv_str line; /* the source line; p NULL: there is none to show */
    uint32_t width;     /* characters to underline, at least 1 */
};

struct iv_problems;
iv_rc iv_problems_new(struct iv_problems **out, struct iv_err *err);
void iv_problems_free(struct iv_problems *problems);
void iv_problems_freep(struct iv_problems **problems);

/* For a text that may hold secrets: of a line, what is underlined is shown and what stands before it, so that
 * a misspelled key does not bring its value into a log. To be said before anything is added. */
void iv_problems_keep_secrets(struct iv_problems *problems);

/* From here on the file has its place in the order, whether or not anything is wrong in it. */
void iv_problems_see(struct iv_problems *problems, struct iv_str file);

/* Copies the problem. Where memory is out the list is marked as failed, and iv_problems_done says so. */
void iv_problems_add(struct iv_problems *problems, const struct iv_problem *problem);

size_t iv_problems_errors(const struct iv_problems *problems);
/* In order. Answers how many more there were than are kept. */
typedef void (*iv_problem_fn)(void *ctx, const struct iv_problem *problem);
size_t iv_problems_each(const struct iv_problems *problems, iv_problem_fn fn, void *ctx);
void iv_problems_render(struct iv_buf *out, const struct iv_problems *problems);

/* IV_OK without errors; IV_E_REFUSED with a sentence that counts them and shows the first; IV_E_NOMEM. */
iv_rc iv_problems_done(const struct iv_problems *problems, const char *what, struct iv_err *err);
