/* SPDX-License-Identifier: Apache-2.0 */
/* A coverage as bytes: sections in the manner of a snapshot. */
#include "base/alloc.h"
#include "base/guard.h"
#include "engine/coverage_internal.h"
#include "engine/image.h"

#include <string.h>

#define FORM 1

static void put_losses(struct iv_buf *out, const struct iv_losses *losses)
{
    iv_image_uint(out, losses->count);
    for (uint32_t i = 0; i < losses->count; i++) {
        const struct iv_loss *loss = &losses->at[i];
        iv_image_str(out, iv_str_of(iv_loss_name(loss->cause)));
        iv_image_int(out, loss->from);
        iv_image_int(out, loss->until);
        iv_image_uint(out, loss->records);
    }
}

static void put_tract(struct iv_buf *out, const struct iv_tract *t)
{
    iv_image_uint(out, t->stream);
    iv_image_int(out, t->partition);
    iv_image_uint(out, t->state);
    iv_image_uint(out, t->began);
    iv_image_int(out, t->begin);
    iv_image_int(out, t->first);
    iv_image_int(out, t->reach);
    put_losses(out, &t->losses);
    for (int cause = 0; cause < IV_LOSS_CAUSES; cause++) {
        if (t->pending[cause].open) {
            iv_image_str(out, iv_str_of(iv_loss_name((enum iv_loss_cause)cause)));
            iv_image_int(out, t->pending[cause].from);
            iv_image_uint(out, t->pending[cause].records);
        }
    }
    iv_image_str(out, IV_STR(""));
    iv_image_uint(out, t->before.any);
    iv_image_int(out, t->before.first);
    iv_image_int(out, t->before.reach);
    iv_image_uint(out, t->before.of_other_run);
    iv_image_int(out, t->before.ended);
    put_losses(out, &t->before.losses);
}

static void put_trail(struct iv_buf *out, const struct iv_coverage *c, const struct iv_trail *t)
{
    iv_image_hash(out, t->id);
    iv_image_int(out, t->low);
    iv_image_int(out, t->next);
    iv_image_int(out, t->low_time);
    iv_image_int(out, t->last_time);
    iv_image_uint(out, t->stirred);
    for (uint32_t i = t->holes; i != IV_NO_HOLE; i = c->holes[i].next) {
        const struct iv_hole *h = &c->holes[i];
        iv_image_uint(out, (uint64_t)h->tract + 1);
        iv_image_int(out, h->before);
        iv_image_int(out, h->behind);
        iv_image_int(out, h->first);
        iv_image_int(out, h->last);
    }
    iv_image_uint(out, 0);
}

void iv_coverage_image(struct iv_buf *out, const struct iv_coverage *c)
{
    size_t section = iv_image_open(out, "COVR");
    iv_image_uint(out, FORM);
    iv_image_u64(out, c->options.key.k0);
    iv_image_u64(out, c->options.key.k1);
    iv_image_uint(out, c->tract_count);
    for (uint32_t i = 0; i < c->tract_count; i++) {
        put_tract(out, &c->tracts[i]);
    }
    iv_image_uint(out, c->forgot);
    iv_image_int(out, c->forgotten);
    iv_image_uint(out, c->hand);
    iv_image_uint(out, c->trail_count);
    for (uint32_t i = 0; i < c->trail_count; i++) {
        put_trail(out, c, &c->trails[i]);
    }
    iv_image_close(out, section);
}

bool iv_coverage_is_image(struct iv_str bytes)
{
    return bytes.n >= 4 && memcmp(bytes.p, "COVR", 4) == 0;
}

static bool get_cause(struct iv_image *in, enum iv_loss_cause *out)
{
    struct iv_str name = iv_image_get_str(in);
    if (name.n == 0) {
        return false;
    }
    in->bad = in->bad || !iv_loss_of(out, name);
    return !in->bad;
}

/* False when memory is out. */
static bool get_losses(struct iv_image *in, struct iv_losses *out)
{
    size_t count = iv_image_get_count(in);
    for (size_t i = 0; i < count && !in->bad; i++) {
        struct iv_loss loss = {0};
        in->bad = !get_cause(in, &loss.cause) || in->bad;
        loss.from = iv_image_get_int(in);
        loss.until = iv_image_get_int(in);
        loss.records = iv_image_get_uint(in);
        if (!in->bad && !iv_losses_add(out, &loss)) {
            return false;
        }
    }
    return true;
}

