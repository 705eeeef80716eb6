/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/guard.h"

#include <sys/random.h>

struct iv_hash_key iv_hash_key_random(void)
{
    struct iv_hash_key key;
    IV_CHECK(getrandom(&key, sizeof key, 0) == (ssize_t)sizeof key);
    return key;
}

struct sip {
    uint64_t v0;
    uint64_t v1;
    uint64_t v2;
    uint64_t v3;
};

static inline uint64_t rotl(uint64_t x, int b)
{
    return x << b | x >> (64 - b);
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = rotl(s->v1, 13) ^ s->v0;
    s->v0 = rotl(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotl(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotl(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotl(s->v1, 17) ^ s->v2;
    s->v2 = rotl(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t m)
{
    s->v3 ^= m;
    sip_round(s);
    s->v0 ^= m;
}

static inline struct sip sip_absorb(struct iv_hash_key key, struct iv_str in, uint64_t wide)
{
    struct sip s = {
        key.k0 ^ UINT64_C(0x736f6d6570736575),
        key.k1 ^ UINT64_C(0x646f72616e646f6d) ^ wide,
        key.k0 ^ UINT64_C(0x6c7967656e657261),
        key.k1 ^ UINT64_C(0x7465646279746573),
    };
    size_t i = 0;
    for (; i + 8 <= in.n; i += 8) {
        uint64_t m = 0;
        memcpy(&m, in.p + i, 8);
        sip_word(&s, m);
    }
    uint64_t last = 0;
    if (in.n > i) {
        memcpy(&last, in.p + i, in.n - i);
    }
    sip_word(&s, last | (uint64_t)in.n << 56);
    return s;
}

static inline uint64_t sip_squeeze(struct sip *s)
{
    sip_round(s);
    sip_round(s);
    sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t iv_hash64(struct iv_hash_key key, struct iv_str in)
{
    struct sip s = sip_absorb(key, in, 0);
    s.v2 ^= 0xff;
    return sip_squeeze(&s);
}

struct iv_hash128 iv_hash128(struct iv_hash_key key, struct iv_str in)
{
    struct sip s = sip_absorb(key, in, 0xee);
    s.v2 ^= 0xee;
    struct iv_hash128 h = {0};
    h.lo = sip_squeeze(&s);
    s.v1 ^= 0xdd;
    h.hi = sip_squeeze(&s);
    return h;
}
