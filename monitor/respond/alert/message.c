/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/alert/message.h"

#include "base/guard.h"

#include <inttypes.h>

void iv_message_plain(struct iv_buf *out, struct iv_str text, size_t max)
{
    size_t n = text.n;
    if (n > max) {
        for (n = max; n > 0 && ((unsigned char)text.p[n] & 0xc0) == 0x80; n--) {
        }
    }
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        iv_buf_char(out, c < 0x20 || c == 0x7f ? ' ' : text.p[i]);
    }
}

static void add_part(struct iv_buf *out, const char **before, const char *name, struct iv_str value)
{
    if (value.n > 0) {
        iv_buf_text(out, *before);
        iv_buf_text(out, name);
        iv_message_plain(out, iv_str_eq(value, IV_STR("*")) ? IV_STR("(many)") : value, 128);
        *before = ", ";
    }
}

void iv_message_line(struct iv_buf *out, const struct iv_notice *notice)
{
    const struct iv_alert *a = &notice->alert;
    const char *before = ": ";
    iv_buf_text(out, a->firing ? "FIRING " : "RESOLVED ");
    iv_buf_text(out, iv_severity_name(a->severity));
    iv_buf_char(out, ' ');
    iv_buf_str(out, a->rule);
    iv_buf_text(out, a->kind == IV_INCONCLUSIVE ? " (not certain) " : " ");
    iv_message_plain(out, a->title, 256);
    add_part(out, &before, "tenant ", a->tenant);
    add_part(out, &before, "agent ", a->agent);
    add_part(out, &before, "", a->subject);
    if (a->count > 1) {
        iv_buf_printf(out, "%s%" PRId64 " %s", before, a->count, a->finding.n > 0 ? "findings" : "times");
    }
}

void iv_message_cause(struct iv_buf *out, const struct iv_notice *notice)
{
    const struct iv_alert *a = &notice->alert;
    iv_message_plain(out, a->firing ? a->detail : a->cause, 1024);
}

void iv_message_link(struct iv_buf *out, const struct iv_notice *notice, struct iv_str link)
{
    const struct iv_alert *a = &notice->alert;
    if (link.n == 0) {
        return;
    }
    while (link.n > 0 && link.p[link.n - 1] == '/') {
        link.n--;
    }
    iv_buf_str(out, link);
    iv_buf_char(out, '/');
    if (a->finding.n > 0) {
        iv_buf_text(out, "?finding=");
        iv_buf_str(out, a->finding);
    }
}

void iv_message_key(struct iv_buf *out, const struct iv_notice *notice)
{
    iv_buf_str(out, notice->alert.fingerprint);
    iv_buf_printf(out, "-%" PRId64, notice->id);
}

static void add_known(struct iv_json *j, const char *name, struct iv_str value)
{
    if (value.n > 0) {
        iv_json_str(j, name, value);
    }
}

static void add_criteria(struct iv_json *j, struct iv_str criteria)
{
    iv_json_open_list(j, "criteria");
    for (size_t start = 0; start < criteria.n;) {
        const char *space = memchr(criteria.p + start, ' ', criteria.n - start);
        size_t end = space == NULL ? criteria.n : (size_t)(space - criteria.p);
        iv_json_str(j, NULL, (struct iv_str){criteria.p + start, end - start});
        start = end + 1;
    }
    iv_json_close_list(j);
}

void iv_message_members(struct iv_json *j, const struct iv_notice *notice, struct iv_str link)
{
    const struct iv_alert *a = &notice->alert;
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, 8192);
    iv_message_key(&text, notice);
    iv_json_str(j, "key", iv_buf_slice(&text));
    iv_json_str(j, "fingerprint", a->fingerprint);
    iv_json_text(j, "state", a->firing ? "firing" : "resolved");
    iv_json_text(j, "severity", iv_severity_name(a->severity));
    iv_json_text(j, "verdict", iv_verdict_kind_name(a->kind));
    iv_json_str(j, "rule", a->rule);
    iv_json_str(j, "title", a->title);
    iv_buf_clear(&text);
    iv_message_line(&text, notice);
    iv_json_str(j, "summary", iv_buf_slice(&text));
    add_criteria(j, a->criteria);
    add_known(j, "tenant", a->tenant);
    add_known(j, "agent", a->agent);
    add_known(j, "subject", a->subject);
    add_known(j, "detail", a->detail);
    iv_json_int(j, "count", a->count);
    add_known(j, "finding", a->finding);
    iv_json_time(j, "started", a->started);
    if (!a->firing) {
        iv_json_time(j, "ended", a->ended);
        add_known(j, "cause", a->cause);
    }
    iv_buf_clear(&text);
    iv_message_link(&text, notice, link);
    add_known(j, "link", iv_buf_slice(&text));
    iv_buf_inherit(j->out, &text);
}
