/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include "base/guard.h"
#include "engine/snapshot.h"
#include "evidence/log.h"

/* What the saver writes to files, and its child is a process for, is here at hand. */
iv_rc iv_saver_restore(struct iv_saver *saver, struct iv_str cell, iv_saver_take_fn take, void *ctx,
                       struct iv_err *err)
{
    struct vault *v = (struct vault *)saver;
    (void)cell;
    for (size_t i = v->count; i-- > 0;) {
        IV_AUTO(iv_vault_reader_deinit) struct iv_vault_reader r;
        iv_vault_reader_init(&r, VAULT_BYTES);
        struct iv_rc_s rc = iv_vault_read(&r, iv_buf_slice(&v->kept[i]), err);
        rc = iv_ok(rc) ? take(ctx, &r, err) : rc;
        if (iv_code_class(rc.code) != IV_CLASS_REJECT) {
            v->restored += iv_ok(rc);
            return rc;
        }
        v->refused++;
    }
    return iv_err_set(err, IV_E_ABSENT, "there is none");
}

static iv_rc sink(void *ctx, struct iv_str block, struct iv_err *err)
{
    struct iv_buf *out = ctx;
    iv_buf_str(out, block);
    return iv_buf_check(out, "a snapshot", err);
}

/* The engines of a cell at rest, as the saver's child writes them. */
static iv_rc write_snapshot(struct iv_buf *out, const struct iv_saver_cell *cell, struct iv_err *err)
{
    struct iv_engine *engines[IV_JUDGE_ENGINES];
    size_t count = iv_judge_engines(cell->judge, engines);
    const struct iv_vault_head head = {.cell = cell->name,
                                       .baseline = cell->baseline,
                                       .places = cell->places,
                                       .place_count = cell->place_count,
                                       .gone = cell->gone,
                                       .engine_count = count};
    IV_AUTO(iv_vault_writer_deinit) struct iv_vault_writer w;
    iv_vault_writer_init(&w, sink, out);
    TRY(iv_vault_write_head(&w, &head, err));
    for (size_t i = 0; i < count; i++) {
        IV_AUTO(iv_buf_deinit) struct iv_buf bytes;
        iv_buf_init(&bytes, VAULT_BYTES);
        TRY(iv_engine_snapshot(engines[i], &bytes, err));
        TRY(iv_vault_write_engine(&w, iv_buf_slice(&bytes), err));
    }
    return iv_vault_write_end(&w, err);
}

static void publish_snapshot(struct vault *v)
{
    if (v->count == VAULT_KEPT) {
        iv_buf_deinit(&v->kept[0]);
        memmove(&v->kept[0], &v->kept[1], (VAULT_KEPT - 1) * sizeof v->kept[0]);
        v->count--;
    }
    v->kept[v->count++] = v->written;
    v->has_written = false;
}

static void drop_written(struct vault *v)
{
    if (v->has_written) {
        iv_buf_deinit(&v->written);
        v->has_written = false;
    }
}

void vault_deinit(struct vault *v)
{
    drop_written(v);
    while (v->count > 0) {
        iv_buf_deinit(&v->kept[--v->count]);
    }
}

iv_rc machine_save(struct machine *m, struct iv_err *err)
{
    struct vault *v = m->vault;
    if (v->has_written && iv_outlet_kept(&m->outlet) >= v->awaits) {
        publish_snapshot(v);
    }
    if (v->has_written || !m->cell->ours) {
        return IV_OK;
    }
    struct iv_err why;
    TRY(iv_cell_note_places(m->cell, err));
    TRY(iv_cell_settle(m->cell, err));
    const struct iv_saver_cell saved = iv_cell_saved(m->cell);
    iv_buf_init(&v->written, VAULT_BYTES);
    v->has_written = true;
    v->awaits = iv_cell_handed(m->cell);
    if (!iv_ok(write_snapshot(&v->written, &saved, &why))) {
        drop_written(v); /* the child failed; the stream goes on */
    }
    return IV_OK;
}