static bool get_tract(struct iv_image *in, struct iv_tract *t)
{
    enum iv_loss_cause cause = IV_LOSS_MIDWAY;
    t->stream = (enum iv_stream)iv_image_get_below(in, IV_STREAMS - 1);
    t->partition = (int32_t)iv_image_get_int(in);
    t->state = (enum iv_cover_state)iv_image_get_below(in, IV_COVER_AWAY);
    t->began = iv_image_get_below(in, IV_TRACT_MIDWAY);
    t->begin = iv_image_get_int(in);
    t->first = iv_image_get_int(in);
    t->reach = iv_image_get_int(in);
    bool whole = get_losses(in, &t->losses);
    while (get_cause(in, &cause)) {
        t->pending[cause].open = true;
        t->pending[cause].from = iv_image_get_int(in);
        t->pending[cause].records = iv_image_get_uint(in);
    }
    t->before.any = iv_image_get_below(in, 1) != 0;
    t->before.first = iv_image_get_int(in);
    t->before.reach = iv_image_get_int(in);
    t->before.of_other_run = iv_image_get_below(in, 1) != 0;
    t->before.ended = iv_image_get_int(in);
    t->changed = true;
    return whole && get_losses(in, &t->before.losses);
}

static bool get_tracts(struct iv_image *in, struct iv_coverage *c)
{
    size_t count = iv_image_get_count(in);
    c->tracts = iv_calloc(count + 1, sizeof *c->tracts);
    if (c->tracts == NULL) {
        return false;
    }
    for (c->tract_count = 0; c->tract_count < count && !in->bad; c->tract_count++) {
        struct iv_tract *t = &c->tracts[c->tract_count];
        t->losses.most = t->before.losses.most = c->options.losses_most;
        if (!get_tract(in, t)) {
            c->tract_count++;
            return false;
        }
    }
    return true;
}

static bool get_trail(struct iv_image *in, struct iv_coverage *c)
{
    struct iv_trail t = {.id = iv_image_get_hash(in), .holes = IV_NO_HOLE};
    t.low = iv_image_get_int(in);
    t.next = iv_image_get_int(in);
    t.low_time = iv_image_get_int(in);
    t.last_time = iv_image_get_int(in);
    t.stirred = iv_image_get_below(in, 1) != 0;
    if (in->bad || !iv_trail_put(c, &t)) {
        return in->bad;
    }
    for (uint64_t tract = 0; (tract = iv_image_get_below(in, c->tract_count)) > 0;) {
        struct iv_hole h = {.tract = (uint32_t)tract - 1, .trail = c->trail_count - 1};
        h.before = iv_image_get_int(in);
        h.behind = iv_image_get_int(in);
        h.first = iv_image_get_int(in);
        h.last = iv_image_get_int(in);
        in->bad = in->bad || h.first < 0 || h.last < h.first || h.last == INT64_MAX;
        if (!in->bad && !iv_trail_open(c, &h)) {
            return false;
        }
    }
    return true;
}

static bool get_all(struct iv_image *in, struct iv_coverage *c)
{
    in->bad = iv_image_get_uint(in) != FORM || in->bad;
    c->options.key.k0 = iv_image_get_u64(in);
    c->options.key.k1 = iv_image_get_u64(in);
    if (!get_tracts(in, c)) {
        return false;
    }
    c->forgot = iv_image_get_below(in, 1) != 0;
    c->forgotten = iv_image_get_int(in);
    c->hand = (uint32_t)iv_image_get_below(in, UINT32_MAX - 1);
    size_t count = iv_image_get_count(in);
    for (size_t i = 0; i < count && !in->bad; i++) {
        if (!get_trail(in, c)) {
            return false;
        }
    }
    return true;
}

iv_rc iv_coverage_restore(struct iv_coverage **out, const struct iv_coverage_options *options,
                          struct iv_str image, struct iv_err *err)
{
    IV_AUTO(iv_coverage_freep) struct iv_coverage *c = NULL;
    struct iv_image all = {(const unsigned char *)image.p, (const unsigned char *)image.p + image.n, false};
    struct iv_image in = iv_image_get_section(&all, "COVR");
    TRY(iv_coverage_new(&c, options, err));
    ENSURE(get_all(&in, c), err, IV_E_NOMEM, "cannot allocate the coverage");
    ENSURE(iv_image_done(&in) && iv_image_done(&all), err, IV_E_MALFORMED,
           "the bytes of a coverage are damaged, or of a newer invigil");
    *out = TAKE(c);
    return IV_OK;
}
