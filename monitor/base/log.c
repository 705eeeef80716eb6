/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_MAX_BYTES 16384

static enum iv_log_level threshold = IV_LOG_INFO;
static enum iv_log_format line_format = IV_LOG_LOGFMT;

void iv_log_configure(enum iv_log_level level, enum iv_log_format format)
{
    threshold = level;
    line_format = format;
}

static const char *const level_names[] = {"error", "warn", "info", "debug"};

/* sd-daemon(3): a line's priority stands before it in angle brackets, for whoever started us with
 * JOURNAL_STREAM. */
static const char *const priorities[] = {"<3>", "<4>", "<6>", "<7>"};

static int needs_quotes(struct iv_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) {
            return 1;
        }
    }
    return s.n == 0;
}

static void logfmt_pair(struct iv_buf *line, const struct iv_log_kv *kv)
{
    iv_buf_printf(line, " %s=", kv->key);
    if (kv->kind == IV_LOG_I64) {
        iv_buf_printf(line, "%lld", (long long)kv->i64);
    } else if (kv->kind == IV_LOG_F64) {
        iv_json_double(line, kv->f64);
    } else if (needs_quotes(kv->str)) {
        iv_json_string(line, kv->str);
    } else {
        iv_buf_str(line, kv->str);
    }
}

static void json_pair(struct iv_json *j, const struct iv_log_kv *kv)
{
    if (kv->kind == IV_LOG_I64) {
        iv_json_int(j, kv->key, kv->i64);
    } else if (kv->kind == IV_LOG_F64) {
        iv_json_real(j, kv->key, kv->f64);
    } else {
        iv_json_str(j, kv->key, kv->str);
    }
}

static void format_line(struct iv_buf *line, enum iv_log_level level, const char *event,
                        const struct iv_log_kv *kvs, size_t count)
{
    struct iv_clock clock = iv_clock_system();
    iv_ns now = iv_wall(&clock);
    if (getenv("JOURNAL_STREAM") != NULL) {
        iv_buf_text(line, priorities[level]);
    }
    if (line_format == IV_LOG_JSON) {
        struct iv_json j = iv_json_to(line);
        iv_json_open_object(&j, NULL);
        iv_json_time(&j, "time", now);
        iv_json_text(&j, "level", level_names[level]);
        iv_json_text(&j, "event", event);
        for (size_t i = 0; i < count; i++) {
            json_pair(&j, &kvs[i]);
        }
        iv_json_close_object(&j);
    } else {
        iv_buf_text(line, "time=");
        iv_ns_format(line, now);
        iv_buf_printf(line, " level=%s event=%s", level_names[level], event);
        for (size_t i = 0; i < count; i++) {
            logfmt_pair(line, &kvs[i]);
        }
    }
    iv_buf_char(line, '\n');
}

void iv_log(enum iv_log_level level, const char *event, const struct iv_log_kv *kvs, size_t count)
{
    if (level > threshold) {
        return;
    }
    struct iv_buf line;
    iv_buf_init(&line, LINE_MAX_BYTES);
    format_line(&line, level, event, kvs, count);
    if (!iv_buf_failed(&line)) {
        /* One write for a line, so that threads do not interleave. A log that cannot be written has nobody to
         * tell. */
        ssize_t written = write(STDERR_FILENO, line.p, line.n);
        (void)written;
    }
    iv_buf_deinit(&line);
}
