/* SPDX-License-Identifier: Apache-2.0 */
/* Who may approve: roles of the baseline's keys, as one text with spaces between ("security on-call").
 * Owner/thread: pure. */
#pragma once

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct iv_keyring;

bool iv_approvers_have(struct iv_str roles, struct iv_str role);
/* How many there are: different public keys of one of these roles, whenever they are valid. */
size_t iv_approvers_count(const struct iv_keyring *keyring, struct iv_str roles);
