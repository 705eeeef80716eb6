/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic, equality and order of values whose kinds are known only now.
 * Source: CEL language definition, "Functions" (overflow is an error, no arithmetic across number types) and
 * "Equality", "Ordering" (numbers by their value across types). */
#include "base/guard.h"
#include "cel/env.h"
#include "cel/lib.h"

#include <math.h>

#define BRIEF_BYTES 128
#define PAIR(a, b) ((unsigned)(a) << 8 | (unsigned)(b))
#define PAIR_OF(args) PAIR((args)[0].kind, (args)[1].kind)

iv_rc iv_cel_spend(struct iv_cel_frame *frame, size_t cost, struct iv_err *err)
{
    uint32_t limit = frame->cost_limit == 0 ? IV_CEL_COST_DEFAULT : frame->cost_limit;
    if (IV_UNLIKELY(cost > limit || frame->cost > limit - cost)) {
        return iv_err_set(err, IV_E_LIMIT, "the expression costs more than %u steps", limit);
    }
    frame->cost += (uint32_t)cost;
    return IV_OK;
}

iv_rc iv_cel_alloc(void *out_pointer, struct iv_cel_frame *frame, size_t bytes, struct iv_err *err)
{
    void *p = iv_arena_alloc(&frame->arena, bytes);
    ENSURE(p != NULL, err, IV_E_NOMEM, "the expression needs more memory than it may have");
    memcpy(out_pointer, &p, sizeof p);
    return IV_OK;
}

struct iv_str iv_cel_brief(struct iv_str s)
{
    size_t n = s.n < BRIEF_BYTES ? s.n : BRIEF_BYTES;
    while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80) {
        n--;
    }
    return (struct iv_str){s.p, n};
}

iv_rc iv_cel_fail_overload(const char *what, const struct iv_val *args, size_t count, struct iv_err *err)
{
    if (err == NULL) {
        return (struct iv_rc_s){IV_E_EVAL};
    }
    struct iv_str a = count > 0 ? iv_cel_kind_name(&args[0]) : IV_STR("");
    struct iv_str b = count > 1 ? iv_cel_kind_name(&args[1]) : IV_STR("");
    return iv_err_set(err, IV_E_EVAL,
                      "no such overload: '%s' does not go with (" IV_STR_FMT "%s" IV_STR_FMT "%s)",
                      what == NULL ? "the function" : what, IV_STR_ARG(a), count > 1 ? ", " : "",
                      IV_STR_ARG(b), count > 2 ? ", …" : "");
}

static iv_rc overflow(const char *what, struct iv_err *err)
{
    return iv_err_set(err, IV_E_EVAL, "%s overflow", what);
}

static iv_rc make_timestamp(struct iv_val *out, int64_t s, int64_t ns, struct iv_err *err)
{
    s += ns >= IV_NS_PER_S ? 1 : ns < 0 ? -1 : 0;
    ns += ns >= IV_NS_PER_S ? -IV_NS_PER_S : ns < 0 ? IV_NS_PER_S : 0;
    ENSURE(s >= IV_INSTANT_MIN_S && s <= IV_INSTANT_MAX_S, err, IV_E_EVAL,
           "timestamp out of range: it must lie in the years 0001 to 9999");
    *out = iv_val_timestamp((struct iv_instant){s, (int32_t)ns});
    return IV_OK;
}

static iv_rc make_duration(struct iv_val *out, int64_t s, int64_t ns, struct iv_err *err)
{
    s += ns >= IV_NS_PER_S ? 1 : ns < 0 ? -1 : 0;
    ns += ns >= IV_NS_PER_S ? -IV_NS_PER_S : ns < 0 ? IV_NS_PER_S : 0;
    bool fits = s >= -IV_DURATION_MAX_S && (s < IV_DURATION_MAX_S || (s == IV_DURATION_MAX_S && ns == 0));
    ENSURE(fits, err, IV_E_EVAL, "duration out of range: it must be within 10,000 years");
    *out = iv_val_duration((struct iv_instant){s, (int32_t)ns});
    return IV_OK;
}

static iv_rc concat_bytes(struct iv_val *out, const struct iv_val *args, struct iv_cel_frame *frame,
                          struct iv_err *err)
{
    struct iv_cel_text text;
    uint8_t kind = args[0].kind;
    iv_cel_text_begin(&text, frame, (size_t)args[0].n + args[1].n);
    iv_cel_text_add(&text, iv_val_slice(args[0]));
    iv_cel_text_add(&text, iv_val_slice(args[1]));
    TRY(iv_cel_text_end(out, &text, err));
    out->kind = kind;
    return IV_OK;
}

static iv_rc concat_lists(struct iv_val *out, const struct iv_val *args, struct iv_cel_frame *frame,
                          struct iv_err *err)
{
    struct iv_val *items = NULL;
    size_t n = (size_t)args[0].n + args[1].n;
    TRY(iv_cel_spend(frame, n, err));
    TRY(iv_cel_alloc(&items, frame, n * sizeof *items, err));
    if (args[0].n > 0) {
        memcpy(items, args[0].items, args[0].n * sizeof *items);
    }
    if (args[1].n > 0) {
        memcpy(items + args[0].n, args[1].items, args[1].n * sizeof *items);
    }
    *out = (struct iv_val){.kind = IV_KIND_LIST, .n = (uint32_t)n, .items = items};
    return IV_OK;
}

