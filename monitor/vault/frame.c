/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/frame.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <inttypes.h>
#include <string.h>

#define MAGIC "IVVAULT\n"
#define MAGIC_BYTES 8
#define VERSION_BYTES 4
#define LENGTH_BYTES 4
#define SUM_BYTES 16
#define FIRST_LEAD (MAGIC_BYTES + VERSION_BYTES + LENGTH_BYTES)
#define NAME_MAX_BYTES 4096

_Static_assert(FIRST_LEAD == IV_VAULT_LEAD_MAX, "the longest lead is the first block's");

/* Bytes that are read from the front; where they do not suffice, what is read is zero and bad is set. */
struct bytes {
    const char *p;
    size_t n;
    bool bad;
};

static void put_number(struct iv_buf *out, uint64_t value, size_t width)
{
    char raw[8];
    for (size_t i = 0; i < width; i++) {
        raw[i] = (char)(unsigned char)(value >> (8 * i));
    }
    iv_buf_add(out, raw, width);
}

static uint64_t number_at(const char *p, size_t width)
{
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++) {
        value |= (uint64_t)(unsigned char)p[i] << (8 * i);
    }
    return value;
}

static void put_text(struct iv_buf *out, struct iv_str s)
{
    put_number(out, s.n, 4);
    iv_buf_str(out, s);
}

static uint64_t get_number(struct bytes *in, size_t width)
{
    if (in->bad || in->n < width) {
        in->bad = true;
        return 0;
    }
    uint64_t value = number_at(in->p, width);
    in->p += width;
    in->n -= width;
    return value;
}

static struct iv_str get_bytes(struct bytes *in, uint64_t n)
{
    if (in->bad || n > in->n) {
        in->bad = true;
        return (struct iv_str){"", 0};
    }
    struct iv_str s = {in->p, (size_t)n};
    in->p += n;
    in->n -= (size_t)n;
    return s;
}

static struct iv_str get_text(struct bytes *in, size_t most)
{
    uint64_t n = get_number(in, 4);
    in->bad = in->bad || n > most;
    return get_bytes(in, n);
}

static struct iv_hash128 sum_of(struct iv_hash128 chain, struct iv_str s)
{
    return iv_hash128((struct iv_hash_key){chain.lo, chain.hi}, s);
}

uint64_t iv_vault_progress(const struct iv_vault_head *head)
{
    uint64_t sum = head->gone;
    for (size_t i = 0; i < head->place_count; i++) {
        sum += head->places[i].next > 0 ? (uint64_t)head->places[i].next : 0;
    }
    return sum;
}

void iv_vault_writer_init(struct iv_vault_writer *w, iv_vault_sink_fn sink, void *ctx)
{
    *w = (struct iv_vault_writer){.sink = sink, .ctx = ctx};
    iv_buf_init(&w->block, FIRST_LEAD + IV_VAULT_BLOCK_BYTES + SUM_BYTES);
}

void iv_vault_writer_deinit(struct iv_vault_writer *w)
{
    iv_buf_deinit(&w->block);
}

static size_t lead_of(uint64_t blocks)
{
    return blocks == 0 ? FIRST_LEAD : LENGTH_BYTES;
}

/* The room in front of the content is filled in when its length is known. */
static void open_block(struct iv_vault_writer *w)
{
    static const char lead[FIRST_LEAD] = {0};
    iv_buf_clear(&w->block);
    iv_buf_add(&w->block, lead, lead_of(w->blocks));
}

static iv_rc close_block(struct iv_vault_writer *w, struct iv_err *err)
{
    TRY(iv_buf_check(&w->block, "a block of a snapshot", err));
    size_t lead = lead_of(w->blocks);
    size_t end = w->block.n;
    size_t content = end - lead;
    ENSURE(content <= IV_VAULT_BLOCK_BYTES, err, IV_E_LIMIT,
           "the head of a snapshot has %zu bytes, of at most %zu", content, IV_VAULT_BLOCK_BYTES);
    struct iv_buf front;
    char room[FIRST_LEAD + 1];
    iv_buf_init_lent(&front, room, sizeof room, sizeof room);
    if (w->blocks == 0) {
        iv_buf_text(&front, MAGIC);
        put_number(&front, IV_VAULT_VERSION, VERSION_BYTES);
    }
    put_number(&front, content, LENGTH_BYTES);
    memcpy(w->block.p, front.p, lead);
    w->chain = sum_of(w->chain, iv_buf_slice(&w->block));
    put_number(&w->block, w->chain.lo, 8);
    put_number(&w->block, w->chain.hi, 8);
    TRY(iv_buf_check(&w->block, "a block of a snapshot", err));
    TRY(w->sink(w->ctx, iv_buf_slice(&w->block), err));
    w->blocks++;
    w->bytes += w->block.n;
    return IV_OK;
}

