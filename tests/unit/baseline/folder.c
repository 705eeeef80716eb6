/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include "base/buf.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct folder folder_new(void)
{
    struct folder f = {.path = "/tmp/invigil-[baseline]-XXXXXX"};
    cr_assert(mkdtemp(f.path) != NULL);
    return f;
}

static FILE *open_in(const struct folder *f, const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", f->path, name);
    FILE *file = fopen(path, "w");
    cr_assert(file != NULL, "%s", path);
    return file;
}

void folder_write(const struct folder *f, const char *name, const char *text)
{
    FILE *file = open_in(f, name);
    cr_assert(fputs(text, file) >= 0);
    cr_assert(fclose(file) == 0);
}

static void let_go(struct folder *f)
{
    iv_baseline_unrefp(&f->baseline);
    iv_problems_freep(&f->problems);
}

void folder_load(struct folder *f)
{
    let_go(f);
    cr_assert(iv_ok(iv_problems_new(&f->problems, NULL)));
    struct iv_rc_s rc = iv_baseline_load(&f->baseline, iv_str_of(f->path), f->problems, &f->err);
    cr_assert(iv_ok(rc) == (f->baseline != NULL));
    struct iv_buf text;
    iv_buf_init(&text, sizeof f->said - 1);
    iv_problems_render(&text, f->problems);
    (void)snprintf(f->said, sizeof f->said, "%s", text.n == 0 ? "" : text.p);
    iv_buf_deinit(&text);
}

void folder_done(struct folder *f)
{
    static const char *const names[] = {"baseline.yaml", "pack.yaml", "playbook.yaml", "baseline.sig"};
    let_go(f);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[256];
        (void)snprintf(path, sizeof path, "%s/%s", f->path, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(f->path);
}

struct folder folder_with(const char *settings, const char *rules)
{
    struct folder f = folder_new();
    FILE *file = open_in(&f, "baseline.yaml");
    (void)fprintf(file, "apiVersion: invigil/v1\nkind: Baseline\nmetadata: {name: t}\n%s%s", settings,
                  rules == NULL ? "" : "packs: [pack.yaml]\n");
    cr_assert(fclose(file) == 0);
    if (rules != NULL) {
        file = open_in(&f, "pack.yaml");
        (void)fprintf(file, "apiVersion: invigil/v1\nkind: RulePack\nmetadata: {name: p}\nrules:\n%s", rules);
        cr_assert(fclose(file) == 0);
    }
    folder_load(&f);
    return f;
}

const struct iv_rule *rule_of(const struct folder *f, const char *id)
{
    cr_assert(f->baseline != NULL, "%s", f->said);
    const struct iv_rule *rule = iv_baseline_rule(f->baseline, iv_str_of(id));
    cr_assert(rule != NULL, "%s", id);
    return rule;
}

static void put(struct iv_val *slots, uint8_t slot, const char *text)
{
    slots[slot] = text == NULL ? (struct iv_val){0} : iv_val_str(iv_str_of(text));
}

const struct iv_object *started_agent(const struct folder *f, const char *tenant, const char *agent,
                                      const char *profile)
{
    static struct iv_val slots[64];
    static struct iv_object object;
    const struct iv_event_type *type = iv_catalogue_find(f->baseline->catalogue, IV_STR("agent.started"));
    memset(slots, 0, sizeof slots);
    put(slots, IV_ATTR_TENANT, tenant);
    put(slots, IV_ATTR_AGENT, agent);
    for (uint8_t i = 0; i < type->field_count; i++) {
        if (iv_str_eq(type->fields[i].name, IV_STR("profile"))) {
            put(slots, type->fields[i].slot, profile);
        }
    }
    object = (struct iv_object){type->slot_of, slots, NULL};
    return &object;
}
