/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/courier.h"

#include "base/guard.h"
#include "base/log.h"
#include "detect/courier_internal.h"
#include "evidence/store.h"
#include "stream/scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE (30 * IV_NS_PER_S)
#define FOUND_MAX 64
#define BEGINNING INT64_C(-2)
/* The last block has no content: its length and its sum. */
#define END_BYTES 20

/* A snapshot on the topic, as far as it was seen. */
struct found {
    struct iv_carried carried;
    int64_t offset; /* of its first block */
    bool broken;    /* blocks are missing, or were removed */
    bool ended;
};

struct search {
    struct iv_str cell;
    struct found found[FOUND_MAX];
    size_t count;
};

/* CELL/ID/BLOCK, of this cell. */
static bool parse_key(struct iv_str key, struct iv_str cell, char id[IV_COURIER_ID_BYTES], uint32_t *block)
{
    char text[IV_COURIER_ID_BYTES + 16];
    if (key.n <= cell.n + 1 || memcmp(key.p, cell.p, cell.n) != 0 || key.p[cell.n] != '/' ||
        key.n - cell.n - 1 >= sizeof text) {
        return false;
    }
    memcpy(text, key.p + cell.n + 1, key.n - cell.n - 1);
    text[key.n - cell.n - 1] = '\0';
    char *slash = strchr(text, '/');
    if (slash == NULL || (size_t)(slash - text) >= IV_COURIER_ID_BYTES) {
        return false;
    }
    *slash = '\0';
    char *end = NULL;
    unsigned long number = strtoul(slash + 1, &end, 10);
    memcpy(id, text, (size_t)(slash - text) + 1);
    *block = (uint32_t)number;
    return end != slash + 1 && *end == '\0' && number < UINT32_MAX;
}

static struct found *find(struct search *s, const char *id)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->found[i].carried.id, id) == 0) {
            return &s->found[i];
        }
    }
    return NULL;
}

/* Of more than there is room for, the one that has read least gives way. */
static struct found *make(struct search *s, const char *id)
{
    struct found *f = &s->found[0];
    if (s->count < FOUND_MAX) {
        f = &s->found[s->count++];
    } else {
        for (size_t i = 1; i < s->count; i++) {
            f = strcmp(s->found[i].carried.id, f->carried.id) < 0 ? &s->found[i] : f;
        }
    }
    *f = (struct found){.offset = -1};
    (void)snprintf(f->carried.id, sizeof f->carried.id, "%s", id);
    return f;
}

static bool note(void *ctx, const struct iv_scanned *record)
{
    struct search *s = ctx;
    char id[IV_COURIER_ID_BYTES];
    uint32_t block = 0;
    if (!parse_key(record->key, s->cell, id, &block)) {
        return true;
    }
    struct found *f = find(s, id);
    f = f != NULL ? f : make(s, id);
    if (record->value.p == NULL || block != f->carried.blocks) {
        f->broken = true;
        f->carried.blocks = block + 1 > f->carried.blocks ? block + 1 : f->carried.blocks;
        return true;
    }
    f->offset = block == 0 ? record->offset : f->offset;
    f->ended = block > 0 && record->value.n == END_BYTES;
    f->carried.blocks++;
    return true;
}

/* One that is brought into the folder. */
struct bringing {
    const struct found *found;
    struct iv_str cell;
    struct iv_vault_reader reader;
    struct iv_vault_file file;
    struct iv_rc_s rc;
    struct iv_err *err;
};

static iv_rc take_block(struct bringing *b, struct iv_str block, struct iv_err *err)
{
    TRY(iv_vault_reader_take(&b->reader, block, err));
    return iv_vault_file_sink(&b->file, block, err);
}

static bool bring_block(void *ctx, const struct iv_scanned *record)
{
    struct bringing *b = ctx;
    char id[IV_COURIER_ID_BYTES];
    uint32_t block = 0;
    if (!parse_key(record->key, b->cell, id, &block) || strcmp(id, b->found->carried.id) != 0 ||
        record->value.p == NULL) {
        return true;
    }
    b->rc = take_block(b, record->value, b->err);
    return iv_ok(b->rc) && !b->reader.ended;
}

/* What is before it was found elsewhere, and is on the findings topic. */
static iv_rc note_positions(struct iv_courier *c, const struct iv_vault_head *head, struct iv_err *err)
{
    struct iv_store *store = c->options.store;
    TRY(iv_store_begin(store, err));
    struct iv_rc_s rc = IV_OK;
    for (size_t i = 0; i < head->place_count && iv_ok(rc); i++) {
        const struct iv_vault_place *p = &head->places[i];
        int64_t kept = 0;
        struct iv_rc_s known = iv_store_position(store, &kept, p->topic, p->partition, err);
        if (!iv_ok(known) && known.code != IV_E_ABSENT) {
            rc = known;
        } else if (p->next > 0 && kept < p->next) {
            rc = iv_store_put_position(store, p->topic, p->partition, p->next, err);
        }
    }
    if (!iv_ok(rc)) {
        iv_store_rollback(store);
        return rc;
    }
    return iv_store_commit(store, err);
}

