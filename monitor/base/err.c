/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/guard.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum iv_class class;
} codes[] = {
    {"OK", IV_CLASS_NONE},
#define ERR(name, class) {#name, IV_CLASS_##class},
#include "base/errors.def"
#undef ERR
};

struct iv_rc_s iv_err_set(struct iv_err *err, enum iv_code code, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        err->code = code;
        (void)vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
    }
    return (struct iv_rc_s){code};
}

void iv_err_wrap(struct iv_err *err, const char *format, ...)
{
    if (err == NULL) {
        return;
    }
    char inner[sizeof err->text];
    memcpy(inner, err->text, sizeof inner);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n + 2 < sizeof err->text) {
        size_t room = sizeof err->text - (size_t)n;
        (void)snprintf(err->text + n, room, ": %.*s", (int)room - 3, inner);
    }
}

enum iv_class iv_code_class(enum iv_code code)
{
    return codes[code].class;
}

const char *iv_code_name(enum iv_code code)
{
    return codes[code].name;
}

void iv_check_failed(const char *cond, const char *file, int line)
{
    (void)fprintf(stderr, "invigil: internal check failed: %s at %s:%d\n", cond, file, line);
    abort();
}
