/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between the monitor and its hand: a list of byte strings in one datagram. Internal to hand/. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

#define IV_HAND_MESSAGE_BYTES (96u << 10)
#define IV_HAND_WORDS 64

/* Appends one word, each with its length in front of it, four bytes, least first. */
void iv_words_add(struct iv_buf *out, struct iv_str word);

struct iv_words_list {
    struct iv_str items[IV_HAND_WORDS]; /* in the message's bytes */
    size_t count;
};
/* False: that is no such message. */
bool iv_words_read(struct iv_words_list *out, struct iv_str message);