IV_CEL_FN(iv_cel_op_add)
{
    int64_t i = 0;
    uint64_t u = 0;
    switch (PAIR_OF(args)) {
    case PAIR(IV_KIND_INT, IV_KIND_INT):
        if (__builtin_add_overflow(args[0].i, args[1].i, &i)) {
            return overflow("integer", err);
        }
        *out = iv_val_int(i);
        return IV_OK;
    case PAIR(IV_KIND_UINT, IV_KIND_UINT):
        if (__builtin_add_overflow(args[0].u, args[1].u, &u)) {
            return overflow("unsigned integer", err);
        }
        *out = iv_val_uint(u);
        return IV_OK;
    case PAIR(IV_KIND_DOUBLE, IV_KIND_DOUBLE):
        *out = iv_val_double(args[0].d + args[1].d);
        return IV_OK;
    case PAIR(IV_KIND_TIMESTAMP, IV_KIND_DURATION):
    case PAIR(IV_KIND_DURATION, IV_KIND_TIMESTAMP):
        return make_timestamp(out, args[0].i + args[1].i, (int64_t)args[0].n + args[1].n, err);
    case PAIR(IV_KIND_DURATION, IV_KIND_DURATION):
        return make_duration(out, args[0].i + args[1].i, (int64_t)args[0].n + args[1].n, err);
    case PAIR(IV_KIND_STRING, IV_KIND_STRING):
    case PAIR(IV_KIND_BYTES, IV_KIND_BYTES):
        return concat_bytes(out, args, frame, err);
    case PAIR(IV_KIND_LIST, IV_KIND_LIST):
        return concat_lists(out, args, frame, err);
    default:
        return iv_cel_fail_overload("+", args, 2, err);
    }
}

IV_CEL_FN(iv_cel_op_sub)
{
    int64_t i = 0;
    uint64_t u = 0;
    switch (PAIR_OF(args)) {
    case PAIR(IV_KIND_INT, IV_KIND_INT):
        if (__builtin_sub_overflow(args[0].i, args[1].i, &i)) {
            return overflow("integer", err);
        }
        *out = iv_val_int(i);
        return IV_OK;
    case PAIR(IV_KIND_UINT, IV_KIND_UINT):
        if (__builtin_sub_overflow(args[0].u, args[1].u, &u)) {
            return overflow("unsigned integer", err);
        }
        *out = iv_val_uint(u);
        return IV_OK;
    case PAIR(IV_KIND_DOUBLE, IV_KIND_DOUBLE):
        *out = iv_val_double(args[0].d - args[1].d);
        return IV_OK;
    case PAIR(IV_KIND_TIMESTAMP, IV_KIND_DURATION):
        return make_timestamp(out, args[0].i - args[1].i, (int64_t)args[0].n - args[1].n, err);
    case PAIR(IV_KIND_TIMESTAMP, IV_KIND_TIMESTAMP): {
        iv_ns span = 0; /* a difference of instants must fit 64 bits of nanoseconds */
        int64_t ns = (int64_t)args[0].n - args[1].n;
        struct iv_instant whole = {args[0].i - args[1].i, 0};
        bool fits = iv_instant_to_ns(&span, whole) && !__builtin_add_overflow(span, ns, &span);
        ENSURE(fits, err, IV_E_EVAL, "duration out of range: the timestamps lie too far apart");
        return make_duration(out, whole.s, ns, err);
    }
    case PAIR(IV_KIND_DURATION, IV_KIND_DURATION):
        return make_duration(out, args[0].i - args[1].i, (int64_t)args[0].n - args[1].n, err);
    default:
        return iv_cel_fail_overload("-", args, 2, err);
    }
}

IV_CEL_FN(iv_cel_op_mul)
{
    int64_t i = 0;
    uint64_t u = 0;
    switch (PAIR_OF(args)) {
    case PAIR(IV_KIND_INT, IV_KIND_INT):
        if (__builtin_mul_overflow(args[0].i, args[1].i, &i)) {
            return overflow("integer", err);
        }
        *out = iv_val_int(i);
        return IV_OK;
    case PAIR(IV_KIND_UINT, IV_KIND_UINT):
        if (__builtin_mul_overflow(args[0].u, args[1].u, &u)) {
            return overflow("unsigned integer", err);
        }
        *out = iv_val_uint(u);
        return IV_OK;
    case PAIR(IV_KIND_DOUBLE, IV_KIND_DOUBLE):
        *out = iv_val_double(args[0].d * args[1].d);
        return IV_OK;
    default:
        return iv_cel_fail_overload("*", args, 2, err);
    }
}

