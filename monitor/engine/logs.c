/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/logs.h"

#include "base/alloc.h"
#include "base/guard.h"

/* Entries that one call connects, each in about a microsecond, and entries that it forgets. */
#define SETTLE_MAX 512
#define SWEEP_MAX 4

static struct iv_log_entry *at(const struct iv_logs *logs, uint32_t ref)
{
    return iv_log_entry_at(logs, ref);
}

void iv_logs_init(struct iv_logs *logs, struct iv_ground *ground, struct iv_slab *blocks, iv_ns reach)
{
    *logs = (struct iv_logs){.reach = reach};
    iv_timers_init(&logs->claims, blocks);
    iv_slab_init(&logs->entries, ground, sizeof(struct iv_log_entry));
    iv_table_init(&logs->table, ground);
}

void iv_logs_deinit(struct iv_logs *logs)
{
    iv_timers_deinit(&logs->claims);
    iv_free(logs->connected);
    iv_table_deinit(&logs->table);
    iv_slab_deinit(&logs->entries);
}

uint32_t iv_logs_find(const struct iv_logs *logs, struct iv_hash128 key)
{
    struct iv_probe probe = iv_table_probe(&logs->table, key.lo);
    uint32_t ref = iv_probe_next(&probe);
    while (ref != 0 && (at(logs, ref)->key.lo != key.lo || at(logs, ref)->key.hi != key.hi)) {
        ref = iv_probe_next(&probe);
    }
    return ref;
}

static void enqueue(struct iv_logs *logs, uint32_t ref)
{
    at(logs, ref)->newer = 0;
    if (logs->oldest == 0) {
        logs->oldest = ref;
    } else {
        at(logs, logs->newest)->newer = ref;
    }
    logs->newest = ref;
}

/* Being in the table is a reference. */
uint32_t iv_logs_put(struct iv_logs *logs, struct iv_hash128 key, uint64_t seq, iv_ns time, bool remembered)
{
    uint32_t ref = iv_slab_take(&logs->entries);
    if (ref == 0 || (remembered && !iv_table_add(&logs->table, key.lo, ref))) {
        return 0;
    }
    *at(logs, ref) = (struct iv_log_entry){
        .key = key, .time = time, .seq = seq & IV_LOG_SEQ_MAX, .state = IV_LOG_UNSEEN, .refs = remembered};
    if (remembered) {
        enqueue(logs, ref);
    }
    return ref;
}

/* A new entry, not claimed yet; 0 when memory is out. */
static uint32_t make(struct iv_logs *logs, struct iv_hash128 key, uint64_t seq, iv_ns time)
{
    return iv_logs_put(logs, key, seq, time, true);
}

/* An entry without references is in no list; what it refers to may go with it. */
static void release(struct iv_logs *logs, uint32_t ref)
{
    while (ref != 0 && --at(logs, ref)->refs == 0) {
        const struct iv_log_entry *entry = at(logs, ref);
        uint32_t next = entry->state == IV_LOG_CONNECTED ? entry->tree.left : 0;
        iv_slab_give(&logs->entries, ref);
        ref = next;
    }
}

static bool same_key(struct iv_hash128 a, struct iv_hash128 b)
{
    return a.lo == b.lo && a.hi == b.hi;
}

/* The claim stands fast when its time has been passed. The timer holds the entry, for an earlier claim may
 * let it settle, and go, long before. */
static bool await(struct iv_logs *logs, uint32_t ref, iv_ns time)
{
    if (!iv_timers_push(&logs->claims, time, logs->claim_count++, ref)) {
        return false;
    }
    at(logs, ref)->refs++;
    return true;
}

bool iv_logs_add(struct iv_logs *logs, struct iv_digester *d, const struct iv_log_claim *claim)
{
    if (claim->seq > IV_LOG_SEQ_MAX) {
        return true; /* cut short, its place would be another one's */
    }
    uint32_t ref = iv_logs_find(logs, claim->key);
    ref = ref == 0 ? make(logs, claim->key, claim->seq, claim->time) : ref;
    if (ref == 0) {
        return false;
    }
    struct iv_log_entry *entry = at(logs, ref);
    if (entry->state == IV_LOG_UNSEEN) {
        iv_merkle_leaf(&entry->hash, d, claim->hash);
        entry->state = IV_LOG_CLAIMED;
    } else if (entry->state != IV_LOG_CLAIMED || claim->time > entry->time) {
        return true;
    } else if (claim->time == entry->time) {
        entry->disputed |= claim->seq > 0 && !same_key(entry->names, claim->names);
        return true;
    }
    entry->names = claim->names;
    entry->time = claim->time;
    entry->disputed = 0;
    return await(logs, ref, claim->time);
}

