/* SPDX-License-Identifier: Apache-2.0 */
/* Mail by SMTP. The dialogue is libcurl's. */
#include "base/alloc.h"
#include "base/guard.h"
#include "respond/alert/sink.h"
#include "respond/alert/smtp/mail.h"
#include "respond/alert/wire.h"

#include <string.h>
#include <strings.h>

#define TIMEOUT (20 * IV_NS_PER_S)
#define MAIL_MAX_BYTES (256u << 10)

enum { URL, FROM, TO, USER, PASSWORD, CA_FILE, PLAIN };

static const struct iv_setting settings[] = {
    {.name = "url",
     .form = IV_SETTING_TEXT,
     .required = true,
     .doc = "smtp://HOST:PORT, with STARTTLS, or smtps://HOST:PORT."},
    {.name = "from", .form = IV_SETTING_TEXT, .required = true, .doc = "The sender's address."},
    {.name = "to", .form = IV_SETTING_TEXTS, .required = true, .doc = "Addresses."},
    {.name = "user", .form = IV_SETTING_TEXT, .doc = "Goes with password_file."},
    {.name = "password_file", .form = IV_SETTING_SECRET, .doc = "Goes with user."},
    {.name = "ca_file", .form = IV_SETTING_FILE, .doc = "PEM, trusted for this sink alone."},
    {.name = "allow_plain",
     .form = IV_SETTING_FLAG,
     .doc = "smtp:// without TLS, without a user, where the server offers none."},
};

static bool begins_with(struct iv_str s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.n > n && strncasecmp(s.p, prefix, n) == 0;
}

static iv_rc check(const struct iv_alert_sink *sink, struct iv_err *err)
{
    const struct iv_setting_value *v = sink->values;
    struct iv_str url = v[URL].text;
    bool good = begins_with(url, "smtp://") || begins_with(url, "smtps://");
    for (size_t i = 0; good && i < url.n; i++) {
        good = url.p[i] > 0x20 && url.p[i] < 0x7f && strchr("@?#", url.p[i]) == NULL;
    }
    ENSURE(good, err, IV_E_REFUSED,
           "the url of sink '" IV_STR_FMT "' must be smtp://HOST:PORT or smtps://HOST:PORT",
           IV_STR_ARG(sink->name));
    ENSURE(iv_mail_address(v[FROM].text), err, IV_E_REFUSED,
           "'" IV_STR_FMT "' of sink '" IV_STR_FMT "' is no address", IV_STR_ARG(v[FROM].text),
           IV_STR_ARG(sink->name));
    for (size_t i = 0; i < v[TO].item_count; i++) {
        ENSURE(iv_mail_address(v[TO].items[i]), err, IV_E_REFUSED,
               "'" IV_STR_FMT "' of sink '" IV_STR_FMT "' is no address", IV_STR_ARG(v[TO].items[i]),
               IV_STR_ARG(sink->name));
    }
    ENSURE((v[USER].text.p == NULL) == (v[PASSWORD].text.p == NULL), err, IV_E_REFUSED,
           "user and password_file of sink '" IV_STR_FMT "' go together", IV_STR_ARG(sink->name));
    ENSURE(!v[PLAIN].yes || v[USER].text.p == NULL, err, IV_E_REFUSED,
           "sink '" IV_STR_FMT "' would show its password: allow_plain goes without a user",
           IV_STR_ARG(sink->name));
    return IV_OK;
}

static iv_rc open_smtp(void **driver, const struct iv_sink_tools *tools, struct iv_err *err)
{
    struct iv_sink_tools *mine = iv_malloc(sizeof *mine);
    ENSURE(mine != NULL, err, IV_E_NOMEM, "cannot allocate a sink");
    *mine = *tools;
    *driver = mine;
    return IV_OK;
}

/* The mail, read piece by piece. */
static size_t on_read(char *out, size_t size, size_t count, void *ctx)
{
    struct iv_str *left = ctx;
    size_t room = size * count;
    size_t n = left->n < room ? left->n : room;
    memcpy(out, left->p, n);
    left->p += n;
    left->n -= n;
    return n;
}

