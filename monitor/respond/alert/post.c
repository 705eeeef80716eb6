/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/alert/post.h"

#include "base/guard.h"
#include "respond/web/web.h"

#define TIMEOUT (10 * IV_NS_PER_S)
#define PUMP_WAIT IV_NS_PER_S
#define CALL_MAX_BYTES (1u << 20)

static struct iv_endpoint endpoint_of(const struct iv_alert_sink *sink, struct iv_str url)
{
    const struct iv_setting_value *v = sink->values;
    return (struct iv_endpoint){.name = sink->name,
                                .url = url,
                                .ca_file = v[IV_POST_CA_FILE].text,
                                .bearer_token_file = v[IV_POST_TOKEN].text,
                                .certificate = v[IV_POST_CERTIFICATE].text,
                                .key = v[IV_POST_KEY].text,
                                .allow_http = v[IV_POST_ALLOW_HTTP].yes};
}

iv_rc iv_post_check(const struct iv_alert_sink *sink, struct iv_str url, struct iv_err *err)
{
    const struct iv_endpoint endpoint = endpoint_of(sink, url);
    return iv_endpoint_check(&endpoint, err);
}

/* A call of the client, with what it is to say. */
struct posting {
    struct iv_call call; /* first, so that it is found by it */
    const struct iv_post *post;
};

static iv_rc ask(struct iv_web_request *out, struct iv_call *call, struct iv_err *err)
{
    const struct posting *p = (const struct posting *)call;
    (void)err;
    *out = (struct iv_web_request){
        .method = "POST", .path = IV_STR(""), .type = "application/json", .body = p->post->body};
    return IV_OK;
}

static const struct iv_action_kind kind = {.name = "alert", .ask = ask};

static void judge(struct iv_delivery *out, const struct iv_outcome *o)
{
    bool never = o->status == 400 || o->status == 413 || o->status == 422;
    out->kind = o->kind == IV_OUTCOME_DONE ? IV_DELIVERY_TOLD
                : never                    ? IV_DELIVERY_REFUSED
                                           : IV_DELIVERY_AGAIN;
    out->retry_after = o->retry_after;
    memcpy(out->why, o->cause, sizeof out->why);
}

static void posting_deinit(struct posting *p)
{
    iv_arena_deinit(&p->call.arena);
}

iv_rc iv_post(struct iv_delivery *out, int *status, struct iv_buf *answer, const struct iv_sink_tools *tools,
              const struct iv_post *post, struct iv_err *err)
{
    struct iv_endpoint endpoint = endpoint_of(tools->sink, post->url);
    endpoint.hmac_key = post->hmac_key;
    IV_AUTO(posting_deinit)
    struct posting p = {.call = {.endpoint = &endpoint, .now = iv_wall(&tools->clock)}, .post = post};
    iv_arena_init(&p.call.arena, CALL_MAX_BYTES);
    p.call.task.step.key = post->key;
    p.call.task.step.timeout = TIMEOUT;
    struct iv_rc_s rc = iv_web_send(tools->web, &p.call, &kind, err);
    if (rc.code == IV_E_BUSY) {
        iv_delivery_again(out, "%s", err->text);
        return IV_OK;
    }
    while (iv_ok(rc) && !p.call.finished && !atomic_load(tools->ended)) {
        rc = iv_web_pump(tools->web, -1, PUMP_WAIT, err);
    }
    if (!p.call.finished) {
        iv_web_abandon(tools->web, &p.call);
        iv_delivery_again(out, "the monitor ends");
        return rc;
    }
    judge(out, &p.call.outcome);
    if (status != NULL) {
        *status = (int)p.call.outcome.status;
    }
    if (answer != NULL) {
        iv_buf_str(answer, p.call.outcome.answer);
    }
    return rc;
}
