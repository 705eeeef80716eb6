/* SPDX-License-Identifier: Apache-2.0 */
/* What every target is: one function from any bytes to an answer. It aborts (IV_CHECK) where a promise of the
 * product does not hold for them, and the sanitizers stop it where memory is at fault.
 * Owner/thread: one thread; whatever a target makes once it keeps, and the sanitizer counts it as reachable.
 */
#pragma once

#include "base/guard.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's name for it; answers 0. The bytes end where the heap block ends. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline struct iv_str input_of(const uint8_t *data, size_t size)
{
    return (struct iv_str){size == 0 ? "" : (const char *)data, size};
}

/* Cuts the first line off the rest, without its end. */
static inline struct iv_str take_line(struct iv_str *rest)
{
    const char *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
    struct iv_str line = {rest->p, end == NULL ? rest->n : (size_t)(end - rest->p)};
    size_t skip = line.n + (end == NULL ? 0 : 1);
    rest->p += skip;
    rest->n -= skip;
    return line;
}

static inline bool line_has(struct iv_str line, char c)
{
    return line.n > 0 && memchr(line.p, c, line.n) != NULL;
}
