/* SPDX-License-Identifier: Apache-2.0 */
/* For targets whose bytes are sections in a frame: the frame and the sections' lengths are put around what
 * the input says, since nothing would pass them by chance.
 * Input: the sections in their order, each its name and its content; one that is not named is empty. */
#pragma once

#include "base/buf.h"
#include "engine/frame.h"

struct assembly {
    const struct iv_frame *frame;
    const char *const *sections;
    size_t section_count;
    /* May change a section's content in its place; may be NULL. */
    void (*mend)(size_t section, char *content, size_t n);
};

/* Into the buffer instead of what it had. */
void assemble(struct iv_buf *out, struct iv_str input, const struct assembly *how);
