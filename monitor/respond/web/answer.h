/* SPDX-License-Identifier: Apache-2.0 */
/* What an HTTP answer, or the lack of one, means for a step, as long as its kind does not know better. */
#pragma once

#include "respond/action.h"

#define IV_ANSWER_READ_BYTES (64u << 10) /* of an answer's body; reading stops there */
#define IV_ANSWER_KEPT_BYTES 2048u       /* of it in the store */

/* 2xx is done; 408, 425, 429 and 5xx are tried again; anything else has failed, redirects among it. place:
 * "endpoint 'hook'". */
void iv_answer_judge(struct iv_outcome *out, struct iv_call *call, struct iv_str place, int status,
                     int64_t retry_after_s, struct iv_str body);
/* An answer's body as JSON, in the call's arena. False: it is none. */
bool iv_answer_json(struct iv_val *out, struct iv_call *call, struct iv_str body);
/* What is kept of an answer or an output: UTF-8, bounded. */
struct iv_str iv_answer_keep(struct iv_arena *arena, struct iv_str bytes);
/* No answer came. hopeless: nor would one to a second call. */
void iv_answer_none(struct iv_outcome *out, const struct iv_call *call, struct iv_str place, bool hopeless,
                    bool timed_out, const char *why);