void machine_init(struct machine *m, struct outside *outside, struct disk *disk, struct vault *vault,
                  struct iv_str path)
{
    memset(m, 0, sizeof *m);
    m->outside = outside;
    m->disk = disk;
    m->vault = vault;
    m->path = path;
    m->endpoint = (struct iv_endpoint){.name = IV_STR("hook"), .url = IV_STR("http://localhost")};
    m->config.topics.findings = IV_STR(OUTSIDE_TOPIC_FINDINGS);
    m->config.topics.actions = IV_STR(OUTSIDE_TOPIC_ACTIONS);
    m->config.topics.dead_letter = IV_STR(OUTSIDE_TOPIC_DEAD_LETTERS);
}

static iv_rc open_cell(struct machine *m, struct iv_err *err)
{
    TRY(iv_cell_open(&m->cell, &m->site, IV_CELL_WHOLE, 0, err));
    for (int s = 0; s < IV_STREAMS; s++) {
        for (int32_t p = 0; p < m->partitions[s]; p++) {
            TRY(iv_cell_add_source(m->cell, (enum iv_stream)s, p, err));
        }
    }
    return IV_OK;
}

/* A store that is busy puts it off. */
static iv_rc begin_cell(struct machine *m, struct iv_err *err)
{
    if (!iv_cell_has_begun(m->cell)) {
        TRY(iv_cell_begin(m->cell, err));
    }
    return iv_cell_resume(m->cell, err);
}

static void open_site(struct machine *m)
{
    m->site = (struct iv_site){.baseline = iv_baseline_ref(m->baseline),
                               .playbooks = iv_playbooks_ref(m->playbooks),
                               .metrics = m->metrics,
                               .outlet = &m->outlet,
                               .saver = (struct iv_saver *)m->vault,
                               .store = m->store,
                               .store_path = m->path,
                               .clock = outside_clock(m->outside)};
    iv_arena_init(&m->site.arena, 0);
    for (int s = 0; s < IV_STREAMS; s++) {
        struct iv_str topic = iv_str_of(iv_stream_name((enum iv_stream)s));
        m->site.topics[s] = topic;
        m->site.newest[s] = IV_NS_MIN;
        m->site.accepted[s] = IV_SERIES(m->metrics, EVENTS, topic, IV_STR("accepted"));
        m->site.unknown[s] = IV_SERIES(m->metrics, EVENTS, topic, IV_STR("unknown"));
    }
}

iv_rc machine_boot(struct machine *m, struct iv_err *err)
{
    struct iv_clock clock = outside_clock(m->outside);
    m->up = true;
    TRY(iv_store_open(&m->store, m->path, err));
    iv_store_use_clock(m->store, &clock);
    TRY(iv_metrics_new(&m->metrics, err));
    TRY(iv_handoff_new(&m->commits, MACHINE_QUEUE, 0, err));
    atomic_store(&m->kept, 0);
    iv_outlet_init(&m->outlet, m->commits, &m->kept);
    m->has_outlet = true;
    open_site(m);
    TRY(open_cell(m, err));
    TRY(begin_cell(m, err));
    iv_keep_step_init(&m->keep, m->store, clock);
    struct iv_publish_step_options publish = {.store = m->store, .config = &m->config, .clock = clock};
    TRY(iv_publish_step_new(&m->publish, &publish, err));
    struct iv_responder_options responder = {
        .store = m->store, .endpoints = &m->endpoint, .endpoint_count = 1, .clock = clock, .in_flight = 4};
    return iv_responder_new(&m->responder, &responder, err);
}

static void free_commits(struct machine *m)
{
    for (size_t i = 0; i < m->group_count; i++) {
        iv_commit_free(m->group[i]);
    }
    m->group_count = 0;
    for (struct iv_commit *left; m->commits != NULL && (left = iv_handoff_pop(m->commits, 0)) != NULL;) {
        iv_commit_free(left);
    }
}

void machine_kill(struct machine *m, bool power, uint64_t seed)
{
    disk_kill(m->disk);
    drop_written(m->vault);
    iv_responder_free(TAKE(m->responder));
    iv_publish_step_free(TAKE(m->publish));
    iv_keep_step_deinit(&m->keep);
    iv_cell_free(TAKE(m->cell));
    free_commits(m);
    if (m->has_outlet) {
        iv_outlet_deinit(&m->outlet);
        iv_arena_deinit(&m->site.arena);
        iv_baseline_unref(TAKE(m->site.baseline));
        iv_playbooks_unref(TAKE(m->site.playbooks));
        m->has_outlet = false;
    }
    iv_handoff_free(TAKE(m->commits));
    iv_metrics_free(TAKE(m->metrics));
    iv_store_close(TAKE(m->store));
    disk_restart(m->disk, power, seed);
    m->up = false;
}

