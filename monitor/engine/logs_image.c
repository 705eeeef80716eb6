/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/logs_image.h"

#include "base/alloc.h"
#include "base/guard.h"

/* The entries in the order of their numbers. */
struct roll {
    uint32_t *entries;
    uint32_t *numbers; /* by entry */
    uint32_t count;
    uint32_t remembered;
};

static void enrol(struct roll *roll, uint32_t entry)
{
    if (entry != 0 && roll->numbers[entry] == 0) {
        roll->entries[roll->count++] = entry;
        roll->numbers[entry] = roll->count;
    }
}

static bool call_roll(struct roll *roll, const struct iv_logs *logs)
{
    roll->entries = iv_calloc((size_t)logs->entries.live + 1, sizeof *roll->entries);
    roll->numbers = iv_calloc((size_t)logs->entries.next + 1, sizeof *roll->numbers);
    if (roll->entries == NULL || roll->numbers == NULL) {
        return false;
    }
    for (uint32_t entry = logs->oldest; entry != 0; entry = iv_log_entry_at(logs, entry)->newer) {
        enrol(roll, entry);
    }
    roll->remembered = roll->count;
    for (uint32_t i = 0; i < roll->count; i++) {
        const struct iv_log_entry *entry = iv_log_entry_at(logs, roll->entries[i]);
        if (entry->state == IV_LOG_CONNECTED) {
            enrol(roll, entry->tree.predecessor);
            enrol(roll, entry->tree.left);
        } else if (entry->state == IV_LOG_WAITING) {
            enrol(roll, entry->waits.entry);
        }
    }
    return true;
}

static void write_entry(const struct roll *roll, const struct iv_log_entry *entry, struct iv_buf *out)
{
    iv_image_hash(out, entry->key);
    iv_buf_add(out, &entry->hash, sizeof entry->hash);
    iv_image_int(out, entry->time);
    iv_image_uint(out, entry->seq);
    iv_image_uint(out, entry->state);
    iv_image_uint(out, entry->disputed);
    if (entry->state == IV_LOG_CLAIMED) {
        iv_image_hash(out, entry->names);
    } else if (entry->state == IV_LOG_WAITING) {
        iv_image_uint(out, roll->numbers[entry->waits.entry]);
    } else if (entry->state == IV_LOG_CONNECTED) {
        iv_image_int(out, entry->tree.latest);
        iv_image_int(out, entry->tree.gap);
        iv_image_uint(out, roll->numbers[entry->tree.predecessor]);
        iv_image_uint(out, roll->numbers[entry->tree.left]);
    }
}

struct iv_rc_s iv_logs_write(const struct iv_logs *logs, struct iv_buf *out, struct iv_err *err)
{
    struct roll roll = {0};
    bool memory = call_roll(&roll, logs);
    if (memory) {
        iv_image_uint(out, roll.remembered);
        iv_image_uint(out, roll.count - roll.remembered);
        for (uint32_t i = 0; i < roll.count; i++) {
            write_entry(&roll, iv_log_entry_at(logs, roll.entries[i]), out);
        }
    }
    iv_free(roll.entries);
    iv_free(roll.numbers);
    ENSURE(memory, err, IV_E_NOMEM, "cannot allocate the list of %u entries of logs",
           (unsigned)logs->entries.live);
    return IV_OK;
}

/* What an entry refers to, by number, until all of them are there. */
struct reference {
    uint32_t entry;
    uint32_t predecessor;
    uint32_t left;
};

