/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/endpoint.h"

#include "base/guard.h"
#include "base/jws_key.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

static bool starts_with(struct iv_str s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.n >= n && strncasecmp(s.p, prefix, n) == 0;
}

/* What stands between "//" and the path: host and port. */
static struct iv_str authority_of(struct iv_str url, size_t scheme)
{
    struct iv_str rest = {url.p + scheme, url.n - scheme};
    for (size_t i = 0; i < rest.n; i++) {
        if (rest.p[i] == '/' || rest.p[i] == '?' || rest.p[i] == '#') {
            return (struct iv_str){rest.p, i};
        }
    }
    return rest;
}

static bool is_loopback(struct iv_str authority)
{
    static const char *const hosts[] = {"127.0.0.1", "[::1]", "localhost"};
    for (size_t i = 0; i < IV_COUNT(hosts); i++) {
        size_t n = strlen(hosts[i]);
        if (starts_with(authority, hosts[i]) && (authority.n == n || authority.p[n] == ':')) {
            return true;
        }
    }
    return false;
}

iv_rc iv_endpoint_copy(struct iv_endpoint *out, const struct iv_endpoint *endpoint, struct iv_arena *arena,
                       struct iv_err *err)
{
    struct iv_endpoint copy = *endpoint;
    struct iv_str *const texts[] = {&copy.name,        &copy.url,       &copy.hmac_key,
                                    &copy.ca_file,     &copy.client_id, &copy.bearer_token_file,
                                    &copy.certificate, &copy.key,       &copy.client_secret,
                                    &copy.set.issuer,  &copy.set.key,   &copy.set.audience,
                                    &copy.set.key_id};
    for (size_t i = 0; i < IV_COUNT(texts); i++) {
        ENSURE(texts[i]->p == NULL || iv_arena_keep(arena, texts[i]), err, IV_E_NOMEM,
               "cannot allocate an endpoint");
    }
    *out = copy;
    return IV_OK;
}

static void wipe(struct iv_str *secret)
{
    if (secret->p != NULL) {
        explicit_bzero((void *)(uintptr_t)secret->p, secret->n);
        secret->n = 0;
    }
}

void iv_endpoint_wipe(struct iv_endpoint *endpoint)
{
    wipe(&endpoint->hmac_key);
    wipe(&endpoint->client_secret);
    wipe(&endpoint->set.key);
}

static iv_rc check_credentials(const struct iv_endpoint *e, struct iv_err *err)
{
    ENSURE((e->client_id.p == NULL) == (e->client_secret.p == NULL), err, IV_E_REFUSED,
           "endpoint '" IV_STR_FMT "' needs client_id and client_secret_file together", IV_STR_ARG(e->name));
    ENSURE((e->certificate.p == NULL) == (e->key.p == NULL), err, IV_E_REFUSED,
           "endpoint '" IV_STR_FMT "' needs certificate and key together", IV_STR_ARG(e->name));
    ENSURE(e->bearer_token_file.p == NULL || e->client_id.p == NULL, err, IV_E_REFUSED,
           "endpoint '" IV_STR_FMT "' has a bearer token and a client's secret: a call shows one of them",
           IV_STR_ARG(e->name));
    IV_AUTO(iv_jws_key_freep) struct iv_jws_key *key = NULL;
    struct iv_err why = {.text = ""};
    ENSURE(e->set.key.p == NULL || iv_ok(iv_jws_key_new(&key, e->set.key, &why)), err, IV_E_REFUSED,
           "the set of endpoint '" IV_STR_FMT "' cannot be signed: %s", IV_STR_ARG(e->name), why.text);
    return IV_OK;
}

iv_rc iv_endpoint_check(const struct iv_endpoint *endpoint, struct iv_err *err)
{
    struct iv_str url = endpoint->url;
    bool plain = starts_with(url, "http://");
    ENSURE(plain || starts_with(url, "https://"), err, IV_E_REFUSED,
           "the url of endpoint '" IV_STR_FMT "' must begin with https:// (or http://)",
           IV_STR_ARG(endpoint->name));
    struct iv_str authority = authority_of(url, plain ? 7 : 8);
    ENSURE(authority.n > 0, err, IV_E_REFUSED, "the url of endpoint '" IV_STR_FMT "' names no host",
           IV_STR_ARG(endpoint->name));
    ENSURE(memchr(authority.p, '@', authority.n) == NULL, err, IV_E_REFUSED,
           "the url of endpoint '" IV_STR_FMT "' must not hold a user or a password",
           IV_STR_ARG(endpoint->name));
    for (size_t i = 0; i < url.n; i++) {
        unsigned char c = (unsigned char)url.p[i];
        ENSURE(c > 0x20 && c < 0x7f && c != '?' && c != '#', err, IV_E_REFUSED,
               "the url of endpoint '" IV_STR_FMT "' must be scheme, host, port and path only, in ASCII",
               IV_STR_ARG(endpoint->name));
    }
    ENSURE(!plain || endpoint->allow_http || is_loopback(authority), err, IV_E_REFUSED,
           "the url of endpoint '" IV_STR_FMT
           "' must begin with https://: plain http is for loopback, or needs "
           "allow_http",
           IV_STR_ARG(endpoint->name));
    return check_credentials(endpoint, err);
}