static bool push_connected(struct iv_logs *logs, uint32_t ref)
{
    if (logs->connected_count == logs->connected_capacity) {
        uint32_t capacity = logs->connected_capacity == 0 ? 64 : logs->connected_capacity * 2;
        uint32_t *connected = iv_realloc(logs->connected, capacity * sizeof *connected);
        if (connected == NULL) {
            return false;
        }
        logs->connected = connected;
        logs->connected_capacity = capacity;
    }
    logs->connected[logs->connected_count++] = ref;
    at(logs, ref)->refs++;
    return true;
}

/* What a connected entry leans on. */
static void refer_to(struct iv_logs *logs, uint32_t ref, uint32_t predecessor, uint32_t left)
{
    at(logs, ref)->tree.predecessor = predecessor;
    at(logs, ref)->tree.left = left;
    if (predecessor != 0) {
        at(logs, predecessor)->refs++;
    }
    if (left != 0) {
        at(logs, left)->refs++;
    }
}

static iv_ns apart(const struct iv_log_entry *a, const struct iv_log_entry *b)
{
    iv_ns length = 0;
    bool beyond = a->time > b->time ? __builtin_sub_overflow(a->time, b->time, &length)
                                    : __builtin_sub_overflow(b->time, a->time, &length);
    return beyond ? IV_NS_MAX : length;
}

/* Builds the entry's tree upon its predecessor's; 0: it is the first. */
static bool connect(struct iv_logs *logs, struct iv_digester *d, uint32_t ref, uint32_t predecessor)
{
    struct iv_log_entry *entry = at(logs, ref);
    uint32_t left = predecessor;
    /* Each set bit at the end of the number of leaves so far is a peak as large as what has grown. */
    for (uint64_t bits = entry->seq; (bits & 1) != 0; bits >>= 1) {
        const struct iv_log_entry *peak = at(logs, left);
        iv_merkle_node(&entry->hash, d, &peak->hash, &entry->hash);
        left = peak->tree.left;
    }
    iv_ns latest = entry->time;
    iv_ns gap = 0;
    if (predecessor != 0) {
        const struct iv_log_entry *p = at(logs, predecessor);
        latest = p->tree.latest > latest ? p->tree.latest : latest;
        gap = p->tree.gap > apart(entry, p) ? p->tree.gap : apart(entry, p);
    }
    entry->state = IV_LOG_CONNECTED;
    entry->tree.latest = latest;
    entry->tree.gap = gap;
    refer_to(logs, ref, predecessor, left);
    return entry->waiters == 0 || push_connected(logs, ref);
}

/* A connected predecessor was found. */
static bool follow(struct iv_logs *logs, struct iv_digester *d, uint32_t ref, uint32_t predecessor)
{
    bool next =
        (uint64_t)at(logs, predecessor)->seq + 1 == at(logs, ref)->seq; /* but for keys that collide */
    if (!next || apart(at(logs, ref), at(logs, predecessor)) > logs->reach) {
        at(logs, ref)->state = IV_LOG_BROKEN;
        return true;
    }
    return connect(logs, d, ref, predecessor);
}

static void wait_for(struct iv_logs *logs, uint32_t ref, uint32_t predecessor)
{
    struct iv_log_entry *entry = at(logs, ref);
    struct iv_log_entry *p = at(logs, predecessor);
    entry->state = IV_LOG_WAITING;
    entry->waits.entry = predecessor;
    entry->waits.next = p->waiters;
    entry->waits.last = 0;
    if (p->waiters != 0) {
        at(logs, p->waiters)->waits.last = ref;
    }
    p->waiters = ref;
    p->refs++;
    if (p->state == IV_LOG_UNSEEN && entry->time > p->time) {
        p->time = entry->time;
    }
}

static void stop_waiting(struct iv_logs *logs, uint32_t ref)
{
    struct iv_log_entry *entry = at(logs, ref);
    uint32_t next = entry->waits.next;
    uint32_t last = entry->waits.last;
    uint32_t predecessor = entry->waits.entry;
    if (next != 0) {
        at(logs, next)->waits.last = last;
    }
    if (last != 0) {
        at(logs, last)->waits.next = next;
    } else {
        at(logs, predecessor)->waiters = next;
    }
    entry->state = IV_LOG_BROKEN;
    release(logs, predecessor);
}

/* The earliest claim stands fast. */
static bool settle(struct iv_logs *logs, struct iv_digester *d, uint32_t ref)
{
    struct iv_log_entry *entry = at(logs, ref);
    if (entry->seq == 0) {
        return connect(logs, d, ref, 0);
    }
    if (entry->disputed) {
        entry->state = IV_LOG_BROKEN;
        return true;
    }
    uint32_t predecessor = iv_logs_find(logs, entry->names);
    if (predecessor == 0) {
        predecessor = make(logs, entry->names, entry->seq - 1, entry->time);
        if (predecessor == 0) {
            return false;
        }
    }
    if (at(logs, predecessor)->state == IV_LOG_CONNECTED) {
        return follow(logs, d, ref, predecessor);
    }
    wait_for(logs, ref, predecessor);
    return true;
}

