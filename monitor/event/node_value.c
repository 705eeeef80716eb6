/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "event/decoder.h"

#include <math.h>

struct reading {
    struct iv_decoder *decoder;
    const struct iv_json_options *options;
    struct iv_arena *arena;
    struct iv_fault *fault;
    struct iv_err *err;
};

static iv_rc refuse(const struct reading *r, uint32_t node, const char *what)
{
    *r->fault = (struct iv_fault){node, what};
    return iv_err_set(r->err, IV_E_SYNTAX, "a member %s", what);
}

static iv_rc read_value(struct iv_val *out, const struct reading *r, uint32_t at);

static iv_rc read_list(struct iv_val *out, const struct reading *r, uint32_t at)
{
    const struct iv_tape *tape = &r->decoder->tape;
    uint32_t n = tape->nodes[at].n;
    struct iv_val *items = iv_arena_alloc(r->arena, (size_t)n * sizeof *items);
    ENSURE(items != NULL, r->err, IV_E_NOMEM, "cannot allocate a list of %u items", n);
    uint32_t item = at + 1;
    for (uint32_t i = 0; i < n; i++) {
        TRY(read_value(&items[i], r, item));
        item = iv_tape_next(tape, item);
    }
    *out = (struct iv_val){.kind = IV_KIND_LIST, .n = n, .items = items};
    return IV_OK;
}

static iv_rc read_map(struct iv_val *out, const struct reading *r, uint32_t at)
{
    const struct iv_tape *tape = &r->decoder->tape;
    uint32_t n = tape->nodes[at].n;
    uint32_t twice = 0;
    TRY(iv_members_supersede(&twice, r->decoder, at, r->err));
    if (twice != 0 && !r->options->lenient_members) {
        return refuse(r, twice, "stands twice");
    }
    struct iv_val *items = iv_arena_alloc(r->arena, 2 * (size_t)n * sizeof *items);
    ENSURE(items != NULL, r->err, IV_E_NOMEM, "cannot allocate an object of %u members", n);
    uint32_t kept = 0;
    uint32_t name = at + 1;
    for (uint32_t i = 0; i < n; i++) {
        if (!tape->nodes[name].superseded) {
            items[2 * (size_t)kept] = iv_val_str(iv_node_text(&tape->nodes[name]));
            TRY(read_value(&items[2 * (size_t)kept + 1], r, name + 1));
            kept++;
        }
        name = iv_tape_next(tape, name + 1);
    }
    *out = (struct iv_val){.kind = IV_KIND_MAP, .n = kept, .items = items};
    return IV_OK;
}

static iv_rc read_value(struct iv_val *out, const struct reading *r, uint32_t at)
{
    const struct iv_node *node = &r->decoder->tape.nodes[at];
    switch ((enum iv_node_kind)node->kind) {
    case IV_NODE_NULL:
        *out = (struct iv_val){.kind = IV_KIND_NULL};
        return IV_OK;
    case IV_NODE_BOOL:
        *out = iv_val_bool(node->b);
        return IV_OK;
    case IV_NODE_INT:
        *out = r->options->as_doubles ? iv_val_double((double)node->i) : iv_val_int(node->i);
        return IV_OK;
    case IV_NODE_BIG:
    case IV_NODE_DOUBLE:
        if (!isfinite(node->d)) {
            return refuse(r, at, "is a number beyond every double");
        }
        *out = iv_val_double(node->d);
        return IV_OK;
    case IV_NODE_STRING:
        *out = iv_val_str(iv_node_text(node));
        return IV_OK;
    case IV_NODE_LIST:
        return read_list(out, r, at);
    case IV_NODE_MAP:
        return read_map(out, r, at);
    }
    return IV_OK;
}

iv_rc iv_node_value(struct iv_val *out, struct iv_fault *fault, struct iv_decoder *decoder, uint32_t node,
                    const struct iv_json_options *options, struct iv_arena *arena, struct iv_err *err)
{
    struct reading r = {decoder, options, arena, fault, err};
    return read_value(out, &r, node);
}
