/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crowd.h"

#include "base/alloc.h"

#include <math.h>
#include <string.h>

#define INDEX_BITS 12
#define RANK_MAX (64 - INDEX_BITS + 1)

_Static_assert(1 << INDEX_BITS == IV_CROWD_REGISTERS, "an index names a register");

void iv_crowd_deinit(struct iv_crowd *crowd)
{
    iv_free(crowd->hashes);
    iv_free(crowd->registers);
    *crowd = (struct iv_crowd){.hashes = NULL};
}

void iv_crowd_clear(struct iv_crowd *crowd)
{
    iv_free(crowd->registers);
    crowd->registers = NULL;
    crowd->count = 0;
}

static bool raise(struct iv_crowd *c, size_t i, unsigned char rank)
{
    if (c->registers[i] >= rank) {
        return false;
    }
    c->registers[i] = rank;
    return true;
}

/* The first bits choose the register, the place of the first one behind them is the rank. */
static bool estimate(struct iv_crowd *c, uint64_t hash)
{
    uint64_t rest = hash << INDEX_BITS | UINT64_C(1) << (INDEX_BITS - 1);
    return raise(c, (size_t)(hash >> (64 - INDEX_BITS)), (unsigned char)(__builtin_clzll(rest) + 1));
}

/* Too many to be known one by one. */
static bool lose_count(struct iv_crowd *c)
{
    if (c->registers != NULL) {
        return true;
    }
    c->registers = iv_calloc(IV_CROWD_REGISTERS, 1);
    if (c->registers == NULL) {
        return false;
    }
    for (size_t i = 0; i < c->count; i++) {
        (void)estimate(c, c->hashes[i]);
    }
    iv_free(c->hashes);
    c->hashes = NULL;
    c->count = 0;
    return true;
}

/* The place of the first hash that is not less. */
static size_t place_of(const struct iv_crowd *c, uint64_t hash)
{
    size_t low = 0;
    size_t high = c->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c->hashes[middle] < hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool iv_crowd_add(struct iv_crowd *crowd, uint64_t hash, bool *news)
{
    struct iv_crowd *c = crowd;
    bool ignored = false;
    news = news == NULL ? &ignored : news;
    *news = false;
    if (c->registers == NULL && c->hashes == NULL) {
        c->hashes = iv_calloc(IV_CROWD_EXACT, sizeof *c->hashes);
        if (c->hashes == NULL) {
            return false;
        }
    }
    if (c->registers == NULL) {
        size_t i = place_of(c, hash);
        if (i < c->count && c->hashes[i] == hash) {
            return true;
        }
        if (c->count < IV_CROWD_EXACT) {
            memmove(&c->hashes[i + 1], &c->hashes[i], (c->count - i) * sizeof hash);
            c->hashes[i] = hash;
            c->count++;
            *news = true;
            return true;
        }
    }
    if (!lose_count(c)) {
        return false;
    }
    *news = estimate(c, hash);
    return true;
}

static bool merge_registers(struct iv_crowd *c, const unsigned char *registers)
{
    if (!lose_count(c)) {
        return false;
    }
    for (size_t i = 0; i < IV_CROWD_REGISTERS; i++) {
        (void)raise(c, i, registers[i]);
    }
    return true;
}

bool iv_crowd_merge(struct iv_crowd *crowd, const struct iv_crowd *other)
{
    bool whole = other->registers == NULL || merge_registers(crowd, other->registers);
    for (size_t i = 0; whole && i < other->count; i++) {
        whole = iv_crowd_add(crowd, other->hashes[i], NULL);
    }
    return whole;
}

uint64_t iv_crowd_count(const struct iv_crowd *crowd)
{
    const double m = IV_CROWD_REGISTERS;
    double sum = 0;
    double empty = 0;
    if (crowd->registers == NULL) {
        return crowd->count;
    }
    for (size_t i = 0; i < IV_CROWD_REGISTERS; i++) {
        sum += ldexp(1, -crowd->registers[i]);
        empty += crowd->registers[i] == 0 ? 1 : 0;
    }
    double count = 0.7213 / (1 + 1.079 / m) * m * m / sum;
    if (count <= 2.5 * m && empty > 0) {
        count = m * log(m / empty);
    }
    return (uint64_t)(count + 0.5);
}

void iv_crowd_write(struct iv_buf *out, const struct iv_crowd *crowd)
{
    if (crowd->registers != NULL) {
        iv_buf_char(out, 'H');
        iv_buf_add(out, crowd->registers, IV_CROWD_REGISTERS);
        return;
    }
    iv_buf_char(out, 'E');
    for (size_t i = 0; i < crowd->count; i++) {
        for (unsigned byte = 0; byte < 8; byte++) {
            iv_buf_char(out, (char)(unsigned char)(crowd->hashes[i] >> (8 * byte)));
        }
    }
}

static bool read_exact(struct iv_crowd *c, const unsigned char *at, size_t n)
{
    bool whole = true;
    for (size_t i = 0; i < n && whole; i += 8) {
        uint64_t hash = 0;
        for (unsigned byte = 0; byte < 8; byte++) {
            hash |= (uint64_t)at[i + byte] << (8 * byte);
        }
        whole = iv_crowd_add(c, hash, NULL);
    }
    return whole;
}

bool iv_crowd_read(struct iv_crowd *crowd, bool *bad, struct iv_str bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.p + 1;
    bool exact = bytes.n > 0 && bytes.p[0] == 'E';
    bool registers = bytes.n == IV_CROWD_BYTES && bytes.p[0] == 'H';
    *bad = !registers && !(exact && bytes.n % 8 == 1 && bytes.n <= 1 + 8 * IV_CROWD_EXACT);
    for (size_t i = 0; registers && !*bad && i < IV_CROWD_REGISTERS; i++) {
        *bad = at[i] > RANK_MAX;
    }
    if (*bad) {
        return true;
    }
    return exact ? read_exact(crowd, at, bytes.n - 1) : merge_registers(crowd, at);
}
