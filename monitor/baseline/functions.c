/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that expressions have over events and receipts. */
#include "baseline/functions.h"

#include "base/guard.h"
#include "event/event.h"

/*= contract Rules, fine points "hash_valid and receipt_valid never fail on what they are given" */
static struct iv_rc_s hash_valid(struct iv_val *out, const struct iv_val *args, size_t count,
                                 struct iv_cel_frame *frame, void *ctx, struct iv_err *err)
{
    (void)count;
    (void)frame;
    (void)ctx;
    *out = iv_val_bool(false);
    if (args[0].kind != IV_KIND_OBJECT) {
        return IV_OK;
    }
    const struct iv_event *event = args[0].object->owner;
    ENSURE(event != NULL, err, IV_E_EVAL, "hash_valid: the record of this event was not kept");
    *out =
        iv_val_bool(event->hash_valid == 1); /* computed by whoever holds the record, before the rule runs */
    return IV_OK;
}

static struct iv_rc_s receipt_valid(struct iv_val *out, const struct iv_val *args, size_t count,
                                    struct iv_cel_frame *frame, void *ctx, struct iv_err *err)
{
    (void)frame;
    (void)err;
    const struct iv_keyring *keyring = ctx;
    struct iv_str role = {NULL, 0};
    bool sensible = args[0].kind == IV_KIND_MAP;
    if (count == 2) {
        sensible = sensible && args[1].kind == IV_KIND_STRING;
        role = sensible ? iv_val_slice(args[1]) : role;
    }
    *out = iv_val_bool(sensible && iv_receipt_valid(keyring, &args[0], role));
    return IV_OK;
}

struct iv_rc_s iv_load_functions(struct iv_cel_env *env, const struct iv_keyring *keyring, struct iv_err *err)
{
    union {
        const struct iv_keyring *shared;
        void *ctx;
    } ring = {.shared = keyring}; /* overloads carry a plain pointer; the function gives the const back */
    const struct iv_cel_overload overloads[] = {
        {.function = IV_STR("hash_valid"),
         .result = &iv_cel_bool,
         .args = {&iv_cel_dyn},
         .arg_count = 1,
         .cost = 1,
         .call = hash_valid},
        {.function = IV_STR("receipt_valid"),
         .result = &iv_cel_bool,
         .args = {&iv_cel_dyn},
         .arg_count = 1,
         .cost = 100,
         .call = receipt_valid,
         .ctx = ring.ctx},
        {.function = IV_STR("receipt_valid"),
         .result = &iv_cel_bool,
         .args = {&iv_cel_dyn, &iv_cel_string},
         .arg_count = 2,
         .cost = 100,
         .call = receipt_valid,
         .ctx = ring.ctx},
    };
    for (size_t i = 0; i < IV_COUNT(overloads); i++) {
        TRY(iv_cel_env_function(env, &overloads[i], err));
    }
    return IV_OK;
}
