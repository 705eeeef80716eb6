/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "event/tape.h"

#define LONGEST_NAME 64 /* bytes of a member's name in a message */

void iv_tape_put_name(struct iv_buf *out, struct iv_str name)
{
    size_t n = name.n;
    if (n > LONGEST_NAME) {
        for (n = LONGEST_NAME; n > 0 && ((unsigned char)name.p[n] & 0xc0) == 0x80; n--) {
        }
    }
    for (size_t i = 0; i < n; i++) {
        iv_buf_char(out, (unsigned char)name.p[i] < 0x20 ? '?' : name.p[i]);
    }
    iv_buf_text(out, n < name.n ? "..." : "");
}

static void put_step(struct iv_buf *out, struct iv_str name, bool top)
{
    if (top && iv_str_eq(name, IV_STR("data"))) {
        return;
    }
    iv_buf_text(out, out->n > 0 ? "." : "");
    iv_tape_put_name(out, name);
}

/* The child of the container at *at that is, or holds, the node at index; *at becomes it. */
static void descend(struct iv_buf *out, const struct iv_tape *tape, uint32_t *at, uint32_t index)
{
    const struct iv_node *container = &tape->nodes[*at];
    bool map = container->kind == IV_NODE_MAP;
    uint32_t child = *at + 1;
    for (uint32_t i = 0; i < container->n; i++) {
        uint32_t value = map ? child + 1 : child;
        uint32_t next = iv_tape_next(tape, value);
        if (index < next) {
            if (map) {
                put_step(out, iv_node_text(&tape->nodes[child]), *at == 0);
            } else {
                iv_buf_printf(out, "[%u]", i);
            }
            *at = value;
            return;
        }
        child = next;
    }
}

void iv_tape_path(struct iv_buf *out, const struct iv_tape *tape, uint32_t index)
{
    uint32_t at = 0;
    while (at < index && tape->nodes[at].kind >= IV_NODE_LIST && out->n < 256) {
        descend(out, tape, &at, index);
    }
    if (out->n == 0) {
        iv_buf_text(out, index == 0 ? "record" : "data");
    }
}