static bool set_options(CURL *e, const struct iv_setting_value *v, struct curl_slist *to, struct iv_str *mail)
{
    long tls = v[PLAIN].yes ? (long)CURLUSESSL_TRY : (long)CURLUSESSL_ALL;
    bool ok = curl_easy_setopt(e, CURLOPT_URL, v[URL].text.p) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_USE_SSL, tls) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_MAIL_FROM, v[FROM].text.p) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_MAIL_RCPT, to) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_UPLOAD, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_READDATA, mail) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail->n) == CURLE_OK;
    if (ok && v[USER].text.p != NULL) {
        ok = curl_easy_setopt(e, CURLOPT_USERNAME, v[USER].text.p) == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_PASSWORD, v[PASSWORD].text.p) == CURLE_OK;
    }
    return ok;
}

/*= RFC 5321 4.2.3: 552 and 554 are said of the mail; other refusals of whom it is from or to, which is the
 * configuration's. */
static void judge(struct iv_delivery *out, struct iv_str name, CURLcode code, long reply)
{
    if (code == CURLE_OK) {
        out->kind = IV_DELIVERY_TOLD;
    } else if (reply == 552 || reply == 554) {
        iv_delivery_refused(out, "sink '" IV_STR_FMT "' answered %ld", IV_STR_ARG(name), reply);
    } else if (reply >= 400) {
        iv_delivery_again(out, "sink '" IV_STR_FMT "' answered %ld", IV_STR_ARG(name), reply);
    } else {
        iv_delivery_again(out, "no answer from sink '" IV_STR_FMT "': %s", IV_STR_ARG(name),
                          curl_easy_strerror(code));
    }
}

static void list_free(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

static iv_rc send_mail(const struct iv_sink_tools *tools, struct iv_delivery *out, struct iv_str mail,
                       struct iv_err *err)
{
    const struct iv_setting_value *v = tools->sink->values;
    IV_AUTO(list_free) struct curl_slist *to = NULL;
    IV_AUTO(iv_wire_handle_freep) CURL *e = NULL;
    for (size_t i = 0; i < v[TO].item_count; i++) {
        struct curl_slist *more = curl_slist_append(to, v[TO].items[i].p);
        ENSURE(more != NULL, err, IV_E_NOMEM, "no memory left for the addresses of a mail");
        to = more;
    }
    TRY(iv_wire_handle(&e, v[CA_FILE].text, TIMEOUT, err));
    ENSURE(set_options(e, v, to, &mail), err, IV_E_STATE, "libcurl refuses the settings of a mail");
    CURLcode code = iv_wire_perform(tools->wire, e, false);
    long reply = 0;
    (void)curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &reply);
    judge(out, tools->sink->name, code, reply);
    return IV_OK;
}

static iv_rc deliver(void *driver, struct iv_delivery *out, const struct iv_notice *notices, size_t count,
                     struct iv_err *err)
{
    const struct iv_sink_tools *tools = driver;
    const struct iv_setting_value *v = tools->sink->values;
    IV_AUTO(iv_buf_deinit) struct iv_buf mail;
    const struct iv_mail_sender sender = {
        .from = v[FROM].text, .to = v[TO].items, .to_count = v[TO].item_count, .now = iv_wall(&tools->clock)};
    *out = (struct iv_delivery){.kind = IV_DELIVERY_AGAIN};
    iv_buf_init(&mail, MAIL_MAX_BYTES);
    IV_CHECK(count == 1);
    iv_mail_write(&mail, &sender, &notices[0], tools->link);
    TRY(iv_buf_check(&mail, "a mail", err));
    return send_mail(tools, out, iv_buf_slice(&mail), err);
}

const struct iv_sink_kind iv_sink_smtp = {
    .name = "smtp",
    .doc = "Mail by SMTP, with TLS.",
    .settings = settings,
    .setting_count = IV_COUNT(settings),
    .batch = 1,
    .check = check,
    .open = open_smtp,
    .close = iv_free,
    .deliver = deliver,
};
