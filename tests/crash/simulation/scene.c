/* SPDX-License-Identifier: Apache-2.0 */
#include "scene.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "baseline/problems.h"
#include "event/decode.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX (1u << 20)

static const char playbook[] =
    "apiVersion: invigil/v1\n"
    "kind: Playbook\n"
    "metadata: {name: act, title: Act}\n"
    "target: \"{{finding.uid}}\"\n"
    "guards:\n"
    "  executions: {minute: 1000000, hour: 1000000, day: 1000000}\n"
    "  agents: {minute: 1000000, hour: 1000000, day: 1000000, share: 1}\n"
    "  tenants: {minute: 1000000, hour: 1000000, day: 1000000, share: 1}\n"
    "  enclaves: {minute: 1000000, hour: 1000000, day: 1000000, share: 1}\n"
    "steps:\n"
    "- name: call\n"
    "  http: {endpoint: hook, path: /call, body: {finding: \"{{finding.uid}}\"}}\n"
    "  retry: {attempts: 20, backoff: 100ms}\n"
    "- name: tell\n"
    "  kafka: {topic: commands, key: \"{{finding.uid}}\", value: {step: \"{{step.key}}\"}}\n"
    "  timeout: 5m\n"
    "  retry: {attempts: 20}\n"
    "- name: confirm\n"
    "  http: {endpoint: hook, path: /confirm}\n"
    "  retry: {attempts: 20, backoff: 100ms}\n";

/* The pack with the playbook for every other rule. */
static void add_remediation(struct iv_buf *out, const struct iv_buf *pack, struct dice *dice)
{
    for (struct iv_str rest = iv_buf_slice(pack); rest.n > 0;) {
        const char *end = memchr(rest.p, '\n', rest.n);
        size_t n = end == NULL ? rest.n : (size_t)(end - rest.p) + 1;
        iv_buf_add(out, rest.p, n);
        if (n > 6 && memcmp(rest.p, "- id: ", 6) == 0 && dice_one_in(dice, 2)) {
            iv_buf_text(out, "  remediate: act\n");
        }
        rest = (struct iv_str){rest.p + n, rest.n - n};
    }
}

static void write_file(const char *folder, const char *name, struct iv_str text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    IV_CHECK(file != NULL && fwrite(text.p, 1, text.n, file) == text.n && fclose(file) == 0);
}

static bool load(struct scene *s, const char *folder)
{
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    struct iv_err err;
    write_file(folder, "baseline.yaml", iv_buf_slice(&s->baseline_yaml));
    write_file(folder, "pack.yaml", iv_buf_slice(&s->pack_yaml));
    write_file(folder, "act.yaml", IV_STR(playbook));
    IV_CHECK(iv_ok(iv_problems_new(&problems, &err)));
    if (iv_ok(iv_baseline_load(&s->baseline, iv_str_of(folder), problems, &err)) &&
        iv_ok(iv_playbooks_load(&s->playbooks, s->baseline, problems, &err))) {
        return true;
    }
    struct iv_buf text;
    iv_buf_init(&text, TEXT_MAX);
    iv_problems_render(&text, problems);
    printf("%s\n" IV_STR_FMT "\n", err.text, IV_STR_ARG(iv_buf_slice(&text)));
    iv_buf_deinit(&text);
    return false;
}

static int by_position(const void *a, const void *b)
{
    const struct arrival *x = *(const struct arrival *const *)a;
    const struct arrival *y = *(const struct arrival *const *)b;
    if (x->position != y->position) {
        return x->position < y->position ? -1 : 1;
    }
    return x < y ? -1 : x > y;
}

