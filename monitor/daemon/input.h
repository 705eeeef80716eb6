/* SPDX-License-Identifier: Apache-2.0 */
/* When people are told that the input is lost: after a minute, again as long as it lasts, and that it is
 * back. Owner/thread: plain data of one thread. Not here: whether it is there (detect.h, observer.h). */
#pragma once

#include "base/time.h"

#include <stdbool.h>

#define IV_INPUT_LOST_AFTER (60 * IV_NS_PER_S)
#define IV_INPUT_SAID_EVERY (300 * IV_NS_PER_S)

/* Moments by the monotonic clock. */
struct iv_input {
    bool lost; /* it was said; an earlier process may have said so */
    iv_ns at;  /* when the input was there last */
    iv_ns said;
};

enum iv_input_word { IV_INPUT_NO_NEWS, IV_INPUT_LOST, IV_INPUT_BACK };

struct iv_input iv_input_begin(iv_ns now);
enum iv_input_word iv_input_look(struct iv_input *input, bool reachable, iv_ns now);
