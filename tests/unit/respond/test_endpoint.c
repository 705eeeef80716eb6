/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "respond/endpoint.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

Test(endpoint, takes_https_and_http_on_loopback_and_nothing_else)
{
    static const struct {
        const char *url;
        bool allow_http;
        const char *refusal; /* NULL: taken */
    } rows[] = {
        {"https://tokens.internal", false, NULL},
        {"https://tokens.internal:8443/api/", false, NULL},
        {"http://127.0.0.1:8080", false, NULL},
        {"http://localhost/api", false, NULL},
        {"http://[::1]:99", false, NULL},
        {"http://tokens.internal", true, NULL},
        {"http://tokens.internal", false, "plain http is for loopback"},
        {"http://127.0.0.1.evil.example", false, "plain http is for loopback"},
        {"http://localhost.evil.example", false, "plain http is for loopback"},
        {"ftp://tokens.internal", false, "must begin with https://"},
        {"file:///etc/passwd", false, "must begin with https://"},
        {"", false, "must begin with https://"},
        {"https://", false, "names no host"},
        {"https://user:password@tokens.internal", false, "must not hold a user"},
        {"https://tokens.internal/a b", false, "in ASCII"},
        {"https://tokens.internal/?a=b", false, "in ASCII"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_endpoint e = {
            .name = IV_STR("hook"), .url = iv_str_of(rows[i].url), .allow_http = rows[i].allow_http};
        struct iv_err err = {0};

        bool taken = iv_ok(iv_endpoint_check(&e, &err));

        cr_expect(taken == (rows[i].refusal == NULL), "'%s': %s", rows[i].url, err.text);
        if (rows[i].refusal != NULL) {
            cr_expect(strstr(err.text, rows[i].refusal) != NULL && strstr(err.text, "'hook'") != NULL, "%s",
                      err.text);
            cr_expect(strstr(err.text, "password@") == NULL, "a secret is shown: %s", err.text);
        }
    }
}

Test(endpoint, takes_one_kind_of_credentials_and_whole_ones)
{
    static const struct {
        struct iv_endpoint with;
        const char *refusal; /* NULL: taken */
    } rows[] = {
        {{.bearer_token_file = IV_STR_INIT("/t")}, NULL},
        {{.client_id = IV_STR_INIT("me"), .client_secret = IV_STR_INIT("s3cret")}, NULL},
        {{.certificate = IV_STR_INIT("/c"), .key = IV_STR_INIT("/k")}, NULL},
        {{.client_id = IV_STR_INIT("me")}, "client_id and client_secret_file together"},
        {{.client_secret = IV_STR_INIT("s3cret")}, "client_id and client_secret_file together"},
        {{.certificate = IV_STR_INIT("/c")}, "certificate and key together"},
        {{.key = IV_STR_INIT("/k")}, "certificate and key together"},
        {{.bearer_token_file = IV_STR_INIT("/t"),
          .client_id = IV_STR_INIT("me"),
          .client_secret = IV_STR_INIT("s3cret")},
         "a call shows one of them"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_endpoint e = rows[i].with;
        e.name = IV_STR("hook");
        e.url = IV_STR("https://tokens.internal");
        struct iv_err err = {0};

        bool taken = iv_ok(iv_endpoint_check(&e, &err));

        cr_expect(taken == (rows[i].refusal == NULL), "row %zu: %s", i, err.text);
        cr_expect(taken || strstr(err.text, rows[i].refusal) != NULL, "%s", err.text);
        cr_expect(strstr(err.text, "s3cret") == NULL, "a secret is shown: %s", err.text);
    }
}
