/* SPDX-License-Identifier: Apache-2.0 */
/* Results and errors.
 * Purpose: a result that cannot be dropped by mistake, and a sentence for the person who must act on it.
 * Owner/thread: plain data; an iv_err belongs to whoever declared it.
 * Guarantee: the function that detects a failure writes the sentence; an output parameter is written only on
 * success.
 * Not here: logging (log.h). Core and base never log; they return errors. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum iv_code {
    IV_CODE_OK = 0,
#define ERR(name, class) IV_E_##name,
#include "base/errors.def"
#undef ERR
};

enum iv_class { IV_CLASS_NONE, IV_CLASS_RETRY, IV_CLASS_REJECT, IV_CLASS_FATAL };

/* A struct, so that assigning it to an int or comparing it with one does not compile. */
struct iv_rc_s {
    enum iv_code code;
};
/* For return types: gcc lets only functions carry the attribute, so a variable is a struct iv_rc_s. */
#define iv_rc __attribute__((warn_unused_result)) struct iv_rc_s
#define IV_OK ((struct iv_rc_s){IV_CODE_OK})

struct iv_err {
    enum iv_code code;
    char text[1024]; /* one sentence, no full stop, no "error:"; names the object, the place, the expectation
                      */
};

static inline bool iv_ok(struct iv_rc_s rc)
{
    return rc.code == IV_CODE_OK;
}

/* Writes the sentence and answers the code as a result. err may be NULL. */
iv_rc iv_err_set(struct iv_err *err, enum iv_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " before the sentence; for module boundaries, at most twice on the way up. */
void iv_err_wrap(struct iv_err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

enum iv_class iv_code_class(enum iv_code code);
const char *iv_code_name(enum iv_code code); /* "NOMEM" */
