/* SPDX-License-Identifier: Apache-2.0 */
#include "app/replay_input.h"
#include "base/alloc.h"
#include "base/guard.h"

struct part {
    struct iv_file *file;
    iv_ns lateness;
    iv_ns watermark;
    size_t order; /* breaks ties: ledger before telemetry, then as given */
    struct iv_batch batch;
    size_t at;
};

struct iv_replay_input {
    /* a heap: the smallest watermark first; those that are read to their end are behind */
    struct part *parts;
    size_t live;
    size_t count;
};

static bool before(const struct part *a, const struct part *b)
{
    return a->watermark != b->watermark ? a->watermark < b->watermark : a->order < b->order;
}

/* The first has moved; puts it where it belongs. */
static void sift_down(struct iv_replay_input *input)
{
    size_t i = 0;
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < input->live; child++) {
            least = before(&input->parts[child], &input->parts[least]) ? child : least;
        }
        if (least == i) {
            return;
        }
        struct part moved = input->parts[i];
        input->parts[i] = input->parts[least];
        input->parts[least] = moved;
        i = least;
    }
}

iv_rc iv_replay_input_open(struct iv_replay_input **out, const struct iv_words files[IV_STREAMS],
                           const iv_ns lateness[IV_STREAMS], struct iv_err *err)
{
    IV_AUTO(iv_replay_input_closep) struct iv_replay_input *input = iv_calloc(1, sizeof *input);
    ENSURE(input != NULL, err, IV_E_NOMEM, "cannot allocate the replay's input");
    size_t total = 0;
    for (size_t s = 0; s < IV_STREAMS; s++) {
        total += files[s].count;
    }
    input->parts = iv_calloc(total + 1, sizeof *input->parts);
    ENSURE(input->parts != NULL, err, IV_E_NOMEM, "cannot allocate the replay's input");
    size_t pipes = 0;
    for (size_t s = 0; s < IV_STREAMS; s++) {
        for (size_t i = 0; i < files[s].count; i++) {
            pipes += strcmp(files[s].items[i], "-") == 0;
            ENSURE(pipes < 2, err, IV_E_REFUSED, "standard input ('-') can be read as one file only");
            struct part *p = &input->parts[input->count];
            *p = (struct part){.lateness = lateness[s], .watermark = IV_NS_MIN, .order = input->count};
            const struct iv_file_options options = {.stream = (enum iv_stream)s, .partition = (int32_t)i};
            TRY(iv_file_open(&p->file, files[s].items[i], &options, err));
            input->live = ++input->count;
        }
    }
    *out = TAKE(input);
    return IV_OK;
}

void iv_replay_input_close(struct iv_replay_input *input)
{
    if (input != NULL) {
        for (size_t i = 0; i < input->count; i++) {
            iv_file_close(input->parts[i].file);
        }
        iv_free(input->parts);
        iv_free(input);
    }
}

void iv_replay_input_closep(struct iv_replay_input **input)
{
    iv_replay_input_close(*input);
}

/* Sets the first aside, which has been read to its end. */
static void retire(struct iv_replay_input *input)
{
    struct part done = input->parts[0];
    input->parts[0] = input->parts[--input->live];
    input->parts[input->live] = done;
    sift_down(input);
}

bool iv_replay_input_at_hand(struct iv_replay_input *input)
{
    sift_down(input);
    return input->live > 0 && input->parts[0].at < input->parts[0].batch.count;
}

iv_rc iv_replay_input_next(struct iv_replay_input *input, const struct iv_record **out, struct iv_err *err)
{
    sift_down(input);
    while (input->live > 0) {
        struct part *p = &input->parts[0];
        if (p->at < p->batch.count) {
            *out = &p->batch.records[p->at++];
            return IV_OK;
        }
        TRY(iv_file_next(p->file, &p->batch, err));
        p->at = 0;
        if (p->batch.count == 0) {
            retire(input);
        }
    }
    *out = NULL;
    return IV_OK;
}

void iv_replay_input_saw(struct iv_replay_input *input, iv_ns time)
{
    struct part *p = &input->parts[0];
    iv_ns watermark = iv_ns_add(time, -p->lateness);
    p->watermark = watermark > p->watermark ? watermark : p->watermark;
}

double iv_replay_input_share(const struct iv_replay_input *input)
{
    double consumed = 0;
    double size = 0;
    for (size_t i = 0; i < input->count; i++) {
        if (iv_file_size(input->parts[i].file) < 0) {
            return -1;
        }
        consumed += (double)iv_file_consumed(input->parts[i].file);
        size += (double)iv_file_size(input->parts[i].file);
    }
    return size > 0 ? consumed / size : -1;
}