iv_rc iv_vault_write_head(struct iv_vault_writer *w, const struct iv_vault_head *head, struct iv_err *err)
{
    IV_CHECK(w->blocks == 0 && head->engine_count <= IV_VAULT_ENGINES);
    ENSURE(head->place_count <= IV_VAULT_PLACES, err, IV_E_LIMIT,
           "a snapshot of %zu partitions, of at most %d", head->place_count, IV_VAULT_PLACES);
    open_block(w);
    put_number(&w->block, (uint64_t)head->taken, 8);
    put_number(&w->block, head->gone, 8);
    put_text(&w->block, head->cell);
    put_text(&w->block, head->baseline);
    put_number(&w->block, head->place_count, 4);
    for (size_t i = 0; i < head->place_count; i++) {
        put_text(&w->block, head->places[i].topic);
        put_number(&w->block, (uint32_t)head->places[i].partition, 4);
        put_number(&w->block, (uint64_t)head->places[i].next, 8);
    }
    put_text(&w->block, head->notes);
    put_number(&w->block, head->engine_count, 4);
    TRY(close_block(w, err));
    open_block(w);
    return IV_OK;
}

static iv_rc write_content(struct iv_vault_writer *w, struct iv_str bytes, struct iv_err *err)
{
    while (bytes.n > 0) {
        size_t room = IV_VAULT_BLOCK_BYTES - (w->block.n - lead_of(w->blocks));
        size_t n = bytes.n < room ? bytes.n : room;
        iv_buf_add(&w->block, bytes.p, n);
        bytes.p += n;
        bytes.n -= n;
        if (n == room) {
            TRY(close_block(w, err));
            open_block(w);
        }
    }
    return iv_buf_check(&w->block, "a block of a snapshot", err);
}

iv_rc iv_vault_write_engine(struct iv_vault_writer *w, struct iv_str bytes, struct iv_err *err)
{
    char length[9];
    struct iv_buf raw;
    iv_buf_init_lent(&raw, length, sizeof length, sizeof length);
    put_number(&raw, bytes.n, 8);
    TRY(write_content(w, iv_buf_slice(&raw), err));
    return write_content(w, bytes, err);
}

iv_rc iv_vault_write_end(struct iv_vault_writer *w, struct iv_err *err)
{
    if (w->block.n > lead_of(w->blocks)) {
        TRY(close_block(w, err));
        open_block(w);
    }
    return close_block(w, err);
}

void iv_vault_reader_init(struct iv_vault_reader *r, size_t max_bytes)
{
    *r = (struct iv_vault_reader){.ended = false};
    iv_buf_init(&r->head_bytes, IV_VAULT_BLOCK_BYTES);
    iv_buf_init(&r->content, max_bytes);
}

void iv_vault_reader_deinit(struct iv_vault_reader *r)
{
    iv_buf_deinit(&r->head_bytes);
    iv_buf_deinit(&r->content);
    iv_free(r->places);
    r->places = NULL;
}

size_t iv_vault_reader_lead(const struct iv_vault_reader *r)
{
    return lead_of(r->blocks);
}

static iv_rc damaged(const struct iv_vault_reader *r, const char *what, struct iv_err *err)
{
    return iv_err_set(err, IV_E_MALFORMED, "block %" PRIu64 ", at byte %" PRIu64 ", is damaged: %s",
                      r->blocks, r->bytes, what);
}

static iv_rc check_magic(struct iv_str lead, struct iv_err *err)
{
    ENSURE(memcmp(lead.p, MAGIC, MAGIC_BYTES) == 0, err, IV_E_MALFORMED,
           "it does not begin as a snapshot does, with \"IVVAULT\"");
    uint64_t version = number_at(lead.p + MAGIC_BYTES, VERSION_BYTES);
    ENSURE(version == IV_VAULT_VERSION, err, IV_E_MALFORMED,
           "it is a snapshot of version %" PRIu64 ", and this program reads version %d", version,
           IV_VAULT_VERSION);
    return IV_OK;
}

iv_rc iv_vault_reader_size(const struct iv_vault_reader *r, size_t *out, struct iv_str lead,
                           struct iv_err *err)
{
    size_t wanted = lead_of(r->blocks);
    if (r->ended) {
        return damaged(r, "more follows the end", err);
    }
    ENSURE(lead.n >= wanted, err, IV_E_MALFORMED,
           "it is cut short within block %" PRIu64 ", at byte %" PRIu64, r->blocks, r->bytes + lead.n);
    if (r->blocks == 0) {
        TRY(check_magic(lead, err));
    }
    uint64_t content = number_at(lead.p + wanted - LENGTH_BYTES, LENGTH_BYTES);
    if (content > IV_VAULT_BLOCK_BYTES) {
        return damaged(r, "it claims to be longer than a block may be", err);
    }
    *out = wanted + (size_t)content + SUM_BYTES;
    return IV_OK;
}

