/* SPDX-License-Identifier: Apache-2.0 */
#include "console/auth.h"

#include "base/encode.h"
#include "base/file.h"
#include "base/guard.h"
#include "console/tls.h"

#include <strings.h>

enum { TOKEN_BYTES_MIN = 16, CREDENTIALS_BYTES_MAX = 1024 };

static bool is_blank(char c)
{
    return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

iv_rc iv_auth_token_read(struct iv_console *console, struct iv_str path, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf file;
    iv_buf_init(&file, 4096);
    TRY(iv_file_read(&file, path, err));
    struct iv_str text = iv_buf_slice(&file);
    const char *end = memchr(text.p, '\n', text.n);
    size_t n = end == NULL ? text.n : (size_t)(end - text.p);
    while (n > 0 && is_blank(text.p[n - 1])) {
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        ENSURE(text.p[i] > ' ' && text.p[i] < 0x7f, err, IV_E_REFUSED,
               "the token in '" IV_STR_FMT "' must be printable ASCII without spaces", IV_STR_ARG(path));
    }
    ENSURE(n >= TOKEN_BYTES_MIN && n <= sizeof console->token, err, IV_E_REFUSED,
           "the token in '" IV_STR_FMT "' must have %d to %zu characters, it has %zu", IV_STR_ARG(path),
           TOKEN_BYTES_MIN, sizeof console->token, n);
    memcpy(console->token, text.p, n);
    console->token_n = n;
    return IV_OK;
}

/* Every byte of the token is looked at, whatever was sent. */
static bool token_is(const struct iv_console *console, struct iv_str sent)
{
    unsigned char different = sent.n == console->token_n ? 0 : 1;
    for (size_t i = 0; i < console->token_n; i++) {
        unsigned char c = sent.n == 0 ? 0 : (unsigned char)sent.p[i % sent.n];
        different = (unsigned char)(different | (c ^ (unsigned char)console->token[i]));
    }
    return different == 0;
}

static bool basic_is(const struct iv_console *console, struct iv_str encoded)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf pair;
    iv_buf_init(&pair, CREDENTIALS_BYTES_MAX);
    if (!iv_base64_decode(&pair, encoded) || iv_buf_failed(&pair) || pair.n == 0) {
        return false;
    }
    const char *colon = memchr(pair.p, ':', pair.n);
    if (colon == NULL) {
        return false;
    }
    size_t before = (size_t)(colon - pair.p) + 1;
    return token_is(console, (struct iv_str){pair.p + before, pair.n - before});
}

static bool token_sent(struct iv_request *request)
{
    const char *header = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Authorization");
    if (header == NULL) {
        return false;
    }
    if (strncasecmp(header, "Bearer ", 7) == 0) {
        return token_is(request->console, iv_str_of(header + 7));
    }
    if (strncasecmp(header, "Basic ", 6) == 0) {
        return basic_is(request->console, iv_str_of(header + 6));
    }
    return false;
}

/* HTTP/1.0 may come without Host; browsers always send it. */
static bool host_is_ours(struct iv_request *request)
{
    const char *header = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Host");
    if (header == NULL) {
        return true;
    }
    struct iv_str host = iv_str_of(header);
    const char *colon = strrchr(header, ':');
    if (colon != NULL && strchr(colon, ']') == NULL) {
        host.n = (size_t)(colon - header);
    }
    const struct iv_str ours[] = {IV_STR("localhost"), IV_STR("127.0.0.1"), IV_STR("[::1]"),
                                  iv_str_of(request->console->host)};
    for (size_t i = 0; i < IV_COUNT(ours); i++) {
        if (host.n == ours[i].n && strncasecmp(host.p, ours[i].p, host.n) == 0) {
            return true;
        }
    }
    return false;
}

bool iv_auth_allows(struct iv_request *request, struct iv_reply *reply, bool open)
{
    const struct iv_console *console = request->console;
    if (!console->authenticated && !host_is_ours(request)) {
        iv_reply_problem(reply, MHD_HTTP_MISDIRECTED_REQUEST,
                         "without authentication the console answers under its loopback address only");
        return false;
    }
    if (open) {
        return true;
    }
    if (console->client_ca.n > 0 && !iv_tls_peer_is_known(request->connection)) {
        iv_reply_problem(reply, MHD_HTTP_FORBIDDEN,
                         "a client certificate of the configured authority is needed");
        return false;
    }
    if (console->token_n > 0 && !token_sent(request)) {
        iv_reply_problem(
            reply, MHD_HTTP_UNAUTHORIZED,
            "send the console's token: Authorization: Bearer TOKEN, or as the password of Basic");
        return false;
    }
    return true;
}