/* One entry that waits for a connected one; the last lets go of that. */
static bool follow_one(struct iv_logs *logs, struct iv_digester *d)
{
    uint32_t predecessor = logs->connected[logs->connected_count - 1];
    uint32_t ref = at(logs, predecessor)->waiters;
    if (ref == 0) {
        logs->connected_count--;
        release(logs, predecessor);
        return true;
    }
    stop_waiting(logs, ref);
    return follow(logs, d, ref, predecessor);
}

bool iv_logs_settled(const struct iv_logs *logs, iv_ns passed)
{
    const struct iv_timer *first = iv_timers_first(&logs->claims);
    return logs->connected_count == 0 && (first == NULL || first->deadline >= passed);
}

bool iv_logs_settle(struct iv_logs *logs, struct iv_digester *d, iv_ns passed, bool all)
{
    bool memory = true;
    for (uint32_t i = 0; memory && (all || i < SETTLE_MAX) && !iv_logs_settled(logs, passed); i++) {
        if (logs->connected_count > 0) {
            memory = follow_one(logs, d);
            continue;
        }
        uint32_t ref = iv_timers_first(&logs->claims)->ref;
        iv_timers_pop(&logs->claims);
        memory = at(logs, ref)->state != IV_LOG_CLAIMED || settle(logs, d, ref);
        release(logs, ref);
    }
    return memory;
}

static void forget(struct iv_logs *logs, uint32_t ref)
{
    struct iv_log_entry *entry = at(logs, ref);
    iv_table_remove(&logs->table, entry->key.lo, ref);
    if (entry->state == IV_LOG_WAITING) {
        stop_waiting(logs, ref);
    } else if (entry->state == IV_LOG_CONNECTED) {
        uint32_t predecessor = entry->tree.predecessor;
        entry->tree.predecessor = 0;
        release(logs, predecessor);
    }
    release(logs, ref);
}

void iv_logs_sweep(struct iv_logs *logs, iv_ns passed)
{
    for (int i = 0; i < SWEEP_MAX; i++) {
        uint32_t ref = logs->oldest;
        if (ref == 0 || iv_ns_add(at(logs, ref)->time, logs->reach) >= passed) {
            return;
        }
        logs->oldest = at(logs, ref)->newer;
        if (at(logs, ref)->waiters != 0 && at(logs, ref)->state == IV_LOG_UNSEEN) {
            enqueue(logs, ref); /* those that name it go first */
        } else {
            forget(logs, ref);
        }
    }
}

bool iv_logs_link(struct iv_logs *logs, uint32_t entry, uint32_t predecessor, uint32_t left)
{
    struct iv_log_entry *e = at(logs, entry);
    if (e->state == IV_LOG_CLAIMED) {
        return await(logs, entry, e->time);
    }
    if (e->state == IV_LOG_WAITING) {
        wait_for(logs, entry, predecessor);
    } else if (e->state == IV_LOG_CONNECTED) {
        refer_to(logs, entry, predecessor, left);
    }
    return true;
}

bool iv_logs_resume(struct iv_logs *logs)
{
    bool memory = true;
    for (uint32_t ref = logs->oldest; ref != 0 && memory; ref = at(logs, ref)->newer) {
        if (at(logs, ref)->state == IV_LOG_CONNECTED && at(logs, ref)->waiters != 0) {
            memory = push_connected(logs, ref);
        }
    }
    return memory;
}

uint32_t iv_logs_prefix(const struct iv_logs *logs, uint32_t entry, uint64_t leaves)
{
    while (entry != 0 && (uint64_t)at(logs, entry)->seq + 1 > leaves) {
        uint32_t left = at(logs, entry)->tree.left;
        bool jump = left != 0 && (uint64_t)at(logs, left)->seq + 1 >= leaves;
        entry = jump ? left : at(logs, entry)->tree.predecessor;
    }
    return entry;
}

void iv_logs_root(struct iv_merkle_hash *out, const struct iv_logs *logs, struct iv_digester *d,
                  uint32_t entry)
{
    struct iv_merkle_hash root = at(logs, entry)->hash;
    for (uint32_t left = at(logs, entry)->tree.left; left != 0; left = at(logs, left)->tree.left) {
        iv_merkle_node(&root, d, &at(logs, left)->hash, &root);
    }
    *out = root;
}

uint64_t iv_logs_bytes(const struct iv_logs *logs)
{
    return iv_slab_bytes(&logs->entries) + iv_table_bytes(&logs->table) +
           logs->connected_capacity * sizeof *logs->connected;
}
