/* SPDX-License-Identifier: Apache-2.0 */
#include "console/token_file.h"

#include "base/encode.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/secret.h"

enum { TOKEN_BYTES_MIN = 16, CREDENTIALS_BYTES_MAX = 1024 };

static bool is_blank(char c)
{
    return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

iv_rc iv_token_file_read(struct iv_console *console, struct iv_str path, struct iv_err *err)
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

bool iv_token_file_is(const struct iv_console *console, struct iv_str sent)
{
    return console->token_n > 0 && iv_secret_eq((struct iv_str){console->token, console->token_n}, sent);
}

bool iv_token_file_is_basic(const struct iv_console *console, struct iv_str encoded)
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
    return iv_token_file_is(console, (struct iv_str){pair.p + before, pair.n - before});
}
