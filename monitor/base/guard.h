/* SPDX-License-Identifier: Apache-2.0 */
/* The only macros that hide control flow (TRY, ENSURE) or the end of a scope (IV_AUTO, TAKE). */
#pragma once

#include "base/err.h"

#include <stddef.h>

/* Leaves the function with the result of a call that failed. */
#define TRY(call)                                                                                            \
    do {                                                                                                     \
        struct iv_rc_s try_rc_ = (call);                                                                     \
        if (try_rc_.code != IV_CODE_OK) {                                                                    \
            return try_rc_;                                                                                  \
        }                                                                                                    \
    } while (0)

/* Leaves the function with a new error unless the condition holds. */
#define ENSURE(cond, err, code, ...)                                                                         \
    do {                                                                                                     \
        if (!(cond)) {                                                                                       \
            return iv_err_set((err), (code), __VA_ARGS__);                                                   \
        }                                                                                                    \
    } while (0)

/* Runs the function on the variable's address when the scope ends. */
#define IV_AUTO(fn) __attribute__((cleanup(fn)))

/* Moves a pointer out of an IV_AUTO variable. */
#define TAKE(p)                                                                                              \
    __extension__({                                                                                          \
        __typeof__(p) take_ = (p);                                                                           \
        (p) = NULL;                                                                                          \
        take_;                                                                                               \
    })

#define IV_COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Of a hot path's array whose beginning alone is written and read: no compiler's habit of clearing all of it.
 */
#if defined(__GNUC__) && !defined(__clang__)
#define IV_UNSET __attribute__((uninitialized))
#else
#define IV_UNSET
#endif
#define IV_LIKELY(x) __builtin_expect(!!(x), 1)
#define IV_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Asks the memory for a line of the cache. GCC finds that a function which does nothing else has no effect,
 * and drops its calls; an empty instruction is one. */
#define IV_PREFETCH(at)                                                                                      \
    do {                                                                                                     \
        __builtin_prefetch(at);                                                                              \
        __asm__ volatile("");                                                                                \
    } while (0)

/* For our own bugs only, and kept in release; bytes from outside can never reach one. */
#define IV_CHECK(cond) ((cond) ? (void)0 : iv_check_failed(#cond, __FILE__, __LINE__))
_Noreturn void iv_check_failed(const char *cond, const char *file, int line);
