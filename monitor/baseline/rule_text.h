/* SPDX-License-Identifier: Apache-2.0 */
/* A rule's text in a file of a baseline that is not in force any more.
 * Owner/thread: any; nothing is kept. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Appends what the file says of the rule of this id, as it was written; nothing where it has no such rule, or
 * is no YAML. */
iv_rc iv_rule_text(struct iv_buf *out, struct iv_str file, struct iv_str id, struct iv_err *err);