static iv_rc bring_blocks(struct iv_courier *c, struct bringing *b, struct iv_scan *scan, struct iv_err *err)
{
    TRY(iv_scan_run(scan, b->found->offset, bring_block, b, PATIENCE, err));
    TRY(b->rc);
    TRY(iv_vault_reader_end(&b->reader, err));
    ENSURE(iv_str_eq(b->reader.head.cell, b->cell), err, IV_E_MALFORMED, "it is of the cell '" IV_STR_FMT "'",
           IV_STR_ARG(b->reader.head.cell));
    TRY(iv_vault_file_sync(&b->file, err));
    TRY(note_positions(c, &b->reader.head, err));
    return iv_vault_file_publish(&b->file, err);
}

static iv_rc bring(struct iv_courier *c, struct iv_str cell, const struct found *found, struct iv_scan *scan,
                   struct iv_err *err)
{
    struct bringing b = {.found = found, .cell = cell, .rc = IV_OK, .err = err};
    uint64_t newest = 0;
    size_t count = 0;
    iv_ns begun = iv_monotonic(&c->clock);
    TRY(iv_vault_folder_list(c->options.folder, cell, &newest, 1, &count, err));
    TRY(iv_vault_file_open(&b.file, c->options.folder, cell, newest + 1, err));
    iv_vault_reader_init(&b.reader, 0);
    b.reader.skims = true;
    struct iv_rc_s rc = bring_blocks(c, &b, scan, err);
    if (iv_ok(rc)) {
        LOG_INFO("snapshot.fetched", KV_STR("cell", cell), KV_TEXT("id", found->carried.id),
                 KV_I64("bytes", (int64_t)b.reader.bytes),
                 KV_F64("took_s", (double)(iv_monotonic(&c->clock) - begun) / 1e9));
    }
    iv_vault_file_close(&b.file);
    iv_vault_reader_deinit(&b.reader);
    return rc;
}

/* How far the newest of the folder has read that is whole. */
static uint64_t progress_here(struct iv_courier *c, struct iv_str cell)
{
    uint64_t numbers[IV_VAULT_KEPT_MAX];
    size_t count = 0;
    struct iv_err err;
    if (!iv_ok(iv_vault_folder_list(c->options.folder, cell, numbers, IV_COUNT(numbers), &count, &err))) {
        return 0;
    }
    uint64_t progress = 0;
    for (size_t i = 0; i < count && progress == 0; i++) {
        struct iv_vault_reader r;
        iv_vault_reader_init(&r, 0);
        r.skims = true;
        if (iv_ok(iv_vault_file_read(&r, c->options.folder, cell, numbers[i], NULL, NULL, &err))) {
            progress = iv_vault_progress(&r.head);
        }
        iv_vault_reader_deinit(&r);
    }
    return progress;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct found *)b)->carried.id, ((const struct found *)a)->carried.id);
}

static void note_all(struct iv_courier *c, const struct search *s)
{
    (void)pthread_mutex_lock(&c->lock);
    struct iv_errand *e = iv_courier_errand(c, s->cell);
    for (size_t i = 0; e != NULL && i < s->count; i++) {
        if (s->found[i].ended || s->found[i].offset >= 0) {
            iv_errand_note(e, &s->found[i].carried);
        }
    }
    (void)pthread_mutex_unlock(&c->lock);
}

static iv_rc fetch(struct iv_courier *c, struct search *s, struct iv_err *err)
{
    IV_AUTO(iv_scan_closep) struct iv_scan *scan = NULL;
    int32_t partition = 0;
    TRY(iv_courier_partition(c, s->cell, &partition, err));
    TRY(iv_scan_open(&scan, c->options.kafka, c->options.kafka_count, c->options.topic, partition, err));
    TRY(iv_scan_run(scan, BEGINNING, note, s, PATIENCE, err));
    note_all(c, s);
    qsort(s->found, s->count, sizeof *s->found, by_id);
    uint64_t here = progress_here(c, s->cell);
    for (size_t i = 0; i < s->count; i++) {
        struct found *f = &s->found[i];
        if (strtoull(f->carried.id, NULL, 10) <= here) {
            break;
        }
        if (f->broken || !f->ended) {
            continue;
        }
        struct iv_rc_s rc = bring(c, s->cell, f, scan, err);
        if (rc.code != IV_E_MALFORMED) {
            return rc;
        }
        LOG_ERROR("snapshot.refused", KV_STR("cell", s->cell), KV_STR("topic", c->options.topic),
                  KV_TEXT("id", f->carried.id), KV_TEXT("why", err->text));
    }
    return IV_OK;
}

iv_rc iv_courier_fetch(struct iv_courier *courier, struct iv_str cell, struct iv_err *err)
{
    struct search s = {.cell = cell};
    return fetch(courier, &s, err);
}
