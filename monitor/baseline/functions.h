/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of rules over events and receipts, for whoever compiles expressions: hash_valid and
 * receipt_valid. */
#pragma once

#include "base/err.h"
#include "cel/cel.h"
#include "event/keyring.h"

/* The keyring outlives the environment and its programs. */
iv_rc iv_load_functions(struct iv_cel_env *env, const struct iv_keyring *keyring, struct iv_err *err);
