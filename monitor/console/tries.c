/* SPDX-License-Identifier: Apache-2.0 */
#include "console/tries.h"

#include "base/guard.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const iv_ns long_wait = 900 * IV_NS_PER_S;
static const iv_ns short_wait = 4 * IV_NS_PER_S;
static const iv_ns shared_wait = IV_NS_PER_S; /* of all who are on this machine */

enum { ADDRESS_BYTES = 64, NAME_BYTES_MAX = 64, TOKEN_BYTES_MAX = 20 };

struct keys {
    char address[ADDRESS_BYTES + TOKEN_BYTES_MAX + 16];
    char name[NAME_BYTES_MAX + 16];
    char both[ADDRESS_BYTES + NAME_BYTES_MAX + 16];
    bool local;
};

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
    int n = (int)(who->name.n < NAME_BYTES_MAX ? who->name.n : NAME_BYTES_MAX);
    keys.local = write_address(address, who->address);
    (void)snprintf(keys.address, sizeof keys.address, "%s %s %.*s", who->name.p == NULL ? "token" : "from",
                   address, (int)(who->token.n < TOKEN_BYTES_MAX ? who->token.n : TOKEN_BYTES_MAX),
                   who->token.n == 0 ? "" : who->token.p);
    (void)snprintf(keys.name, sizeof keys.name, "name %.*s", n, n == 0 ? "" : who->name.p);
    (void)snprintf(keys.both, sizeof keys.both, "both %s %.*s", address, n, n == 0 ? "" : who->name.p);
    return keys;
}

static iv_ns longer(iv_ns a, iv_ns b)
{
    return a > b ? a : b;
}

iv_ns iv_try_left(struct iv_limit *limit, const struct iv_try *who, iv_ns now)
{
    struct keys keys = keys_of(who);
    iv_ns left = iv_limit_left(limit, iv_str_of(keys.address), now);
    if (who->name.p != NULL) {
        left = longer(left, iv_limit_left(limit, iv_str_of(keys.both), now));
        left = longer(left, iv_limit_left(limit, iv_str_of(keys.name), now));
    }
    return left;
}

bool iv_try_failed(struct iv_limit *limit, const struct iv_try *who, iv_ns now)
{
    struct keys keys = keys_of(who);
    iv_ns longest = keys.local ? short_wait : long_wait;
    if (who->name.p == NULL) {
        return !keys.local && iv_limit_fail(limit, iv_str_of(keys.address), short_wait, now);
    }
    bool anybody = iv_limit_fail(limit, iv_str_of(keys.address), keys.local ? shared_wait : long_wait, now);
    (void)iv_limit_fail(limit, iv_str_of(keys.name), short_wait, now);
    return iv_limit_fail(limit, iv_str_of(keys.both), longest, now) || anybody;
}

void iv_try_succeeded(struct iv_limit *limit, const struct iv_try *who)
{
    struct keys keys = keys_of(who);
    iv_limit_forgive(limit, iv_str_of(keys.both));
    iv_limit_forgive(limit, iv_str_of(keys.name));
}