IV_CEL_FN(iv_cel_op_div)
{
    switch (PAIR_OF(args)) {
    case PAIR(IV_KIND_INT, IV_KIND_INT):
        ENSURE(args[1].i != 0, err, IV_E_EVAL, "division by zero");
        if (args[0].i == INT64_MIN && args[1].i == -1) {
            return overflow("integer", err);
        }
        *out = iv_val_int(args[0].i / args[1].i);
        return IV_OK;
    case PAIR(IV_KIND_UINT, IV_KIND_UINT):
        ENSURE(args[1].u != 0, err, IV_E_EVAL, "division by zero");
        *out = iv_val_uint(args[0].u / args[1].u);
        return IV_OK;
    case PAIR(IV_KIND_DOUBLE, IV_KIND_DOUBLE):
        *out = iv_val_double(args[0].d / args[1].d);
        return IV_OK;
    default:
        return iv_cel_fail_overload("/", args, 2, err);
    }
}

IV_CEL_FN(iv_cel_op_mod)
{
    switch (PAIR_OF(args)) {
    case PAIR(IV_KIND_INT, IV_KIND_INT):
        ENSURE(args[1].i != 0, err, IV_E_EVAL, "modulus by zero");
        if (args[0].i == INT64_MIN && args[1].i == -1) {
            return overflow("integer", err);
        }
        *out = iv_val_int(args[0].i % args[1].i);
        return IV_OK;
    case PAIR(IV_KIND_UINT, IV_KIND_UINT):
        ENSURE(args[1].u != 0, err, IV_E_EVAL, "modulus by zero");
        *out = iv_val_uint(args[0].u % args[1].u);
        return IV_OK;
    default:
        return iv_cel_fail_overload("%", args, 2, err);
    }
}

IV_CEL_FN(iv_cel_op_neg)
{
    if (args[0].kind == IV_KIND_INT) {
        if (args[0].i == INT64_MIN) {
            return overflow("integer", err);
        }
        *out = iv_val_int(-args[0].i);
        return IV_OK;
    }
    if (args[0].kind == IV_KIND_DOUBLE) {
        *out = iv_val_double(-args[0].d);
        return IV_OK;
    }
    return iv_cel_fail_overload("-", args, 1, err);
}

static int sign_of(int order)
{
    return order < 0 ? -1 : order > 0;
}

static int order_doubles(double a, double b)
{
    if (isnan(a) || isnan(b)) {
        return 2;
    }
    return a < b ? -1 : a > b;
}

static int order_int_uint(int64_t i, uint64_t u)
{
    if (i < 0) {
        return -1;
    }
    return (uint64_t)i < u ? -1 : (uint64_t)i > u;
}

/* An integer against a double is compared as a double, as cel-spec's tests have it; equality is exact. */
iv_rc iv_cel_compare(int *out, const struct iv_val *a, const struct iv_val *b, struct iv_cel_frame *frame,
                     struct iv_err *err)
{
    switch (PAIR(a->kind, b->kind)) {
    case PAIR(IV_KIND_INT, IV_KIND_INT):
        *out = a->i < b->i ? -1 : a->i > b->i;
        break;
    case PAIR(IV_KIND_UINT, IV_KIND_UINT):
        *out = a->u < b->u ? -1 : a->u > b->u;
        break;
    case PAIR(IV_KIND_DOUBLE, IV_KIND_DOUBLE):
        *out = order_doubles(a->d, b->d);
        break;
    case PAIR(IV_KIND_TIMESTAMP, IV_KIND_TIMESTAMP):
    case PAIR(IV_KIND_DURATION, IV_KIND_DURATION):
        *out = iv_instant_cmp(iv_val_instant(*a), iv_val_instant(*b));
        break;
    case PAIR(IV_KIND_STRING, IV_KIND_STRING):
    case PAIR(IV_KIND_BYTES, IV_KIND_BYTES):
        TRY(iv_cel_spend_memory(frame, a->n < b->n ? a->n : b->n, err));
        *out = sign_of(iv_str_cmp(iv_val_slice(*a), iv_val_slice(*b)));
        break;
    case PAIR(IV_KIND_BOOL, IV_KIND_BOOL):
        *out = (int)a->b - (int)b->b;
        break;
    case PAIR(IV_KIND_DOUBLE, IV_KIND_INT):
        *out = order_doubles(a->d, (double)b->i);
        break;
    case PAIR(IV_KIND_INT, IV_KIND_DOUBLE):
        *out = order_doubles((double)a->i, b->d);
        break;
    case PAIR(IV_KIND_DOUBLE, IV_KIND_UINT):
        *out = order_doubles(a->d, (double)b->u);
        break;
    case PAIR(IV_KIND_UINT, IV_KIND_DOUBLE):
        *out = order_doubles((double)a->u, b->d);
        break;
    case PAIR(IV_KIND_INT, IV_KIND_UINT):
        *out = order_int_uint(a->i, b->u);
        break;
    case PAIR(IV_KIND_UINT, IV_KIND_INT):
        *out = -order_int_uint(b->i, a->u);
        break;
    default: {
        struct iv_val both[2] = {*a, *b};
        return iv_cel_fail_overload("<", both, 2, err);
    }
    }
    return IV_OK;
}
