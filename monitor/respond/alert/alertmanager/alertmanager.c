/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus Alertmanager, API v2. What is not posted again ends by its endsAt, so what fires is posted again
 * each minute; and what is resolved for some minutes more, for a member of its cluster that was away.
 * Source: Alertmanager's api/v2/openapi.yaml, postableAlerts. */
#include "base/alloc.h"
#include "base/guard.h"
#include "respond/alert/message.h"
#include "respond/alert/post.h"

#define REFRESH (60 * IV_NS_PER_S)
#define REMEMBERS (15 * 60 * IV_NS_PER_S)
#define LAPSES_AFTER (4 * REFRESH)
#define URL_MAX_BYTES 2048u

static const struct iv_setting settings[] = {
    {.name = "url",
     .form = IV_SETTING_TEXT,
     .required = true,
     .doc = "The address of Alertmanager; /api/v2/alerts is added."},
    IV_POST_SETTINGS_BEHIND_URL,
};

struct alertmanager {
    struct iv_sink_tools tools;
    struct iv_buf url;
    struct iv_buf body;
    struct iv_buf key;
};

static iv_rc check(const struct iv_alert_sink *sink, struct iv_err *err)
{
    return iv_post_check(sink, sink->values[IV_POST_URL].text, err);
}

static void close_alertmanager(void *driver)
{
    struct alertmanager *a = driver;
    if (a != NULL) {
        iv_buf_deinit(&a->url);
        iv_buf_deinit(&a->body);
        iv_buf_deinit(&a->key);
        iv_free(a);
    }
}

static iv_rc open_alertmanager(void **driver, const struct iv_sink_tools *tools, struct iv_err *err)
{
    struct alertmanager *a = iv_calloc(1, sizeof *a);
    ENSURE(a != NULL, err, IV_E_NOMEM, "cannot allocate a sink");
    a->tools = *tools;
    iv_buf_init(&a->url, URL_MAX_BYTES);
    iv_buf_init(&a->body, IV_POST_BODY_MAX);
    iv_buf_init(&a->key, 128);
    *driver = a;
    return IV_OK;
}

/* Identity is the set of labels, so nothing that changes while it fires is among them. */
static void add_label(struct iv_json *j, const char *name, struct iv_str value)
{
    if (value.n > 0) {
        iv_json_str(j, name, value);
    }
}

static void add_annotations(struct iv_json *j, const struct iv_notice *n)
{
    const struct iv_alert *a = &n->alert;
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, 4096);
    iv_json_open_object(j, "annotations");
    iv_message_plain(&text, a->title, 1024);
    iv_json_str(j, "summary", iv_buf_slice(&text));
    add_label(j, "criteria", a->criteria);
    add_label(j, "detail", a->detail);
    add_label(j, "finding", a->finding);
    iv_buf_clear(&text);
    iv_buf_printf(&text, "%lld", (long long)a->count);
    iv_json_str(j, "count", iv_buf_slice(&text));
    iv_json_close_object(j);
    iv_buf_inherit(j->out, &text);
}

static void add_alert(struct iv_json *j, const struct iv_notice *n, struct iv_str link, iv_ns now)
{
    const struct iv_alert *a = &n->alert;
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, 4096);
    iv_json_open_object(j, NULL);
    iv_json_open_object(j, "labels");
    iv_json_str(j, "alertname", a->rule);
    iv_json_text(j, "severity", iv_severity_name(a->severity));
    iv_json_text(j, "verdict", iv_verdict_kind_name(a->kind));
    iv_json_text(j, "source", "invigil");
    add_label(j, "tenant", a->tenant);
    add_label(j, "agent", a->agent);
    add_label(j, "subject", a->subject);
    iv_json_close_object(j);
    add_annotations(j, n);
    iv_json_time(j, "startsAt", a->started);
    iv_json_time(j, "endsAt", a->firing ? iv_ns_add(now, LAPSES_AFTER) : a->ended);
    iv_message_link(&text, n, link);
    add_label(j, "generatorURL", iv_buf_slice(&text));
    iv_json_close_object(j);
    iv_buf_inherit(j->out, &text);
}

static iv_rc write(struct alertmanager *a, const struct iv_notice *notices, size_t count, struct iv_err *err)
{
    struct iv_str base = a->tools.sink->values[IV_POST_URL].text;
    iv_ns now = iv_wall(&a->tools.clock);
    iv_buf_clear(&a->url);
    iv_buf_clear(&a->body);
    while (base.n > 0 && base.p[base.n - 1] == '/') {
        base.n--;
    }
    iv_buf_str(&a->url, base);
    iv_buf_text(&a->url, "/api/v2/alerts");
    struct iv_json j = iv_json_to(&a->body);
    iv_json_open_list(&j, NULL);
    for (size_t i = 0; i < count; i++) {
        add_alert(&j, &notices[i], a->tools.link, now);
    }
    iv_json_close_list(&j);
    iv_buf_clear(&a->key);
    iv_message_key(&a->key, &notices[0]);
    TRY(iv_buf_check(&a->key, "a notice's key", err));
    TRY(iv_buf_check(&a->url, "the address of a sink", err));
    return iv_buf_check(&a->body, "notices", err);
}

static iv_rc deliver(void *driver, struct iv_delivery *out, const struct iv_notice *notices, size_t count,
                     struct iv_err *err)
{
    struct alertmanager *a = driver;
    TRY(write(a, notices, count, err));
    const struct iv_post post = {
        .url = iv_buf_slice(&a->url), .body = iv_buf_slice(&a->body), .key = iv_buf_slice(&a->key)};
    return iv_post(out, NULL, NULL, &a->tools, &post, err);
}

const struct iv_sink_kind iv_sink_alertmanager = {
    .name = "alertmanager",
    .doc = "Posts alerts to Prometheus Alertmanager, and goes on posting what fires.",
    .settings = settings,
    .setting_count = IV_COUNT(settings),
    .batch = IV_SINK_BATCH_MAX,
    .refresh = REFRESH,
    .remembers = REMEMBERS,
    .check = check,
    .open = open_alertmanager,
    .close = close_alertmanager,
    .deliver = deliver,
};
