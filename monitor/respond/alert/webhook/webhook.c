/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/guard.h"
#include "respond/alert/message.h"
#include "respond/alert/post.h"

enum { HMAC_KEY = IV_POST_SETTINGS };

static const struct iv_setting settings[] = {
    {.name = "url", .form = IV_SETTING_TEXT, .required = true, .doc = "Where it is posted to."},
    IV_POST_SETTINGS_BEHIND_URL,
    {.name = "hmac_key_file", .form = IV_SETTING_SECRET, .doc = "Signs each notice."},
};

static iv_rc check(const struct iv_alert_sink *sink, struct iv_err *err)
{
    return iv_post_check(sink, sink->values[IV_POST_URL].text, err);
}

static iv_rc open_webhook(void **driver, const struct iv_sink_tools *tools, struct iv_err *err)
{
    struct iv_sink_tools *mine = iv_malloc(sizeof *mine);
    ENSURE(mine != NULL, err, IV_E_NOMEM, "cannot allocate a sink");
    *mine = *tools;
    *driver = mine;
    return IV_OK;
}

static iv_rc deliver(void *driver, struct iv_delivery *out, const struct iv_notice *notices, size_t count,
                     struct iv_err *err)
{
    const struct iv_sink_tools *tools = driver;
    IV_AUTO(iv_buf_deinit) struct iv_buf body;
    IV_AUTO(iv_buf_deinit) struct iv_buf key;
    iv_buf_init(&body, IV_POST_BODY_MAX);
    iv_buf_init(&key, 128);
    struct iv_json j = iv_json_to(&body);
    iv_json_open_object(&j, NULL);
    IV_CHECK(count == 1);
    iv_message_members(&j, &notices[0], tools->link);
    iv_json_close_object(&j);
    iv_message_key(&key, &notices[0]);
    TRY(iv_buf_check(&body, "a notice", err));
    TRY(iv_buf_check(&key, "a notice's key", err));
    const struct iv_post post = {.url = tools->sink->values[IV_POST_URL].text,
                                 .body = iv_buf_slice(&body),
                                 .hmac_key = tools->sink->values[HMAC_KEY].text,
                                 .key = iv_buf_slice(&key)};
    return iv_post(out, NULL, NULL, tools, &post, err);
}

const struct iv_sink_kind iv_sink_webhook = {
    .name = "webhook",
    .doc = "POSTs each notice as JSON, signed, with an idempotency key.",
    .settings = settings,
    .setting_count = IV_COUNT(settings),
    .batch = 1,
    .check = check,
    .open = open_webhook,
    .close = iv_free,
    .deliver = deliver,
};
