/* SPDX-License-Identifier: Apache-2.0 */
#include "console/limit.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "base/hash.h"

#include <pthread.h>
#include <stdbool.h>

enum { SETS = 1024, WAYS = 8, DOUBLINGS_MAX = 10 };

static const iv_ns wait_first = IV_NS_PER_S;
static const iv_ns forgotten_after = 3600 * IV_NS_PER_S;

struct entry {
    uint64_t hash; /* 0: free */
    unsigned failures;
    iv_ns last;
    iv_ns until; /* nothing is tried before */
};

struct iv_limit {
    pthread_mutex_t lock;
    struct iv_hash_key key;
    struct entry entries[SETS][WAYS];
};

iv_rc iv_limit_new(struct iv_limit **out, struct iv_err *err)
{
    struct iv_limit *limit = iv_calloc(1, sizeof *limit);
    ENSURE(limit != NULL, err, IV_E_NOMEM, "cannot allocate the limits of log-ins");
    (void)pthread_mutex_init(&limit->lock, NULL);
    limit->key = iv_hash_key_random();
    *out = limit;
    return IV_OK;
}

void iv_limit_free(struct iv_limit *limit)
{
    if (limit != NULL) {
        (void)pthread_mutex_destroy(&limit->lock);
        iv_free(limit);
    }
}

static struct entry *find(struct iv_limit *limit, struct iv_str key)
{
    uint64_t hash = iv_hash64(limit->key, key) | 1;
    struct entry *set = limit->entries[(hash >> 32) % SETS];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].hash == hash) {
            return &set[i];
        }
    }
    return NULL;
}

/* In the place of the one that failed longest ago, of those that need not wait. NULL: all do. */
static struct entry *enter(struct iv_limit *limit, struct iv_str key, iv_ns now)
{
    uint64_t hash = iv_hash64(limit->key, key) | 1;
    struct entry *set = limit->entries[(hash >> 32) % SETS];
    struct entry *oldest = NULL;
    for (size_t i = 0; i < WAYS; i++) {
        bool waits = set[i].hash != 0 && now < set[i].until;
        if (!waits && (oldest == NULL || set[i].last < oldest->last)) {
            oldest = &set[i];
        }
    }
    if (oldest != NULL) {
        *oldest = (struct entry){.hash = hash};
    }
    return oldest;
}

static iv_ns wait_of(unsigned failures, const struct iv_limit_terms *terms)
{
    if (failures < terms->free) {
        return 0;
    }
    unsigned doublings = failures - terms->free;
    iv_ns wait = wait_first << (doublings < DOUBLINGS_MAX ? doublings : DOUBLINGS_MAX);
    return wait < terms->longest ? wait : terms->longest;
}

iv_ns iv_limit_left(struct iv_limit *limit, struct iv_str key, iv_ns now)
{
    (void)pthread_mutex_lock(&limit->lock);
    const struct entry *entry = find(limit, key);
    iv_ns left = entry != NULL && now < entry->until ? entry->until - now : 0;
    (void)pthread_mutex_unlock(&limit->lock);
    return left;
}

unsigned iv_limit_fail(struct iv_limit *limit, struct iv_str key, const struct iv_limit_terms *terms,
                       iv_ns now)
{
    unsigned failures = 0;
    (void)pthread_mutex_lock(&limit->lock);
    struct entry *entry = find(limit, key);
    if (entry != NULL && now - entry->last > forgotten_after) {
        entry->failures = 0;
    }
    entry = entry == NULL ? enter(limit, key, now) : entry;
    if (entry != NULL) {
        failures = ++entry->failures;
        entry->last = now;
        entry->until = iv_ns_add(now, wait_of(failures, terms));
    }
    (void)pthread_mutex_unlock(&limit->lock);
    return failures;
}

void iv_limit_forgive(struct iv_limit *limit, struct iv_str key)
{
    (void)pthread_mutex_lock(&limit->lock);
    struct entry *entry = find(limit, key);
    if (entry != NULL) {
        entry->failures = 0;
        entry->until = 0;
    }
    (void)pthread_mutex_unlock(&limit->lock);
}
