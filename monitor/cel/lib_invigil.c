/* SPDX-License-Identifier: Apache-2.0 */
/* Functions for compliance rules that need nothing but their arguments.
 * Source: contract "Rules", expressions and fine points. */
#include "cel/lib.h"
#include "cel/net.h"

#include <math.h>

IV_CEL_FN(iv_cel_glob)
{
    /* The matcher is quadratic at worst, so that is what it costs. */
    TRY(iv_cel_spend(frame, (size_t)args[0].n * args[1].n >> 10, err));
    *out = iv_val_bool(iv_glob(iv_val_slice(args[0]), iv_val_slice(args[1])));
    return IV_OK;
}

IV_CEL_FN(iv_cel_cidr_contains)
{
    struct iv_net net;
    struct iv_net address;
    ENSURE(iv_net_parse_cidr(&net, iv_val_slice(args[0])), err, IV_E_EVAL,
           "'" IV_STR_FMT "' is no network in CIDR form", IV_STR_ARG(iv_cel_brief(iv_val_slice(args[0]))));
    ENSURE(iv_net_parse_ip(&address, iv_val_slice(args[1])), err, IV_E_EVAL,
           "'" IV_STR_FMT "' is no IP address", IV_STR_ARG(iv_cel_brief(iv_val_slice(args[1]))));
    ENSURE(net.family == address.family, err, IV_E_EVAL, "an IPv%d network cannot hold an IPv%d address",
           net.family, address.family);
    *out = iv_val_bool(iv_net_contains(&net, &address));
    return IV_OK;
}

static bool number(double *out, const struct iv_val *v)
{
    switch (v->kind) {
    case IV_KIND_DOUBLE:
        *out = v->d;
        return true;
    case IV_KIND_INT:
        *out = (double)v->i;
        return true;
    case IV_KIND_UINT:
        *out = (double)v->u;
        return true;
    default:
        return false;
    }
}

/* The largest magnitude in the list; dividing by it first keeps squares from overflowing. */
static iv_rc largest(double *out, const struct iv_val *list, struct iv_err *err)
{
    double most = 0;
    for (size_t i = 0; i < list->n; i++) {
        double d = 0;
        ENSURE(number(&d, &list->items[i]), err, IV_E_EVAL,
               "no such overload: cosine needs lists of numbers");
        ENSURE(isfinite(d), err, IV_E_EVAL, "cosine needs finite numbers");
        most = fabs(d) > most ? fabs(d) : most;
    }
    ENSURE(most > 0, err, IV_E_EVAL, "cosine of a zero vector");
    *out = most;
    return IV_OK;
}

IV_CEL_FN(iv_cel_cosine)
{
    const struct iv_val *a = &args[0];
    const struct iv_val *b = &args[1];
    ENSURE(a->n == b->n, err, IV_E_EVAL, "cosine of lists of different lengths, %u and %u", a->n, b->n);
    TRY(iv_cel_spend(frame, a->n >> 2, err));
    double a_scale = 0;
    double b_scale = 0;
    TRY(largest(&a_scale, a, err));
    TRY(largest(&b_scale, b, err));
    double dot = 0;
    double a_square = 0;
    double b_square = 0;
    for (size_t i = 0; i < a->n; i++) {
        double x = 0;
        double y = 0;
        (void)number(&x, &a->items[i]);
        (void)number(&y, &b->items[i]);
        x /= a_scale;
        y /= b_scale;
        dot += x * y;
        a_square += x * x;
        b_square += y * y;
    }
    double cosine = dot / sqrt(a_square * b_square);
    *out = iv_val_double(cosine > 1 ? 1 : cosine < -1 ? -1 : cosine);
    return IV_OK;
}
