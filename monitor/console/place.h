/* SPDX-License-Identifier: Apache-2.0 */
/* A place in the store's two sequences, findings and the log of actions: what a live stream counts by.
 * As text "17-42", which is the id of an event and what Last-Event-ID brings back. */
#pragma once

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct iv_place {
    int64_t findings;
    int64_t actions;
};

enum { IV_PLACE_BYTES = 48 };

bool iv_place_parse(struct iv_place *out, struct iv_str text);
void iv_place_format(char out[IV_PLACE_BYTES], struct iv_place place);
