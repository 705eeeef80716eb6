/* SPDX-License-Identifier: Apache-2.0 */
/* Reproducible chance: a stream of numbers, and numbers that depend on a name only.
 * Source: splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators"). Not for
 * secrets. */
#pragma once

#include <stdint.h>

struct iv_chance {
    uint64_t state;
};

static inline uint64_t iv_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline uint64_t iv_chance_next(struct iv_chance *c)
{
    uint64_t x = c->state;
    c->state += UINT64_C(0x9e3779b97f4a7c15);
    return iv_mix(x);
}

/* 0 to n - 1; n above 0. */
static inline uint64_t iv_chance_below(struct iv_chance *c, uint64_t n)
{
    return (uint64_t)(((__extension__(unsigned __int128) iv_chance_next(c)) * n) >> 64);
}

/* 0 to 1. */
static inline double iv_chance_share(struct iv_chance *c)
{
    return (double)(iv_chance_next(c) >> 11) * 0x1p-53;
}

/* low to high, both included. */
static inline int64_t iv_chance_between(struct iv_chance *c, int64_t low, int64_t high)
{
    return low + (int64_t)iv_chance_below(c, (uint64_t)(high - low) + 1);
}
