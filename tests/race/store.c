/* SPDX-License-Identifier: Apache-2.0 */
/* The store as a process uses it: two threads that put findings, one that drains the outbox, one that reads.
 * A plain program, because Criterion does not run under ThreadSanitizer; also right without it. */
#include "evidence/store.h"
#include "base/guard.h"
#include "evidence/reader.h"
#include "support/scratch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define BATCHES 50
#define BATCH 10
#define WRITERS 2

struct trial {
    struct iv_store *store;
    char path[512];
    atomic_int writing;
    atomic_long drained;
};

struct writer {
    struct trial *trial;
    int number;
};

static void put(struct iv_store *store, int writer, int n)
{
    char uid[IV_UID_HEX + 1];
    (void)snprintf(uid, sizeof uid, "%032d%032d", writer, n);
    struct iv_finding f = {
        .uid = iv_str_of(uid), .kind = IV_VIOLATED, .rule = IV_STR("R-1"), .ocsf = IV_STR("{}")};
    struct iv_posting p = {.key = f.uid, .value = f.ocsf};
    enum iv_put how;
    IV_CHECK(iv_ok(iv_store_put_finding(store, &how, &f, NULL)) && how == IV_PUT_NEW);
    IV_CHECK(iv_ok(iv_store_post(store, NULL, &p, NULL)));
}

static void *write_findings(void *ctx)
{
    const struct writer *w = ctx;
    for (int batch = 0; batch < BATCHES; batch++) {
        IV_CHECK(iv_ok(iv_store_begin(w->trial->store, NULL)));
        for (int i = 0; i < BATCH; i++) {
            put(w->trial->store, w->number, batch * BATCH + i);
        }
        IV_CHECK(iv_ok(iv_store_commit(w->trial->store, NULL)));
    }
    atomic_fetch_sub(&w->trial->writing, 1);
    return NULL;
}

struct taken {
    int64_t ids[64];
    size_t count;
};

static void take(void *ctx, const struct iv_posting *posting)
{
    struct taken *t = ctx;
    t->ids[t->count++] = posting->id;
}

static void *drain(void *ctx)
{
    struct trial *t = ctx;
    while (atomic_load(&t->drained) < (long)WRITERS * BATCHES * BATCH) {
        struct taken taken = {.count = 0};
        IV_CHECK(iv_ok(iv_store_outbox(t->store, 0, IV_COUNT(taken.ids), take, &taken, NULL)));
        if (taken.count > 0) {
            IV_CHECK(iv_ok(iv_store_begin(t->store, NULL)));
            IV_CHECK(iv_ok(iv_store_delivered(t->store, taken.ids, taken.count, NULL)));
            IV_CHECK(iv_ok(iv_store_commit(t->store, NULL)));
        }
        atomic_fetch_add(&t->drained, (long)taken.count);
    }
    return NULL;
}

static bool count(void *ctx, const struct iv_finding *finding)
{
    (void)finding;
    ++*(long *)ctx;
    return true;
}

/* Sees whole batches only. */
static void *read_findings(void *ctx)
{
    struct trial *t = ctx;
    struct iv_reader *reader = NULL;
    IV_CHECK(iv_ok(iv_reader_open(&reader, iv_str_of(t->path), NULL)));
    struct iv_finding_filter filter = {.limit = 100000};
    long seen = 0;
    do {
        long now = 0;
        IV_CHECK(iv_ok(iv_reader_findings(reader, &filter, count, &now, NULL)));
        IV_CHECK(now >= seen && now % BATCH == 0);
        seen = now;
    } while (atomic_load(&t->writing) > 0);
    iv_reader_close(reader);
    return NULL;
}

int main(void)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    struct trial t = {.writing = WRITERS};
    struct iv_str path = scratch_file(&dir, "s.db");
    memcpy(t.path, path.p, path.n + 1);
    IV_CHECK(iv_ok(iv_store_open(&t.store, path, NULL)));
    pthread_t threads[WRITERS + 2];
    struct writer writers[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){&t, i};
        IV_CHECK(pthread_create(&threads[i], NULL, write_findings, &writers[i]) == 0);
    }
    IV_CHECK(pthread_create(&threads[WRITERS], NULL, drain, &t) == 0);
    IV_CHECK(pthread_create(&threads[WRITERS + 1], NULL, read_findings, &t) == 0);
    for (size_t i = 0; i < IV_COUNT(threads); i++) {
        IV_CHECK(pthread_join(threads[i], NULL) == 0);
    }
    iv_store_close(t.store);
    return 0;
}
