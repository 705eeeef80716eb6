/* SPDX-License-Identifier: Apache-2.0 */
/* PagerDuty, Events API v2. The alert's fingerprint is the dedup_key, so what is sent twice is one incident,
 * and what fires anew after it was resolved is another one. Source: developer.pagerduty.com, Events API v2,
 * "Send an alert event". */
#include "base/alloc.h"
#include "base/guard.h"
#include "respond/alert/message.h"
#include "respond/alert/post.h"

#define EVENTS_URL IV_STR("https://events.pagerduty.com/v2/enqueue")
#define ROUTING_KEY_BYTES 32u
#define SUMMARY_MAX_BYTES 1024u

enum { ROUTING_KEY = IV_POST_SETTINGS };

static const struct iv_setting settings[] = {
    {.name = "url",
     .form = IV_SETTING_TEXT,
     .doc = "Where events go, unless to PagerDuty's service in the USA."},
    IV_POST_SETTINGS_BEHIND_URL,
    {.name = "routing_key_file",
     .form = IV_SETTING_SECRET,
     .required = true,
     .doc = "The integration key of the service."},
};

static struct iv_str url_of(const struct iv_alert_sink *sink)
{
    struct iv_str url = sink->values[IV_POST_URL].text;
    return url.p == NULL ? EVENTS_URL : url;
}

static iv_rc check(const struct iv_alert_sink *sink, struct iv_err *err)
{
    ENSURE(sink->values[ROUTING_KEY].text.n == ROUTING_KEY_BYTES, err, IV_E_REFUSED,
           "the routing key of sink '" IV_STR_FMT "' must have %u characters", IV_STR_ARG(sink->name),
           ROUTING_KEY_BYTES);
    return iv_post_check(sink, url_of(sink), err);
}

static iv_rc open_pagerduty(void **driver, const struct iv_sink_tools *tools, struct iv_err *err)
{
    struct iv_sink_tools *mine = iv_malloc(sizeof *mine);
    ENSURE(mine != NULL, err, IV_E_NOMEM, "cannot allocate a sink");
    *mine = *tools;
    *driver = mine;
    return IV_OK;
}

static const char *severity_of(enum iv_severity severity)
{
    static const char *const names[] = {[IV_SEV_INFO] = "info",
                                        [IV_SEV_LOW] = "info",
                                        [IV_SEV_MEDIUM] = "warning",
                                        [IV_SEV_HIGH] = "error",
                                        [IV_SEV_CRITICAL] = "critical"};
    return names[severity];
}

static void add_payload(struct iv_json *j, const struct iv_notice *n, struct iv_str link)
{
    const struct iv_alert *a = &n->alert;
    IV_AUTO(iv_buf_deinit) struct iv_buf line;
    IV_AUTO(iv_buf_deinit) struct iv_buf summary;
    iv_buf_init(&line, 8192);
    iv_buf_init(&summary, 2 * SUMMARY_MAX_BYTES);
    iv_message_line(&line, n);
    iv_message_plain(&summary, iv_buf_slice(&line), SUMMARY_MAX_BYTES);
    iv_json_open_object(j, "payload");
    iv_json_str(j, "summary", iv_buf_slice(&summary));
    iv_json_text(j, "source", "invigil");
    iv_json_text(j, "severity", severity_of(a->severity));
    iv_json_time(j, "timestamp", a->started);
    if (a->agent.n > 0) {
        iv_json_str(j, "component", a->agent);
    }
    if (a->tenant.n > 0) {
        iv_json_str(j, "group", a->tenant);
    }
    iv_json_str(j, "class", a->rule);
    iv_json_open_object(j, "custom_details");
    iv_message_members(j, n, link);
    iv_json_close_object(j);
    iv_json_close_object(j);
    iv_buf_inherit(j->out, &line);
    iv_buf_inherit(j->out, &summary);
}

static void add_links(struct iv_json *j, const struct iv_notice *n, struct iv_str link)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, 4096);
    iv_message_link(&text, n, link);
    if (text.n > 0) {
        iv_json_open_list(j, "links");
        iv_json_open_object(j, NULL);
        iv_json_str(j, "href", iv_buf_slice(&text));
        iv_json_text(j, "text", "In the console");
        iv_json_close_object(j);
        iv_json_close_list(j);
    }
    iv_buf_inherit(j->out, &text);
}

static void write_event(struct iv_buf *out, const struct iv_sink_tools *tools, const struct iv_notice *n)
{
    struct iv_json j = iv_json_to(out);
    iv_json_open_object(&j, NULL);
    iv_json_str(&j, "routing_key", tools->sink->values[ROUTING_KEY].text);
    bool triggers = n->alert.firing && !n->acknowledged;
    iv_json_text(&j, "event_action", triggers ? "trigger" : n->acknowledged ? "acknowledge" : "resolve");
    iv_json_str(&j, "dedup_key", n->alert.fingerprint);
    if (triggers) {
        iv_json_text(&j, "client", "Invigil");
        add_payload(&j, n, tools->link);
        add_links(&j, n, tools->link);
    }
    iv_json_close_object(&j);
}

static iv_rc deliver(void *driver, struct iv_delivery *out, const struct iv_notice *notices, size_t count,
                     struct iv_err *err)
{
    const struct iv_sink_tools *tools = driver;
    IV_AUTO(iv_buf_wipe) struct iv_buf body; /* the routing key is in it */
    IV_AUTO(iv_buf_deinit) struct iv_buf key;
    iv_buf_init(&body, IV_POST_BODY_MAX);
    iv_buf_init(&key, 128);
    IV_CHECK(count == 1);
    write_event(&body, tools, &notices[0]);
    iv_message_key(&key, &notices[0]);
    TRY(iv_buf_check(&body, "a notice", err));
    TRY(iv_buf_check(&key, "a notice's key", err));
    const struct iv_post post = {
        .url = url_of(tools->sink), .body = iv_buf_slice(&body), .key = iv_buf_slice(&key)};
    return iv_post(out, NULL, NULL, tools, &post, err);
}

const struct iv_sink_kind iv_sink_pagerduty = {
    .name = "pagerduty",
    .doc = "Triggers and resolves incidents by PagerDuty's Events API v2.",
    .settings = settings,
    .setting_count = IV_COUNT(settings),
    .batch = 1,
    .acknowledges = true,
    .check = check,
    .open = open_pagerduty,
    .close = iv_free,
    .deliver = deliver,
};
