/* SPDX-License-Identifier: Apache-2.0 */
#include "app/sim/plant_list.h"
#include "base/alloc.h"
#include "base/json_write.h"

#include <stdlib.h>

void iv_plant_list_init(struct iv_plant_list *list)
{
    *list = (struct iv_plant_list){.count = 0};
    iv_arena_init(&list->arena, 0);
}

void iv_plant_list_deinit(struct iv_plant_list *list)
{
    iv_arena_deinit(&list->arena);
    iv_free(list->items);
}

static bool keep_ref(struct iv_plant_list *list, struct iv_fleet_ref *ref)
{
    return iv_arena_keep(&list->arena, &ref->source) && iv_arena_keep(&list->arena, &ref->id);
}

static bool keep(struct iv_plant_list *list, struct iv_fleet_plant *out, const struct iv_fleet_plant *plant)
{
    struct iv_fleet_ref *witnesses =
        iv_arena_zalloc(&list->arena, (plant->witness_count + 1) * sizeof *witnesses);
    *out = *plant;
    out->witnesses = witnesses;
    bool kept = witnesses != NULL && iv_arena_keep(&list->arena, &out->rule) && keep_ref(list, &out->trigger);
    for (size_t i = 0; kept && i < plant->witness_count; i++) {
        witnesses[i] = plant->witnesses[i];
        kept = keep_ref(list, &witnesses[i]);
    }
    return kept;
}

void iv_plant_list_add(void *ctx, const struct iv_fleet_plant *plant)
{
    struct iv_plant_list *list = ctx;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 256 : list->capacity * 2;
        struct iv_fleet_plant *items = iv_realloc(list->items, capacity * sizeof *items);
        if (items == NULL) {
            list->failed = true;
            return;
        }
        list->items = items;
        list->capacity = capacity;
    }
    if (keep(list, &list->items[list->count], plant)) {
        list->count++;
    } else {
        list->failed = true;
    }
}

static int compare(const void *left, const void *right)
{
    const struct iv_fleet_plant *a = left;
    const struct iv_fleet_plant *b = right;
    if (a->time != b->time) {
        return a->time < b->time ? -1 : 1;
    }
    int order = iv_str_cmp(a->trigger.source, b->trigger.source);
    order = order != 0 ? order : iv_str_cmp(a->trigger.id, b->trigger.id);
    return order != 0 ? order : iv_str_cmp(a->rule, b->rule);
}

void iv_plant_list_close(struct iv_plant_list *list, iv_ns end)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].deadline <= end) {
            list->items[kept++] = list->items[i];
        }
    }
    list->count = kept;
    if (kept > 0) {
        qsort(list->items, kept, sizeof *list->items, compare);
    }
}

static void write_ref(struct iv_json *j, const char *name, const struct iv_fleet_ref *ref)
{
    iv_json_open_object(j, name);
    iv_json_str(j, "source", ref->source);
    iv_json_str(j, "id", ref->id);
    iv_json_close_object(j);
}

void iv_plant_write(struct iv_buf *out, const struct iv_fleet_plant *plant)
{
    struct iv_json j = iv_json_to(out);
    iv_json_open_object(&j, NULL);
    iv_json_str(&j, "rule", plant->rule);
    write_ref(&j, "trigger", &plant->trigger);
    iv_json_time(&j, "time", plant->time);
    iv_json_open_list(&j, "witness");
    for (size_t i = 0; i < plant->witness_count; i++) {
        write_ref(&j, NULL, &plant->witnesses[i]);
    }
    iv_json_close_list(&j);
    iv_json_close_object(&j);
}
