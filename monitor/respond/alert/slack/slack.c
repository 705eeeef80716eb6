/* SPDX-License-Identifier: Apache-2.0 */
/* Slack's incoming webhooks. The address is the secret; about one message a second is taken.
 * Source: api.slack.com, "Sending messages using incoming webhooks", "Rate limits", "Formatting text". */
#include "base/alloc.h"
#include "base/guard.h"
#include "respond/alert/message.h"
#include "respond/alert/post.h"

#define LINE_MAX_BYTES 2048u

static const struct iv_setting settings[] = {
    {.name = "url_file",
     .form = IV_SETTING_SECRET,
     .required = true,
     .doc = "The webhook's address, which is a secret."},
    IV_POST_SETTINGS_BEHIND_URL,
};

static iv_rc check(const struct iv_alert_sink *sink, struct iv_err *err)
{
    return iv_post_check(sink, sink->values[IV_POST_URL].text, err);
}

static iv_rc open_slack(void **driver, const struct iv_sink_tools *tools, struct iv_err *err)
{
    struct iv_sink_tools *mine = iv_malloc(sizeof *mine);
    ENSURE(mine != NULL, err, IV_E_NOMEM, "cannot allocate a sink");
    *mine = *tools;
    *driver = mine;
    return IV_OK;
}

/* Three characters would be markup: mentions and links, which nobody's name may make. */
static void add_escaped(struct iv_buf *out, struct iv_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        switch (text.p[i]) {
        case '&':
            iv_buf_text(out, "&amp;");
            break;
        case '<':
            iv_buf_text(out, "&lt;");
            break;
        case '>':
            iv_buf_text(out, "&gt;");
            break;
        default:
            iv_buf_char(out, text.p[i]);
        }
    }
}

static void write_text(struct iv_buf *out, const struct iv_notice *n, struct iv_str link)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, 8192);
    iv_message_line(&text, n);
    add_escaped(out, iv_buf_slice(&text));
    iv_buf_clear(&text);
    iv_message_cause(&text, n);
    if (text.n > 0) {
        iv_buf_char(out, '\n');
        add_escaped(out, iv_buf_slice(&text));
    }
    iv_buf_clear(&text);
    iv_message_link(&text, n, link);
    if (text.n > 0) {
        iv_buf_text(out, "\n<");
        add_escaped(out, iv_buf_slice(&text));
        iv_buf_text(out, "|In the console>");
    }
    iv_buf_inherit(out, &text);
}

static iv_rc deliver(void *driver, struct iv_delivery *out, const struct iv_notice *notices, size_t count,
                     struct iv_err *err)
{
    const struct iv_sink_tools *tools = driver;
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    IV_AUTO(iv_buf_deinit) struct iv_buf body;
    IV_AUTO(iv_buf_deinit) struct iv_buf key;
    iv_buf_init(&text, 4 * LINE_MAX_BYTES);
    iv_buf_init(&body, IV_POST_BODY_MAX);
    iv_buf_init(&key, 128);
    IV_CHECK(count == 1);
    write_text(&text, &notices[0], tools->link);
    struct iv_json j = iv_json_to(&body);
    iv_json_open_object(&j, NULL);
    iv_json_str(&j, "text", iv_buf_slice(&text));
    iv_json_close_object(&j);
    iv_message_key(&key, &notices[0]);
    TRY(iv_buf_check(&text, "a notice", err));
    TRY(iv_buf_check(&body, "a notice", err));
    TRY(iv_buf_check(&key, "a notice's key", err));
    const struct iv_post post = {
        .url = tools->sink->values[IV_POST_URL].text, .body = iv_buf_slice(&body), .key = iv_buf_slice(&key)};
    return iv_post(out, NULL, NULL, tools, &post, err);
}

const struct iv_sink_kind iv_sink_slack = {
    .name = "slack",
    .doc = "Writes into a Slack channel by an incoming webhook.",
    .settings = settings,
    .setting_count = IV_COUNT(settings),
    .batch = 1,
    .pace = IV_NS_PER_S,
    .check = check,
    .open = open_slack,
    .close = iv_free,
    .deliver = deliver,
};
