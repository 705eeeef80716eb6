/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots between two machines: folders and stores of their own, one topic. Against the embedded broker. */
#include "detect/courier.h"

#include "base/guard.h"
#include "base/log.h"
#include "evidence/store.h"
#include "stream/embedded.h"
#include "support/scratch.h"
#include "vault/folder.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#define CELL IV_STR("front-0")
#define LONG_ENOUGH (100 * IV_NS_PER_S)

struct machine {
    struct scratch dir;
    char store_path[128];
    struct iv_store *store;
    struct iv_metrics *metrics;
    struct iv_courier *courier;
};

struct scene {
    struct iv_embedded *broker;
    struct iv_property servers;
    struct machine here;
    struct machine there;
};

static void open_machine(struct machine *m, const struct iv_property *servers)
{
    struct iv_err err;
    m->dir = scratch_make();
    (void)snprintf(m->store_path, sizeof m->store_path, "%s/s.db", m->dir.path);
    cr_assert(iv_ok(iv_metrics_new(&m->metrics, &err)));
    cr_assert(iv_ok(iv_store_open(&m->store, iv_str_of(m->store_path), &err)), "%s", err.text);
    const struct iv_courier_options options = {.kafka = servers,
                                               .kafka_count = 1,
                                               .topic = IV_STR("snapshots"),
                                               .folder = iv_str_of(m->dir.path),
                                               .keep = 2,
                                               .store_path = iv_str_of(m->store_path),
                                               .store = m->store,
                                               .metrics = m->metrics};
    cr_assert(iv_ok(iv_courier_start(&m->courier, &options, &err)), "%s", err.text);
}

static void close_machine(struct machine *m)
{
    iv_courier_stop(m->courier, 0);
    iv_store_close(m->store);
    iv_metrics_free(m->metrics);
    scratch_remove(&m->dir);
}

static void open_scene(struct scene *s)
{
    static const struct iv_embedded_topic topics[] = {{"snapshots", 1}};
    struct iv_err err;
    iv_log_configure(IV_LOG_ERROR, IV_LOG_LOGFMT);
    *s = (struct scene){.broker = NULL};
    cr_assert(iv_ok(iv_embedded_open(&s->broker, 1, topics, IV_COUNT(topics), &err)), "%s", err.text);
    s->servers = (struct iv_property){IV_STR("bootstrap.servers"), iv_str_of(iv_embedded_servers(s->broker))};
    open_machine(&s->here, &s->servers);
    open_machine(&s->there, &s->servers);
}

static void close_scene(struct scene *s)
{
    close_machine(&s->here);
    close_machine(&s->there);
    iv_embedded_close(s->broker);
}

/* A snapshot of the cell that goes on at this offset, in the folder. */
static void put(const struct machine *m, uint64_t number, int64_t next, uint64_t gone)
{
    const struct iv_vault_place place = {IV_STR("telemetry"), 0, next};
    const struct iv_vault_head head = {.cell = CELL,
                                       .baseline = IV_STR("d"),
                                       .gone = gone,
                                       .places = &place,
                                       .place_count = 1,
                                       .engine_count = 1};
    struct iv_vault_writer w;
    struct iv_vault_file file;
    struct iv_err err;
    cr_assert(iv_ok(iv_vault_file_open(&file, iv_str_of(m->dir.path), CELL, number, &err)), "%s", err.text);
    iv_vault_writer_init(&w, iv_vault_file_sink, &file);
    cr_assert(iv_ok(iv_vault_write_head(&w, &head, &err)) &&
              iv_ok(iv_vault_write_engine(&w, IV_STR("state"), &err)) && iv_ok(iv_vault_write_end(&w, &err)));
    iv_vault_writer_deinit(&w);
    cr_assert(iv_ok(iv_vault_file_sync(&file, &err)) && iv_ok(iv_vault_file_publish(&file, &err)));
    iv_vault_file_close(&file);
}

/* Sends it, and ends as a process does that has time. */
static void send_and_end(struct machine *m)
{
    iv_courier_send(m->courier, CELL);
    iv_courier_stop(TAKE(m->courier), LONG_ENOUGH);
}

