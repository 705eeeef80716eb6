/* SPDX-License-Identifier: Apache-2.0 */
/* The members of an object in canonical order. For the files of this folder only.
 * Source: RFC 8785 3.2.3. */
#pragma once

#include "event/decoder.h"

/* As UTF-16 code units compare, of two UTF-8 texts. */
int iv_utf16_cmp(struct iv_str a, struct iv_str b);

/* Pushes the map's names in canonical order on decoder->keys; the last nodes[map].n of them are its. */
iv_rc iv_members_push(struct iv_decoder *decoder, uint32_t map, struct iv_err *err);
void iv_members_pop(struct iv_decoder *decoder, uint32_t map);
bool iv_same_name(const struct iv_tape *tape, const struct iv_sort_key *a, const struct iv_sort_key *b);
