/* SPDX-License-Identifier: Apache-2.0 */
/* application/x-www-form-urlencoded.
 * Source: WHATWG URL, 5.2; RFC 6749 appendix B. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

void iv_form_encode(struct iv_buf *out, struct iv_str text);
/* "&name=value", without the "&" where out is empty. name needs no encoding. */
void iv_form_add(struct iv_buf *out, const char *name, struct iv_str value);