/* Up to so many of a partition's next records. */
static iv_rc feed(struct machine *m, struct iv_source *source, size_t most, struct iv_err *err)
{
    const struct inflow *f = &m->outside->inflows[source->stream][source->partition];
    size_t next = source->next < 0 ? 0 : (size_t)source->next;
    for (size_t i = next; i < f->count && i < next + most; i++) {
        TRY(iv_cell_record(m->cell, &f->records[i], err));
        m->moved = true;
    }
    if (next + most >= f->count) {
        const struct iv_cursor end = {source->stream, source->partition, (int64_t)f->count};
        return iv_cell_end(m->cell, &end, err);
    }
    return IV_OK;
}

/* A full queue holds reading back. */
static bool has_room(const struct machine *m)
{
    return m->outlet.handed - iv_outlet_kept(&m->outlet) < MACHINE_QUEUE - 8;
}

iv_rc machine_detect(struct machine *m, struct iv_err *err)
{
    struct outside *o = m->outside;
    if (!m->cell->ours || !has_room(m)) {
        return IV_OK;
    }
    iv_arena_reset(&m->site.arena);
    for (size_t i = 0; i < m->cell->source_count; i++) {
        if (o->calm || !dice_one_in(&o->dice, 3)) {
            TRY(feed(m, &m->cell->sources[i], o->calm ? 64 : dice_below(&o->dice, 8), err));
        }
    }
    uint64_t handed = m->outlet.handed;
    TRY(iv_cell_idle(m->cell, err));
    TRY(iv_cell_hand_over(m->cell, o->calm || dice_one_in(&o->dice, 3), err));
    m->moved = m->moved || (!o->calm && m->outlet.handed > handed);
    return IV_OK;
}

iv_rc machine_keep(struct machine *m, struct iv_err *err)
{
    struct outside *o = m->outside;
    size_t most = o->calm ? MACHINE_GROUP : 1 + dice_below(&o->dice, MACHINE_GROUP);
    while (m->group_count < most) {
        struct iv_commit *commit = iv_handoff_pop(m->commits, 0);
        if (commit == NULL) {
            break;
        }
        m->group[m->group_count++] = commit;
    }
    if (m->group_count == 0) {
        return IV_OK;
    }
    TRY(iv_keep_write(&m->keep, m->group, m->group_count, err));
    (void)atomic_fetch_add(&m->kept, m->group_count);
    for (size_t i = 0; i < m->group_count; i++) {
        m->moved = m->moved || m->group[i]->verdict_count > 0 || m->group[i]->letter_count > 0;
        iv_commit_free(m->group[i]);
    }
    m->group_count = 0;
    return IV_OK;
}

iv_rc machine_publish(struct machine *m, struct iv_err *err)
{
    (void)err;
    m->moved = iv_publish_turn(m->publish) || m->moved;
    return IV_OK;
}

iv_rc machine_act(struct machine *m, struct iv_err *err)
{
    struct iv_responder_stats before;
    struct iv_responder_stats after;
    iv_responder_stats(m->responder, &before);
    struct iv_rc_s rc = iv_responder_turn(m->responder, 0, err);
    iv_responder_stats(m->responder, &after);
    m->moved = m->moved || after.calls > before.calls || after.in_flight > 0 || after.done > before.done;
    return rc;
}

iv_rc machine_revoke(struct machine *m, struct iv_err *err)
{
    if (m->cell->ours) {
        TRY(iv_cell_settle(m->cell, err));
        m->cell->ours = false;
    }
    return IV_OK;
}

iv_rc machine_assign(struct machine *m, bool lost, struct iv_err *err)
{
    if (m->cell->ours) {
        return IV_OK;
    }
    if (lost && iv_cell_has_begun(m->cell)) {
        TRY(iv_cell_retire(m->cell, err));
        iv_cell_free(TAKE(m->cell));
        TRY(open_cell(m, err));
    }
    return begin_cell(m, err);
}