static bool read_entry(struct iv_logs *logs, struct iv_image *in, uint32_t count, bool remembered,
                       struct reference *out)
{
    struct iv_hash128 key = iv_image_get_hash(in);
    struct iv_merkle_hash hash;
    iv_image_get_bytes(in, hash.bytes, sizeof hash.bytes);
    iv_ns time = iv_image_get_int(in);
    uint64_t seq = iv_image_get_below(in, IV_LOG_SEQ_MAX);
    uint64_t state = iv_image_get_below(in, IV_LOG_BROKEN);
    bool disputed = iv_image_get_below(in, 1) != 0;
    out->entry = iv_logs_put(logs, key, seq, time, remembered);
    if (out->entry == 0) {
        return false;
    }
    struct iv_log_entry *entry = iv_log_entry_at(logs, out->entry);
    entry->hash = hash;
    entry->state = state & 7;
    entry->disputed = disputed;
    if (state == IV_LOG_CLAIMED) {
        entry->names = iv_image_get_hash(in);
    } else if (state == IV_LOG_WAITING) {
        out->predecessor = (uint32_t)iv_image_get_below(in, count);
    } else if (state == IV_LOG_CONNECTED) {
        entry->tree.latest = iv_image_get_int(in);
        entry->tree.gap = iv_image_get_int(in);
        out->predecessor = (uint32_t)iv_image_get_below(in, count);
        out->left = (uint32_t)iv_image_get_below(in, count);
    }
    return true;
}

/* A place before another's; 0 refers to none. */
static bool fits(const struct iv_logs *logs, uint32_t entry, uint64_t seq, bool connected)
{
    const struct iv_log_entry *e = iv_log_entry_at(logs, entry);
    return e->seq == seq && (!connected || e->state == IV_LOG_CONNECTED);
}

/* Trees lead to ever smaller places, so that every walk ends; the peaks are where the size has them. */
static bool is_sound(const struct iv_logs *logs, const struct reference *ref, uint32_t predecessor,
                     uint32_t left)
{
    const struct iv_log_entry *entry = iv_log_entry_at(logs, ref->entry);
    uint64_t leaves = (uint64_t)entry->seq + 1;
    uint64_t others = leaves & (leaves - 1);
    if (entry->state == IV_LOG_WAITING) {
        return predecessor != 0 && entry->seq > 0 && fits(logs, predecessor, entry->seq - 1U, false);
    }
    if (entry->state != IV_LOG_CONNECTED) {
        return true;
    }
    bool before = predecessor == 0 || (entry->seq > 0 && fits(logs, predecessor, entry->seq - 1U, true));
    return before && (left == 0) == (others == 0) && (left == 0 || fits(logs, left, others - 1, true));
}

static bool link_all(struct iv_logs *logs, struct iv_image *in, const struct reference *refs, uint32_t count)
{
    for (uint32_t i = 1; i <= count && !in->bad; i++) {
        uint32_t predecessor = refs[refs[i].predecessor].entry;
        uint32_t left = refs[refs[i].left].entry;
        if (!is_sound(logs, &refs[i], predecessor, left)) {
            in->bad = true;
        } else if (!iv_logs_link(logs, refs[i].entry, predecessor, left)) {
            return false;
        }
    }
    /* What nothing leans on would never be forgotten. */
    for (uint32_t i = 1; i <= count; i++) {
        in->bad = in->bad || iv_log_entry_at(logs, refs[i].entry)->refs == 0;
    }
    return in->bad || iv_logs_resume(logs);
}

bool iv_logs_read(struct iv_logs *logs, struct iv_image *in)
{
    uint64_t remembered = iv_image_get_count(in);
    uint64_t others = iv_image_get_count(in);
    uint64_t count = remembered + others;
    if (count > (uint64_t)(in->end - in->at)) {
        in->bad = true;
        return true;
    }
    struct reference *refs = iv_calloc((size_t)count + 1, sizeof *refs);
    bool memory = refs != NULL;
    for (uint64_t i = 1; memory && i <= count && !in->bad; i++) {
        memory = read_entry(logs, in, (uint32_t)count, i <= remembered, &refs[i]);
    }
    memory = memory && (in->bad || link_all(logs, in, refs, (uint32_t)count));
    iv_free(refs);
    return memory;
}
