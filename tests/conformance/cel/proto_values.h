/* SPDX-License-Identifier: Apache-2.0 */
/* From the messages cel.expr.Type and cel.expr.Value to ours. False: it needs a message type, which we have
 * not. */
#pragma once

#include "cel/cel.h"
#include "conformance/cel/textproto.h"

bool proto_type(const struct iv_cel_type **out, const struct text_field *message, struct iv_arena *arena);
bool proto_value(struct iv_val *out, const struct text_field *message, struct iv_arena *arena);

/* The same kind and value all the way down; NaN is itself here. */
bool proto_same(const struct iv_val *a, const struct iv_val *b);
