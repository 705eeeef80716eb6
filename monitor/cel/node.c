/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/guard.h"
#include "cel/ast.h"

#include <stdarg.h>
#include <stdio.h>

#define DIAGS_MAX 32

void iv_cel_diags_deinit(struct iv_cel_diags *diags)
{
    iv_free(diags->items);
    *diags = (struct iv_cel_diags){NULL, 0};
}

void iv_cel_report(struct iv_cel_compilation *c, uint32_t offset, uint32_t length, const char *format, ...)
{
    if (c->diags->count >= DIAGS_MAX) {
        return;
    }
    struct iv_cel_diag *items = iv_realloc(c->diags->items, (c->diags->count + 1) * sizeof *items);
    if (items == NULL) {
        c->out_of_memory = true;
        return;
    }
    c->diags->items = items;
    struct iv_cel_diag *d = &items[c->diags->count++];
    d->warning = false;
    d->offset = offset;
    d->length = length == 0 && offset < c->source.n ? 1 : length;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(d->text, sizeof d->text, format, args);
    va_end(args);
}

struct iv_cel_node *iv_cel_node_new(struct iv_cel_compilation *c, enum iv_cel_node_kind kind, uint32_t offset,
                                    uint32_t length, uint32_t count)
{
    if (++c->nodes > IV_CEL_NODES_MAX) {
        if (c->nodes == IV_CEL_NODES_MAX + 1) {
            iv_cel_report(c, offset, length, "the expression has more than %u parts", IV_CEL_NODES_MAX);
        }
        return NULL;
    }
    struct iv_cel_node *node = iv_arena_zalloc(c->arena, sizeof *node);
    struct iv_cel_node **args = iv_arena_zalloc(c->arena, (count + 1) * sizeof *args);
    if (node == NULL || args == NULL) {
        c->out_of_memory = true;
        return NULL;
    }
    node->kind = (uint8_t)kind;
    node->offset = offset;
    node->length = length;
    node->count = count;
    node->args = args;
    node->depth = 1;
    return node;
}

struct iv_cel_node *iv_cel_node_close(struct iv_cel_compilation *c, struct iv_cel_node *node)
{
    unsigned deepest = node->target == NULL ? 0 : node->target->depth;
    for (uint32_t i = 0; i < node->count; i++) {
        deepest = node->args[i]->depth > deepest ? node->args[i]->depth : deepest;
    }
    if (deepest >= IV_CEL_DEPTH_MAX) {
        iv_cel_report(c, node->offset, node->length, "more than %u operations hang on each other",
                      IV_CEL_DEPTH_MAX);
        return NULL;
    }
    node->depth = (uint16_t)(deepest + 1);
    return node;
}
