/* SPDX-License-Identifier: Apache-2.0 */
#include "console/tries.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { FREE = 5, FREE_TOKENS = 300 };

static const struct iv_limit_terms long_terms = {FREE, 900 * IV_NS_PER_S};
static const struct iv_limit_terms short_terms = {FREE, 4 * IV_NS_PER_S};
static const struct iv_limit_terms shared_terms = {FREE, IV_NS_PER_S}; /* of all who are on this machine */
/* Of the different tokens of an address. */
static const struct iv_limit_terms tokens_terms = {FREE_TOKENS, 4 * IV_NS_PER_S};

enum { ADDRESS_BYTES = 64, NAME_BYTES_MAX = 64, TOKEN_BYTES_MAX = 20 };

struct iv_tries {
    struct iv_limit *guesses; /* at passwords, and at the configured token */
    struct iv_limit *tokens;  /* of the form of those that are made: anybody can invent very many */
    pthread_mutex_t lock;     /* the next one */
    struct {
        iv_ns began;
        unsigned count;
    } hours[2]; /* of tokens; of names */
};

struct keys {
    char address[ADDRESS_BYTES + 16];
    char name[NAME_BYTES_MAX + 16];
    char both[ADDRESS_BYTES + NAME_BYTES_MAX + 16]; /* of a token that was made: it and the address */
    bool local;
};

iv_rc iv_tries_new(struct iv_tries **out, struct iv_err *err)
{
    struct iv_tries *tries = iv_calloc(1, sizeof *tries);
    ENSURE(tries != NULL, err, IV_E_NOMEM, "cannot allocate the tries of log-ins");
    (void)pthread_mutex_init(&tries->lock, NULL);
    struct iv_rc_s rc = iv_limit_new(&tries->guesses, err);
    rc = iv_ok(rc) ? iv_limit_new(&tries->tokens, err) : rc;
    if (!iv_ok(rc)) {
        iv_tries_free(tries);
        return rc;
    }
    *out = tries;
    return IV_OK;
}

void iv_tries_free(struct iv_tries *tries)
{
    if (tries != NULL) {
        iv_limit_free(tries->guesses);
        iv_limit_free(tries->tokens);
        (void)pthread_mutex_destroy(&tries->lock);
        iv_free(tries);
    }
}

static bool is_local(const unsigned char v4[4])
{
    return v4[0] == 127;
}

/* An address as it counts. What is no address counts as it is written. */
static bool write_address(char out[ADDRESS_BYTES], const char *address)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    char plain[ADDRESS_BYTES];
    unsigned char bytes[16];
    (void)snprintf(plain, sizeof plain, "%.*s", (int)strcspn(address, "%"), address); /* without its zone */
    (void)snprintf(out, ADDRESS_BYTES, "%s", plain);
    if (inet_pton(AF_INET, plain, bytes) == 1) {
        return is_local(bytes);
    }
    if (inet_pton(AF_INET6, plain, bytes) != 1) {
        return false;
    }
    if (memcmp(bytes, mapped, sizeof mapped) == 0) {
        (void)inet_ntop(AF_INET, bytes + sizeof mapped, out, ADDRESS_BYTES);
        return is_local(bytes + sizeof mapped);
    }
    struct in6_addr whole;
    memcpy(&whole, bytes, sizeof whole);
    memset(bytes + 8, 0, 8);
    (void)inet_ntop(AF_INET6, bytes, out, ADDRESS_BYTES);
    return IN6_IS_ADDR_LOOPBACK(&whole);
}

static struct keys keys_of(const struct iv_try *who)
{
    struct keys keys;
    char address[ADDRESS_BYTES];
    bool made = who->token.n > 0;
    size_t most = made ? TOKEN_BYTES_MAX : NAME_BYTES_MAX;
    struct iv_str it = made ? who->token : who->name;
    int n = (int)(it.n < most ? it.n : most);
    const char *p = n == 0 ? "" : it.p;
    keys.local = write_address(address, who->address);
    (void)snprintf(keys.address, sizeof keys.address, "%s %s", who->name.p == NULL ? "token" : "from",
                   address);
    (void)snprintf(keys.name, sizeof keys.name, "name %.*s", n, p);
    (void)snprintf(keys.both, sizeof keys.both, "both %s %.*s", address, n, p);
    return keys;
}

static iv_ns longer(iv_ns a, iv_ns b)
{
    return a > b ? a : b;
}

iv_ns iv_try_left(struct iv_tries *tries, const struct iv_try *who, iv_ns now)
{
    struct keys keys = keys_of(who);
    struct iv_limit *limit = who->token.n > 0 ? tries->tokens : tries->guesses;
    iv_ns left = iv_limit_left(limit, iv_str_of(keys.address), now);
    if (who->name.p != NULL || who->token.n > 0) {
        left = longer(left, iv_limit_left(limit, iv_str_of(keys.both), now));
    }
    if (who->name.p != NULL) {
        left = longer(left, iv_limit_left(limit, iv_str_of(keys.name), now));
    }
    return left;
}

/* True: with this failure the waits begin. */
static bool fail(struct iv_limit *limit, const char *key, const struct iv_limit_terms *terms, iv_ns now)
{
    return iv_limit_fail(limit, iv_str_of(key), terms, now) == terms->free;
}

static bool token_failed(struct iv_tries *tries, const struct keys *keys, bool made, iv_ns now)
{
    if (keys->local) {
        return false;
    }
    if (!made) {
        return fail(tries->guesses, keys->address, &short_terms, now);
    }
    unsigned failures = iv_limit_fail(tries->tokens, iv_str_of(keys->both), &short_terms, now);
    /* By address each counts once: a program with a stale one sends it for ever. */
    return failures <= 1 ? fail(tries->tokens, keys->address, &tokens_terms, now)
                         : failures == short_terms.free;
}

bool iv_try_failed(struct iv_tries *tries, const struct iv_try *who, iv_ns now)
{
    struct keys keys = keys_of(who);
    if (who->name.p == NULL) {
        return token_failed(tries, &keys, who->token.n > 0, now);
    }
    bool anybody = fail(tries->guesses, keys.address, keys.local ? &shared_terms : &long_terms, now);
    (void)fail(tries->guesses, keys.name, &short_terms, now);
    return fail(tries->guesses, keys.both, keys.local ? &short_terms : &long_terms, now) || anybody;
}

void iv_try_succeeded(struct iv_tries *tries, const struct iv_try *who)
{
    struct keys keys = keys_of(who);
    iv_limit_forgive(tries->guesses, iv_str_of(keys.both));
    iv_limit_forgive(tries->guesses, iv_str_of(keys.name));
}

unsigned iv_tries_lock_outs(struct iv_tries *tries, bool of_a_name, iv_ns now)
{
    (void)pthread_mutex_lock(&tries->lock);
    if (tries->hours[of_a_name].count == 0 || now - tries->hours[of_a_name].began >= 3600 * IV_NS_PER_S) {
        tries->hours[of_a_name].began = now;
        tries->hours[of_a_name].count = 0;
    }
    unsigned count = ++tries->hours[of_a_name].count;
    (void)pthread_mutex_unlock(&tries->lock);
    return count;
}
