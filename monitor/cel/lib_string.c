/* SPDX-License-Identifier: Apache-2.0 */
/* The string functions of the language itself. Their extension is in lib_strings_ext.c. */
#include "cel/lib.h"
#include "cel/regex.h"

IV_CEL_FN(iv_cel_contains)
{
    struct iv_str s = iv_val_slice(args[0]);
    struct iv_str part = iv_val_slice(args[1]);
    TRY(iv_cel_spend(frame, s.n >> 5, err));
    *out = iv_val_bool(part.n == 0 || (s.n > 0 && memmem(s.p, s.n, part.p, part.n) != NULL));
    return IV_OK;
}

IV_CEL_FN(iv_cel_starts_with)
{
    struct iv_str s = iv_val_slice(args[0]);
    struct iv_str part = iv_val_slice(args[1]);
    TRY(iv_cel_spend_memory(frame, part.n, err));
    *out = iv_val_bool(part.n == 0 || (part.n <= s.n && memcmp(s.p, part.p, part.n) == 0));
    return IV_OK;
}

IV_CEL_FN(iv_cel_ends_with)
{
    struct iv_str s = iv_val_slice(args[0]);
    struct iv_str part = iv_val_slice(args[1]);
    TRY(iv_cel_spend_memory(frame, part.n, err));
    *out = iv_val_bool(part.n == 0 || (part.n <= s.n && memcmp(s.p + s.n - part.n, part.p, part.n) == 0));
    return IV_OK;
}

/* ctx: the pattern, if the compiler knew it already. */
IV_CEL_FN(iv_cel_matches)
{
    const struct iv_regex *regex = ctx;
    struct iv_regex *fresh = NULL;
    if (regex == NULL) {
        TRY(iv_cel_spend(frame, args[1].n, err));
        TRY(iv_regex_compile(&fresh, iv_val_slice(args[1]), &frame->arena, err));
        regex = fresh;
    }
    TRY(iv_cel_spend(frame, iv_regex_cost(regex, args[0].n), err));
    bool matched = false;
    TRY(iv_regex_search(&matched, regex, iv_val_slice(args[0]), &frame->arena, err));
    *out = iv_val_bool(matched);
    return IV_OK;
}