static iv_rc parse_head(struct iv_vault_reader *r, struct iv_str content, struct iv_err *err)
{
    iv_buf_str(&r->head_bytes, content);
    TRY(iv_buf_check(&r->head_bytes, "the head of a snapshot", err));
    struct bytes in = {r->head_bytes.p, r->head_bytes.n, false};
    struct iv_vault_head head = {.taken = (iv_ns)get_number(&in, 8)};
    head.gone = get_number(&in, 8);
    head.cell = get_text(&in, NAME_MAX_BYTES);
    head.baseline = get_text(&in, NAME_MAX_BYTES);
    head.place_count = (size_t)get_number(&in, 4);
    if (in.bad || head.place_count > IV_VAULT_PLACES) {
        return damaged(r, "its list of partitions does not fit", err);
    }
    r->places = iv_calloc(head.place_count + 1, sizeof *r->places);
    ENSURE(r->places != NULL, err, IV_E_NOMEM, "cannot allocate the partitions of a snapshot");
    for (size_t i = 0; i < head.place_count; i++) {
        r->places[i].topic = get_text(&in, NAME_MAX_BYTES);
        r->places[i].partition = (int32_t)(uint32_t)get_number(&in, 4);
        r->places[i].next = (int64_t)get_number(&in, 8);
        in.bad = in.bad || r->places[i].partition < 0 || r->places[i].next < IV_VAULT_UNREAD;
    }
    head.places = r->places;
    head.notes = get_text(&in, IV_VAULT_BLOCK_BYTES);
    head.engine_count = (size_t)get_number(&in, 4);
    if (in.bad || in.n > 0 || head.engine_count > IV_VAULT_ENGINES) {
        return damaged(r, "its head does not fit", err);
    }
    r->head = head;
    return IV_OK;
}

static iv_rc parse_engines(struct iv_vault_reader *r, struct iv_err *err)
{
    struct bytes in = {r->content.p, r->content.n, false};
    for (size_t i = 0; i < r->head.engine_count && !r->skims; i++) {
        r->engines[i] = get_bytes(&in, get_number(&in, 8));
    }
    if (!r->skims && (in.bad || in.n > 0)) {
        return damaged(r, "the engines are not as long as they say", err);
    }
    r->ended = true;
    return IV_OK;
}

iv_rc iv_vault_reader_take(struct iv_vault_reader *r, struct iv_str block, struct iv_err *err)
{
    size_t size = 0;
    TRY(iv_vault_reader_size(r, &size, block, err));
    ENSURE(block.n >= size, err, IV_E_MALFORMED,
           "it is cut short within block %" PRIu64 ", at byte %" PRIu64 ": %zu bytes of %zu", r->blocks,
           r->bytes, block.n, size);
    if (block.n > size) {
        return damaged(r, "it is longer than it says", err);
    }
    size_t summed = size - SUM_BYTES;
    struct iv_hash128 sum = sum_of(r->chain, (struct iv_str){block.p, summed});
    if (number_at(block.p + summed, 8) != sum.lo || number_at(block.p + summed + 8, 8) != sum.hi) {
        return damaged(r, "its sum is not that of its bytes", err);
    }
    size_t lead = lead_of(r->blocks);
    struct iv_str content = {block.p + lead, summed - lead};
    if (r->blocks == 0) {
        TRY(parse_head(r, content, err));
    } else if (content.n == 0) {
        TRY(parse_engines(r, err));
    } else if (!r->skims) {
        iv_buf_str(&r->content, content);
        TRY(iv_buf_check(&r->content, "the state in a snapshot", err));
    }
    r->chain = sum;
    r->blocks++;
    r->bytes += size;
    return IV_OK;
}

iv_rc iv_vault_reader_end(const struct iv_vault_reader *r, struct iv_err *err)
{
    ENSURE(r->ended, err, IV_E_MALFORMED,
           "it is cut short at byte %" PRIu64 ", after block %" PRIu64 ": its end is missing", r->bytes,
           r->blocks);
    return IV_OK;
}

iv_rc iv_vault_read(struct iv_vault_reader *r, struct iv_str bytes, struct iv_err *err)
{
    while (bytes.n > 0) {
        size_t size = 0;
        TRY(iv_vault_reader_size(r, &size, bytes, err));
        struct iv_str block = {bytes.p, size < bytes.n ? size : bytes.n};
        TRY(iv_vault_reader_take(r, block, err));
        bytes.p += block.n;
        bytes.n -= block.n;
    }
    return iv_vault_reader_end(r, err);
}
