/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/alert/smtp/mail.h"

#include "base/encode.h"
#include "base/guard.h"

#define SUBJECT_MAX_BYTES 400u
#define WORD_BYTES 42u /* of text, so that a word of a header has no more than 75 characters */
#define LINE_CHARACTERS 76u

bool iv_mail_address(struct iv_str text)
{
    const char *at = text.n == 0 ? NULL : memchr(text.p, '@', text.n);
    bool fits = at != NULL && at > text.p && at + 1 < text.p + text.n && text.n <= 254;
    for (size_t i = 0; fits && i < text.n; i++) {
        char c = text.p[i];
        fits = c > 0x20 && c < 0x7f && strchr("<>()[]\\,;:\"", c) == NULL && (c != '@' || text.p + i == at);
    }
    return fits;
}

static bool is_ascii(struct iv_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

/*= RFC 2047 2 "An 'encoded-word' may not be more than 75 characters long" */
static void add_words(struct iv_buf *out, struct iv_str text)
{
    for (size_t start = 0; start < text.n;) {
        size_t n = text.n - start < WORD_BYTES ? text.n - start : WORD_BYTES;
        while (start + n < text.n && n > 1 && ((unsigned char)text.p[start + n] & 0xc0) == 0x80) {
            n--;
        }
        iv_buf_text(out, start == 0 ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
        iv_base64_encode(out, (struct iv_str){text.p + start, n});
        iv_buf_text(out, "?=");
        start += n;
    }
}

/*= RFC 5322 3.3 "date-time" */
static void add_date(struct iv_buf *out, iv_ns now)
{
    static const char days[] = "ThuFriSatSunMonTueWed";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t s = now / IV_NS_PER_S;
    int64_t day = s / 86400;
    int64_t rest = s % 86400;
    int64_t year = 1970;
    int month = 1;
    int of_month = 1;
    iv_civil_of_days(&year, &month, &of_month, day);
    iv_buf_printf(out, "Date: %.3s, %02d %.3s %lld %02d:%02d:%02d +0000\r\n", days + 3 * (day % 7), of_month,
                  months + (ptrdiff_t)3 * (month - 1), (long long)year, (int)(rest / 3600),
                  (int)(rest / 60 % 60), (int)(rest % 60));
}

static void add_heads(struct iv_buf *out, const struct iv_mail_sender *sender, const struct iv_notice *n)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf line;
    IV_AUTO(iv_buf_deinit) struct iv_buf subject;
    iv_buf_init(&line, 8192);
    iv_buf_init(&subject, 2 * SUBJECT_MAX_BYTES);
    iv_buf_printf(out, "From: Invigil <" IV_STR_FMT ">\r\nTo: ", IV_STR_ARG(sender->from));
    for (size_t i = 0; i < sender->to_count; i++) {
        iv_buf_text(out, i == 0 ? "" : ",\r\n ");
        iv_buf_str(out, sender->to[i]);
    }
    iv_buf_text(out, "\r\nSubject: ");
    iv_message_line(&line, n);
    iv_message_plain(&subject, iv_buf_slice(&line), SUBJECT_MAX_BYTES);
    if (is_ascii(iv_buf_slice(&subject))) {
        iv_buf_str(out, iv_buf_slice(&subject));
    } else {
        add_words(out, iv_buf_slice(&subject));
    }
    iv_buf_text(out, "\r\n");
    add_date(out, sender->now);
    iv_buf_clear(&line);
    iv_message_key(&line, n);
    iv_buf_printf(out, "Message-ID: <" IV_STR_FMT "@invigil>\r\nReferences: <" IV_STR_FMT "@invigil>\r\n",
                  IV_STR_ARG(iv_buf_slice(&line)), IV_STR_ARG(n->alert.fingerprint));
    iv_buf_text(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                     "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    iv_buf_inherit(out, &line);
    iv_buf_inherit(out, &subject);
}

static void add_fact(struct iv_buf *out, const char *name, struct iv_str value)
{
    if (value.n > 0) {
        iv_buf_text(out, name);
        iv_message_plain(out, value, 1024);
        iv_buf_char(out, '\n');
    }
}

static void add_text(struct iv_buf *out, const struct iv_notice *n, struct iv_str link)
{
    const struct iv_alert *a = &n->alert;
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, 8192);
    iv_message_line(out, n);
    iv_buf_text(out, "\n\n");
    add_fact(out, "criteria:    ", a->criteria);
    add_fact(out, "detail:      ", a->detail);
    iv_buf_text(out, "since:       ");
    iv_ns_format(out, a->started);
    iv_buf_char(out, '\n');
    if (!a->firing) {
        iv_buf_text(out, "until:       ");
        iv_ns_format(out, a->ended);
        iv_buf_char(out, '\n');
        add_fact(out, "because:     ", a->cause);
    }
    add_fact(out, "finding:     ", a->finding);
    iv_message_link(&text, n, link);
    add_fact(out, "console:     ", iv_buf_slice(&text));
    add_fact(out, "fingerprint: ", a->fingerprint);
    iv_buf_inherit(out, &text);
}

void iv_mail_write(struct iv_buf *out, const struct iv_mail_sender *sender, const struct iv_notice *notice,
                   struct iv_str link)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    IV_AUTO(iv_buf_deinit) struct iv_buf code;
    iv_buf_init(&text, 64u << 10);
    iv_buf_init(&code, 128u << 10);
    add_heads(out, sender, notice);
    add_text(&text, notice, link);
    iv_base64_encode(&code, iv_buf_slice(&text));
    for (size_t start = 0; start < code.n; start += LINE_CHARACTERS) {
        size_t n = code.n - start < LINE_CHARACTERS ? code.n - start : LINE_CHARACTERS;
        iv_buf_add(out, code.p + start, n);
        iv_buf_text(out, "\r\n");
    }
    iv_buf_inherit(out, &text);
    iv_buf_inherit(out, &code);
}
