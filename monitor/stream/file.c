/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/guard.h"
#include "stream/inflow.h"
#include "stream/source.h"

#define BUFFER_BYTES ((size_t)256 << 10)
#define LINE_BYTES ((size_t)16 << 20)
#define BATCH_RECORDS 1024

struct iv_file {
    struct iv_inflow inflow;
    struct iv_file_options options;
    char *buffer; /* capacity bytes and the padding */
    size_t capacity;
    size_t start;   /* of what has not been handed out */
    size_t end;     /* of what has been read */
    size_t scanned; /* up to here there is no line's end */
    int64_t line;   /* number of the line that begins at start */
    bool skipping;  /* inside of a line that was cut, behind the cut */
    bool at_end;
    struct iv_record records[BATCH_RECORDS];
};

static iv_rc resize(struct iv_file *file, size_t capacity, struct iv_err *err)
{
    char *grown = iv_realloc(file->buffer, capacity + IV_RECORD_PADDING);
    ENSURE(grown != NULL, err, IV_E_NOMEM, "cannot allocate %zu bytes to read '%s'", capacity,
           file->inflow.raw.path);
    file->buffer = grown;
    file->capacity = capacity;
    return IV_OK;
}

iv_rc iv_file_open(struct iv_file **out, const char *path, const struct iv_file_options *options,
                   struct iv_err *err)
{
    IV_AUTO(iv_file_closep) struct iv_file *file = iv_calloc(1, sizeof *file);
    ENSURE(file != NULL, err, IV_E_NOMEM, "cannot allocate the reader of '%s'", path);
    file->options = *options;
    if (file->options.line_bytes == 0) {
        file->options.line_bytes = LINE_BYTES;
    }
    TRY(iv_inflow_open(&file->inflow, path, err));
    size_t line = file->options.line_bytes;
    TRY(resize(file, line < BUFFER_BYTES ? line : BUFFER_BYTES, err));
    *out = TAKE(file);
    return IV_OK;
}

void iv_file_close(struct iv_file *file)
{
    if (file != NULL) {
        iv_inflow_close(&file->inflow);
        iv_free(file->buffer);
        iv_free(file);
    }
}

void iv_file_closep(struct iv_file **file)
{
    iv_file_close(*file);
}

static bool blank(struct iv_str line)
{
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r') {
            return false;
        }
    }
    return true;
}

static void put(struct iv_file *file, struct iv_batch *out, struct iv_str line)
{
    /* Of a line that is cut nobody has seen the end: it is none of the blank ones. */
    if (file->skipping || !blank(line)) {
        line.n -= line.p[line.n - 1] == '\r';
        file->records[out->count++] = (struct iv_record){
            .origin = {.stream = file->options.stream,
                       .partition = file->options.partition,
                       .offset = file->line,
                       .topic = iv_str_of(iv_stream_name(file->options.stream))},
            .bytes = line,
        };
    }
}

/* Where the line that begins at start ends; NULL: not in what was read so far. */
static char *line_end(struct iv_file *file)
{
    char *found = memchr(file->buffer + file->scanned, '\n', file->end - file->scanned);
    file->scanned = found == NULL ? file->end : (size_t)(found - file->buffer);
    return found;
}

/* Hands out the lines that stand in the buffer whole. */
static void slice(struct iv_file *file, struct iv_batch *out)
{
    char *end;
    while (out->count < BATCH_RECORDS && (end = line_end(file)) != NULL) {
        const char *begin = file->buffer + file->start;
        if (!file->skipping) {
            put(file, out, (struct iv_str){begin, (size_t)(end - begin)});
        }
        file->skipping = false;
        file->line++;
        file->start = file->scanned = (size_t)(end - file->buffer) + 1;
    }
}

/* What the buffer holds is no whole line: the rest of a line that was cut, the beginning of one that is to be
 * cut, or the file's last. */
static void slice_partial(struct iv_file *file, struct iv_batch *out)
{
    size_t n = file->end - file->start;
    if (file->skipping) {
        file->start = file->end;
    } else if (n >= file->options.line_bytes || (file->at_end && n > 0)) {
        file->skipping = !file->at_end;
        put(file, out, (struct iv_str){file->buffer + file->start, n});
        file->start = file->end;
    }
}

/* Reads one step more behind what is there. */
static iv_rc fill(struct iv_file *file, struct iv_err *err)
{
    size_t held = file->end - file->start;
    memmove(file->buffer, file->buffer + file->start, held);
    file->start = 0;
    file->end = file->scanned = held;
    if (held == file->capacity) {
        size_t doubled = 2 * file->capacity;
        TRY(resize(file, doubled < file->options.line_bytes ? doubled : file->options.line_bytes, err));
    }
    size_t got = 0;
    TRY(iv_inflow_read(&file->inflow, file->buffer + held, file->capacity - held, &got, err));
    file->end = held + got;
    file->at_end = got == 0;
    memset(file->buffer + file->end, 0, IV_RECORD_PADDING);
    return IV_OK;
}

iv_rc iv_file_next(struct iv_file *file, struct iv_batch *out, struct iv_err *err)
{
    *out = (struct iv_batch){.records = file->records};
    /* Reading only when nothing is left to hand out: so whatever fails, what was read before it has been
     * delivered. */
    slice(file, out);
    while (out->count == 0 && !file->at_end) {
        TRY(fill(file, err));
        slice(file, out);
        if (out->count == 0) {
            slice_partial(file, out);
        }
    }
    return IV_OK;
}

int64_t iv_file_consumed(const struct iv_file *file)
{
    return file->inflow.raw.consumed;
}

int64_t iv_file_size(const struct iv_file *file)
{
    return file->inflow.raw.size;
}
