/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/plant_list.h"
#include "base/alloc.h"
#include "base/json_write.h"

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

/* What is not due moves to a list of its own, so that the arena does not hold what is forgotten. */
void iv_plant_list_take(struct iv_plant_list *list, iv_ns now, iv_fleet_plant_fn due, void *ctx)
{
    struct iv_plant_list rest;
    iv_plant_list_init(&rest);
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].deadline <= now) {
            due(ctx, &list->items[i]);
        } else {
            iv_plant_list_add(&rest, &list->items[i]);
        }
    }
    rest.failed = rest.failed || list->failed;
    iv_plant_list_deinit(list);
    *list = rest;
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
