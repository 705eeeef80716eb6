/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a file, decompressed as they are read. Private to this room.
 * A compression is a file with a descriptor and a line in inflow_kinds.def. */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* The file itself. */
struct iv_raw {
    int fd;
    const char *path; /* for messages; the inflow's copy */
    int64_t consumed;
    int64_t size; /* -1: a pipe */
};

/* Reads at most n bytes; *out is 0 at the end only. */
iv_rc iv_raw_read(struct iv_raw *raw, void *p, size_t n, size_t *out, struct iv_err *err);

struct iv_inflow_kind {
    const char *suffix; /* of the file's name; "" is the plain file */
    iv_rc (*open)(void **state, const char *path, struct iv_err *err);
    iv_rc (*read)(void *state, struct iv_raw *raw, void *p, size_t n, size_t *out, struct iv_err *err);
    void (*close)(void *state);
};

#define INFLOW(name) extern const struct iv_inflow_kind iv_inflow_##name;
#include "stream/inflow_kinds.def"
#undef INFLOW

struct iv_inflow {
    struct iv_raw raw;
    char *path;
    const struct iv_inflow_kind *kind;
    void *state;
};

iv_rc iv_inflow_open(struct iv_inflow *out, const char *path, struct iv_err *err);
void iv_inflow_close(struct iv_inflow *inflow);

/* Reads at most n bytes, as many as one step gives; *out is 0 at the end only. */
static inline iv_rc iv_inflow_read(struct iv_inflow *inflow, void *p, size_t n, size_t *out,
                                   struct iv_err *err)
{
    return inflow->kind->read(inflow->state, &inflow->raw, p, n, out, err);
}
