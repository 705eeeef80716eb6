/* SPDX-License-Identifier: Apache-2.0 */
/* Which parts of an expression need nothing from outside: no declared variable, and of macros' variables only
 * those of macros inside of the part. */
#include "cel/prog.h"

#define OUTSIDE 0u /* the level of declared variables */

/* Answers the least level that the node refers to; level is that of the innermost macro around it. */
static uint32_t mark(struct iv_cel_node *node, uint32_t level)
{
    uint32_t inner = level;
    uint32_t least = UINT32_MAX;
    if (node->kind == IV_CEL_NODE_FOLD || node->kind == IV_CEL_NODE_BIND) {
        inner = level + 1;
        node->level = (uint16_t)inner;
    }
    if (node->kind == IV_CEL_NODE_IDENT) {
        least = node->ref == IV_CEL_REF_LOCAL  ? node->owner->level
                : node->ref == IV_CEL_REF_TYPE ? UINT32_MAX
                                               : OUTSIDE;
    } else if (node->kind == IV_CEL_NODE_STRUCT) {
        least = OUTSIDE;
    }
    if (node->target != NULL) {
        uint32_t l = mark(node->target, level);
        least = l < least ? l : least;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        uint32_t l = mark(node->args[i], inner);
        least = l < least ? l : least;
    }
    node->constant = least > level;
    return least;
}

void iv_cel_mark_constants(struct iv_cel_node *root)
{
    (void)mark(root, OUTSIDE);
}
