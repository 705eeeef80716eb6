/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/alert/syslog/line.h"

#include "base/guard.h"

#include <inttypes.h>

#define VALUE_MAX_BYTES 512u
#define UTF8_MARK "\xef\xbb\xbf"

static int severity_of(enum iv_severity severity)
{
    static const int numbers[] = {
        [IV_SEV_INFO] = 6, [IV_SEV_LOW] = 5, [IV_SEV_MEDIUM] = 4, [IV_SEV_HIGH] = 3, [IV_SEV_CRITICAL] = 2};
    return numbers[severity];
}

/*= RFC 5424 6.3.3 "Inside PARAM-VALUE, the characters '"', '\' and ']' MUST be escaped" */
static void add_parameter(struct iv_buf *out, const char *name, struct iv_str value)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf plain;
    iv_buf_init(&plain, 2 * VALUE_MAX_BYTES);
    if (value.n == 0) {
        return;
    }
    iv_message_plain(&plain, value, VALUE_MAX_BYTES);
    iv_buf_printf(out, " %s=\"", name);
    for (size_t i = 0; i < plain.n; i++) {
        if (plain.p[i] == '"' || plain.p[i] == '\\' || plain.p[i] == ']') {
            iv_buf_char(out, '\\');
        }
        iv_buf_char(out, plain.p[i]);
    }
    iv_buf_char(out, '"');
    iv_buf_inherit(out, &plain);
}

static void add_data(struct iv_buf *out, const struct iv_syslog_sender *sender, const struct iv_notice *n,
                     struct iv_str link)
{
    const struct iv_alert *a = &n->alert;
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, 4096);
    iv_buf_printf(out, "[invigil@%" PRId64, sender->enterprise);
    iv_message_key(&text, n);
    add_parameter(out, "key", iv_buf_slice(&text));
    add_parameter(out, "fingerprint", a->fingerprint);
    add_parameter(out, "state", a->firing ? IV_STR("firing") : IV_STR("resolved"));
    add_parameter(out, "rule", a->rule);
    add_parameter(out, "severity", iv_str_of(iv_severity_name(a->severity)));
    add_parameter(out, "criteria", a->criteria);
    add_parameter(out, "tenant", a->tenant);
    add_parameter(out, "agent", a->agent);
    add_parameter(out, "subject", a->subject);
    iv_buf_printf(out, " count=\"%" PRId64 "\"", a->count);
    add_parameter(out, "finding", a->finding);
    iv_buf_clear(&text);
    iv_message_link(&text, n, link);
    add_parameter(out, "link", iv_buf_slice(&text));
    iv_buf_char(out, ']');
    iv_buf_inherit(out, &text);
}

/*= RFC 5424 6.2.3 "TIME-SECFRAC = "." 1*6DIGIT" */
static void add_time(struct iv_buf *out, const struct iv_alert *a)
{
    iv_ns time = a->firing ? a->started : a->ended;
    iv_ns_format(out, time - time % IV_NS_PER_MS);
}

void iv_syslog_write(struct iv_buf *out, const struct iv_syslog_sender *sender,
                     const struct iv_notice *notice, struct iv_str link, bool counted)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf line;
    IV_AUTO(iv_buf_deinit) struct iv_buf cause;
    iv_buf_init(&line, 64u << 10);
    iv_buf_init(&cause, 4096);
    iv_buf_printf(&line, "<%" PRId64 ">1 ", sender->facility * 8 + severity_of(notice->alert.severity));
    add_time(&line, &notice->alert);
    iv_buf_printf(&line, " " IV_STR_FMT " invigil %ld alert ", IV_STR_ARG(sender->host), sender->process);
    add_data(&line, sender, notice, link);
    iv_buf_text(&line, " " UTF8_MARK);
    iv_message_line(&line, notice);
    iv_message_cause(&cause, notice);
    if (cause.n > 0) {
        iv_buf_text(&line, ": ");
        iv_buf_str(&line, iv_buf_slice(&cause));
    }
    if (counted) {
        iv_buf_printf(out, "%zu ", line.n);
    }
    iv_buf_str(out, iv_buf_slice(&line));
    iv_buf_inherit(out, &line);
    iv_buf_inherit(out, &cause);
}