/* They stand in their partitions in the order of their positions, so the whole may be put into it. */
static void sort_arrivals(struct scene *s)
{
    size_t count = s->arrivals.count;
    const struct arrival **order = iv_arena_alloc(&s->arena, (count + 1) * sizeof(struct arrival *));
    struct arrival *sorted = iv_arena_alloc(&s->arena, (count + 1) * sizeof *sorted);
    IV_CHECK(order != NULL && sorted != NULL);
    for (size_t i = 0; i < count; i++) {
        order[i] = &s->arrivals.items[i];
    }
    qsort(order, count, sizeof(struct arrival *), by_position);
    for (size_t i = 0; i < count; i++) {
        sorted[i] = *order[i];
    }
    s->arrivals.items = sorted;
}

static void decode_all(struct scene *s)
{
    const struct iv_hash_key key = {1, 2};
    IV_AUTO(iv_decoder_freep) struct iv_decoder *decoder = NULL;
    struct iv_err err;
    s->run.events = iv_calloc(s->arrivals.count + 1, sizeof(struct iv_event *));
    IV_CHECK(s->run.events != NULL &&
             iv_ok(iv_decoder_new(&decoder, s->baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT, key, &err)));
    for (size_t i = 0; i < s->arrivals.count; i++) {
        const struct arrival *a = &s->arrivals.items[i];
        struct iv_record *record = iv_arena_zalloc(&s->arena, sizeof *record);
        struct iv_event *event = iv_arena_zalloc(&s->arena, sizeof *event);
        IV_CHECK(record != NULL && event != NULL);
        *record = (struct iv_record){
            .origin = {a->stream, a->partition, (int64_t)i, iv_str_of(iv_stream_name(a->stream))},
            .bytes = a->json};
        IV_CHECK(iv_ok(iv_decode(decoder, record, &s->arena, event, &err)));
        s->run.events[s->run.event_count++] = event;
    }
}

bool scene_init(struct scene *s, uint64_t seed, const char *folder)
{
    struct dice dice = {seed};
    IV_AUTO(iv_buf_deinit) struct iv_buf pack;
    *s = (struct scene){.seed = seed, .world = generate_world(&dice)};
    iv_arena_init(&s->arena, 0);
    iv_arena_init(&s->run.arena, 0);
    iv_buf_init(&s->baseline_yaml, TEXT_MAX);
    iv_buf_init(&s->pack_yaml, TEXT_MAX);
    iv_buf_init(&pack, TEXT_MAX);
    generate_baseline(&s->baseline_yaml, &dice, &s->world);
    iv_buf_text(&s->baseline_yaml, "playbooks: [act.yaml]\n");
    generate_pack(&pack, &dice, &s->world);
    add_remediation(&s->pack_yaml, &pack, &dice);
    if (!load(s, folder)) {
        return false;
    }
    s->reference = reference_new(s->baseline);
    s->arrivals = generate_arrivals(&dice, &s->world, &s->arena);
    sort_arrivals(s);
    decode_all(s);
    for (int stream = 0; stream < IV_STREAMS; stream++) {
        /* A stream without a partition is one that was not assigned yet; here it is one that carries
         * nothing. */
        s->world.partitions[stream] = s->world.partitions[stream] == 0 ? 1 : s->world.partitions[stream];
    }
    return true;
}

void scene_deinit(struct scene *s)
{
    engine_run_deinit(&s->run);
    reference_free(s->reference);
    iv_playbooks_unref(s->playbooks);
    iv_baseline_unref(s->baseline);
    iv_buf_deinit(&s->baseline_yaml);
    iv_buf_deinit(&s->pack_yaml);
    iv_arena_deinit(&s->arena);
}

void scene_report(const struct scene *s)
{
    printf(IV_STR_FMT "\n" IV_STR_FMT "\n", IV_STR_ARG(iv_buf_slice(&s->baseline_yaml)),
           IV_STR_ARG(iv_buf_slice(&s->pack_yaml)));
    for (size_t i = 0; i < s->arrivals.count; i++) {
        const struct arrival *a = &s->arrivals.items[i];
        printf("%s[%d] " IV_STR_FMT "\n", iv_stream_name(a->stream), (int)a->partition, IV_STR_ARG(a->json));
    }
}
