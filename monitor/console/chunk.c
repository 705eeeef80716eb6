/* SPDX-License-Identifier: Apache-2.0 */
#include "console/chunk.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "console/readers.h"
#include "console/show.h"

#include <pthread.h>

enum { RING = 16, EVENT_BYTES_MAX = 4 << 20 };

struct iv_chunks {
    /* held while a chunk is made: whoever wants the same waits for it instead of making it too */
    pthread_mutex_t lock;
    struct iv_readers *readers;
    struct iv_chunk *ring[RING];
    size_t next;
    struct iv_place empty_at; /* here there was nothing more … */
    uint64_t empty_in;        /* … in this generation */
};

struct iv_chunk *iv_chunk_new(struct iv_str bytes, struct iv_place from, struct iv_place to)
{
    struct iv_chunk *chunk = iv_malloc(sizeof *chunk + bytes.n);
    if (chunk == NULL) {
        return NULL;
    }
    *chunk = (struct iv_chunk){.from = from, .to = to, .n = bytes.n, .refs = 1};
    if (bytes.n > 0) {
        memcpy(chunk->bytes, bytes.p, bytes.n);
    }
    return chunk;
}

struct iv_chunk *iv_chunk_ref(struct iv_chunk *chunk)
{
    (void)__atomic_add_fetch(&chunk->refs, 1, __ATOMIC_RELAXED);
    return chunk;
}

void iv_chunk_unref(struct iv_chunk *chunk)
{
    if (chunk != NULL && __atomic_sub_fetch(&chunk->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        iv_free(chunk);
    }
}

iv_rc iv_chunks_new(struct iv_chunks **out, struct iv_readers *readers, struct iv_err *err)
{
    struct iv_chunks *c = iv_calloc(1, sizeof *c);
    ENSURE(c != NULL, err, IV_E_NOMEM, "cannot allocate the live stream's pieces");
    (void)pthread_mutex_init(&c->lock, NULL);
    c->readers = readers;
    *out = c;
    return IV_OK;
}

void iv_chunks_free(struct iv_chunks *chunks)
{
    if (chunks == NULL) {
        return;
    }
    for (size_t i = 0; i < RING; i++) {
        iv_chunk_unref(chunks->ring[i]);
    }
    (void)pthread_mutex_destroy(&chunks->lock);
    iv_free(chunks);
}

struct making {
    struct iv_buf *out;
    struct iv_place place;
    size_t findings;
    int64_t behind;                      /* of the findings up to here all that are shown are in out */
    struct iv_str keys[IV_CHUNK_EVENTS]; /* of executions, each once, in order of their last change */
    int64_t seqs[IV_CHUNK_EVENTS];
    size_t key_count;
    char key_bytes[IV_CHUNK_EVENTS][IV_UID_HEX];
};

static bool is_full(const struct making *m)
{
    return m->out->n >= IV_CHUNK_BYTES;
}

static void event_begin(struct making *m, const char *event)
{
    char id[IV_PLACE_BYTES];
    iv_place_format(id, m->place);
    iv_buf_printf(m->out, "id: %s\nevent: %s\ndata: ", id, event);
}

static bool add_finding(void *ctx, const struct iv_finding *finding)
{
    struct making *m = ctx;
    m->place.findings = finding->seq;
    m->findings++;
    event_begin(m, "finding");
    struct iv_json j = iv_json_to(m->out);
    iv_show_finding(&j, NULL, finding);
    iv_buf_text(m->out, "\n\n");
    return !is_full(m);
}

/* Several changes of one execution become one event that shows where it stands now, at the
 * place of the last. */
static bool note_action(void *ctx, const struct iv_action *action)
{
    struct making *m = ctx;
    for (size_t i = 0; i < m->key_count; i++) {
        if (iv_str_eq(m->keys[i], action->execution)) {
            m->key_count--;
            struct iv_str key = m->keys[i];
            memmove(&m->keys[i], &m->keys[i + 1], (m->key_count - i) * sizeof m->keys[0]);
            memmove(&m->seqs[i], &m->seqs[i + 1], (m->key_count - i) * sizeof m->seqs[0]);
            m->keys[m->key_count] = key;
            m->seqs[m->key_count++] = action->seq;
            return true;
        }
    }
    size_t slot = m->key_count;
    IV_CHECK(slot < IV_CHUNK_EVENTS);
    size_t n = action->execution.n < IV_UID_HEX ? action->execution.n : IV_UID_HEX;
    memcpy(m->key_bytes[slot], action->execution.p, n);
    m->keys[slot] = (struct iv_str){m->key_bytes[slot], n};
    m->seqs[slot] = action->seq;
    m->key_count++;
    return true;
}

struct acting {
    struct making *making;
    struct iv_reader *reader;
    struct iv_err *err;
    struct iv_rc_s rc;
};

static bool add_execution(void *ctx, const struct iv_execution *execution)
{
    struct acting *a = ctx;
    event_begin(a->making, "action");
    struct iv_json j = iv_json_to(a->making->out);
    a->rc = iv_show_execution(&j, NULL, a->reader, execution, a->err);
    iv_buf_text(a->making->out, "\n\n");
    return iv_ok(a->rc);
}

static iv_rc add_actions(struct making *m, struct iv_reader *reader, struct iv_err *err)
{
    TRY(iv_reader_actions(reader, (struct iv_str){NULL, 0}, m->place.actions, IV_CHUNK_EVENTS, note_action, m,
                          err));
    for (size_t i = 0; i < m->key_count && !is_full(m); i++) {
        struct acting a = {m, reader, err, IV_OK};
        const struct iv_execution_filter filter = {.key = m->keys[i], .limit = 1};
        m->place.actions = m->seqs[i];
        TRY(iv_reader_executions(reader, &filter, add_execution, &a, err));
        TRY(a.rc);
    }
    return IV_OK;
}

static bool same_place(struct iv_place a, struct iv_place b)
{
    return a.findings == b.findings && a.actions == b.actions;
}

/* Findings that the stream does not show are searched through once: whoever has seen all that are shown goes
 * on behind the newest that there was before the search. */
static iv_rc add_findings(struct making *m, struct iv_reader *reader, struct iv_err *err)
{
    const struct iv_finding_filter filter = {.after = m->place.findings, .limit = IV_CHUNK_EVENTS};
    struct iv_store_heads heads;
    TRY(iv_reader_heads(reader, &heads, err));
    TRY(iv_reader_findings(reader, &filter, add_finding, m, err));
    m->behind = m->findings < IV_CHUNK_EVENTS && !is_full(m) ? heads.findings : 0;
    return IV_OK;
}

static iv_rc make(struct iv_chunk **out, struct iv_readers *readers, struct iv_place from, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, IV_CHUNK_BYTES + EVENT_BYTES_MAX);
    struct making m = {.out = &text, .place = from};
    struct iv_reader *reader = iv_readers_borrow(readers);
    struct iv_rc_s rc = add_findings(&m, reader, err);
    if (iv_ok(rc)) {
        rc = add_actions(&m, reader, err);
    }
    iv_readers_return(readers, reader);
    TRY(rc);
    ENSURE(!iv_buf_failed(&text), err, IV_E_LIMIT,
           "an event behind %lld-%lld is larger than a stream carries", (long long)from.findings,
           (long long)from.actions);
    m.place.findings = m.behind > m.place.findings ? m.behind : m.place.findings;
    if (text.n == 0 && same_place(m.place, from)) {
        *out = NULL;
        return IV_OK;
    }
    struct iv_chunk *chunk = iv_chunk_new(iv_buf_slice(&text), from, m.place);
    ENSURE(chunk != NULL, err, IV_E_NOMEM, "cannot allocate a piece of the live stream");
    *out = chunk;
    return IV_OK;
}

