/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/web/answer.h"

#include "base/buf.h"
#include "base/guard.h"
#include "event/decode.h"

#include <stdio.h>

#define RETRY_AFTER_MAX_S 3600

/* A hook may answer anything; what is kept must be UTF-8. */
struct iv_str iv_answer_keep(struct iv_arena *arena, struct iv_str bytes)
{
    struct iv_buf text;
    iv_buf_init(&text, IV_ANSWER_KEPT_BYTES);
    for (size_t i = 0; i < bytes.n && !iv_buf_failed(&text);) {
        unsigned char lead = (unsigned char)bytes.p[i];
        size_t n = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        struct iv_str character = {bytes.p + i, n};
        if (lead != 0 && i + n <= bytes.n && iv_utf8_valid(character)) {
            iv_buf_str(&text, character);
            i += n;
        } else {
            iv_buf_char(&text, '?');
            i++;
        }
    }
    struct iv_str kept = iv_arena_str(arena, iv_buf_slice(&text));
    iv_buf_deinit(&text);
    return kept;
}

bool iv_answer_json(struct iv_val *out, struct iv_call *call, struct iv_str body)
{
    IV_AUTO(iv_decoder_freep) struct iv_decoder *decoder = NULL;
    struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    const struct iv_json_options strict = {.lenient_members = false};
    limits.identifier_bytes = IV_ANSWER_READ_BYTES;
    return iv_ok(iv_decoder_new(&decoder, NULL, &limits, (struct iv_hash_key){0, 0}, NULL)) &&
           iv_ok(iv_json_parse(decoder, body, &strict, &call->arena, out, NULL));
}

void iv_answer_judge(struct iv_outcome *out, struct iv_call *call, struct iv_str place, int status,
                     int64_t retry_after_s, struct iv_str body)
{
    *out = (struct iv_outcome){.status = status, .answer = iv_answer_keep(&call->arena, body)};
    if (status >= 200 && status < 300) {
        out->kind = IV_OUTCOME_DONE;
        return;
    }
    const char *remark = "";
    if (status >= 300 && status < 400) {
        out->kind = IV_OUTCOME_FAILED;
        remark = ", a redirect, which is not followed";
    } else if (status == 408 || status == 425 || status == 429 || status >= 500) {
        out->kind = IV_OUTCOME_RETRY;
        int64_t s = retry_after_s < RETRY_AFTER_MAX_S ? retry_after_s : RETRY_AFTER_MAX_S;
        out->retry_after = s > 0 ? s * IV_NS_PER_S : 0;
    } else {
        out->kind = IV_OUTCOME_FAILED;
    }
    (void)snprintf(out->cause, sizeof out->cause, IV_STR_FMT " answered %d%s", IV_STR_ARG(place), status,
                   remark);
}

void iv_answer_none(struct iv_outcome *out, const struct iv_call *call, struct iv_str place, bool hopeless,
                    bool timed_out, const char *why)
{
    *out = (struct iv_outcome){.kind = hopeless ? IV_OUTCOME_FAILED : IV_OUTCOME_RETRY, .answer = IV_STR("")};
    if (timed_out) {
        (void)snprintf(out->cause, sizeof out->cause, IV_STR_FMT " did not answer within %lld ms",
                       IV_STR_ARG(place), (long long)(call->task.step.timeout / IV_NS_PER_MS));
    } else {
        (void)snprintf(out->cause, sizeof out->cause, "no answer from " IV_STR_FMT ": %s", IV_STR_ARG(place),
                       why);
    }
}