/* Where the newest of the folder goes on; -1: there is none. */
static int64_t next_of_newest(const struct machine *m)
{
    uint64_t number = 0;
    size_t count = 0;
    struct iv_vault_reader r;
    struct iv_err err;
    struct iv_str folder = iv_str_of(m->dir.path);
    cr_assert(iv_ok(iv_vault_folder_list(folder, CELL, &number, 1, &count, &err)), "%s", err.text);
    if (count == 0) {
        return -1;
    }
    iv_vault_reader_init(&r, (size_t)1 << 20);
    cr_assert(iv_ok(iv_vault_file_read(&r, folder, CELL, number, NULL, NULL, &err)), "%s", err.text);
    cr_expect(iv_str_eq(r.engines[0], IV_STR("state")));
    int64_t next = r.head.places[0].next;
    iv_vault_reader_deinit(&r);
    return next;
}

static void fetch(struct machine *m)
{
    struct iv_err err = {.text = ""};
    cr_assert(iv_ok(iv_courier_fetch(m->courier, CELL, &err)), "%s", err.text);
}

static int64_t position_in_store(struct machine *m)
{
    int64_t next = -1;
    struct iv_err err;
    cr_assert(iv_ok(iv_store_begin(m->store, &err)));
    struct iv_rc_s rc = iv_store_position(m->store, &next, IV_STR("telemetry"), 0, &err);
    cr_assert(iv_ok(rc) || rc.code == IV_E_ABSENT);
    iv_store_rollback(m->store);
    return next;
}

Test(courier, another_machine_goes_on_where_this_one_ended)
{
    struct scene s;
    open_scene(&s);
    put(&s.here, 1, 17, 0);
    send_and_end(&s.here);

    fetch(&s.there);

    cr_expect(eq(i64, next_of_newest(&s.there), 17));
    cr_expect(eq(i64, position_in_store(&s.there), 17), "what is before it was found elsewhere");
    close_scene(&s);
}

/* Where there is one on either machine, which of them the other one goes on from. */
static int64_t next_of_two(int64_t next, uint64_t gone, int64_t there)
{
    struct scene s;
    open_scene(&s);
    put(&s.here, 1, next, gone);
    send_and_end(&s.here);
    put(&s.there, 1, there, 0);
    fetch(&s.there);
    int64_t newest = next_of_newest(&s.there);
    close_scene(&s);
    return newest;
}

Test(courier, what_has_read_less_than_the_folder_s_is_left_there)
{
    cr_expect(eq(i64, next_of_two(17, 0, 18), 18));
}

Test(courier, a_log_that_took_the_place_of_another_counts_behind_it)
{
    cr_expect(eq(i64, next_of_two(3, 17, 17), 3));
}

Test(courier, nothing_goes_before_what_was_found_is_out)
{
    const struct iv_posting finding = {
        .channel = IV_CHANNEL_FINDING, .key = IV_STR("uid"), .value = IV_STR("{}"), .time = 1};
    struct scene s;
    struct iv_err err;
    open_scene(&s);
    cr_assert(iv_ok(iv_store_begin(s.here.store, &err)) &&
              iv_ok(iv_store_post(s.here.store, NULL, &finding, &err)) &&
              iv_ok(iv_store_commit(s.here.store, &err)));
    put(&s.here, 1, 17, 0);
    send_and_end(&s.here);

    fetch(&s.there);

    cr_expect(eq(i64, next_of_newest(&s.there), -1));
    close_scene(&s);
}

Test(courier, a_broker_that_is_away_is_told_and_what_is_here_stays)
{
    struct scene s;
    struct iv_err err = {.text = ""};
    open_scene(&s);
    put(&s.there, 1, 5, 0);
    cr_assert(iv_ok(iv_embedded_set_down(s.broker, true, &err)));

    cr_expect(not(iv_ok(iv_courier_fetch(s.there.courier, CELL, &err))));

    cr_expect(ne(chr, err.text[0], '\0'));
    cr_expect(eq(i64, next_of_newest(&s.there), 5));
    close_scene(&s);
}