static struct iv_chunk *find(const struct iv_chunks *chunks, struct iv_place from)
{
    for (size_t i = 0; i < RING; i++) {
        if (chunks->ring[i] != NULL && same_place(chunks->ring[i]->from, from)) {
            return iv_chunk_ref(chunks->ring[i]);
        }
    }
    return NULL;
}

static iv_rc get_locked(struct iv_chunks *chunks, struct iv_chunk **out, struct iv_place from,
                        uint64_t generation, struct iv_err *err)
{
    *out = find(chunks, from);
    if (*out != NULL || (generation == chunks->empty_in && same_place(from, chunks->empty_at))) {
        return IV_OK;
    }
    TRY(make(out, chunks->readers, from, err));
    if (*out == NULL) {
        chunks->empty_at = from;
        chunks->empty_in = generation;
        return IV_OK;
    }
    iv_chunk_unref(chunks->ring[chunks->next]);
    chunks->ring[chunks->next] = iv_chunk_ref(*out);
    chunks->next = (chunks->next + 1) % RING;
    return IV_OK;
}

iv_rc iv_chunks_get(struct iv_chunks *chunks, struct iv_chunk **out, struct iv_place from,
                    uint64_t generation, struct iv_err *err)
{
    (void)pthread_mutex_lock(&chunks->lock);
    struct iv_rc_s rc = get_locked(chunks, out, from, generation, err);
    (void)pthread_mutex_unlock(&chunks->lock);
    return rc;
}
