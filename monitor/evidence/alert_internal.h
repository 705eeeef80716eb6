/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of alerts, copied. Internal to the room. */
#pragma once

#include "evidence/alert.h"

/* Puts the texts into the arena. False when memory is out. */
bool iv_alert_keep(struct iv_alert *alert, struct iv_arena *arena) __attribute__((warn_unused_result));
