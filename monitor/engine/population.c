/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/population.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "base/hash.h"

#include <string.h>

bool iv_population_init(struct iv_population *population, size_t rule_count)
{
    *population = (struct iv_population){.rule_count = rule_count, .since_changed = true};
    population->since = iv_calloc(rule_count + 1, sizeof *population->since);
    population->counts = iv_calloc(IV_POPULATION_HOURS * (rule_count + 1), sizeof *population->counts);
    if (population->since == NULL || population->counts == NULL) {
        iv_population_deinit(population);
        return false;
    }
    for (size_t i = 0; i < rule_count; i++) {
        population->since[i] = IV_NS_MAX;
    }
    for (size_t i = 0; i < IV_POPULATION_HOURS; i++) {
        population->pages[i].counts = population->counts + i * (rule_count + 1);
    }
    return true;
}

void iv_population_deinit(struct iv_population *population)
{
    iv_free(population->since);
    iv_free(population->counts);
    population->since = NULL;
    population->counts = NULL;
}

/* Of the page of this hour; page_count: there is none. */
static size_t find(const struct iv_population *p, iv_ns hour)
{
    size_t i = 0;
    while (i < p->page_count && p->pages[i].hour != hour) {
        i++;
    }
    return i;
}

const struct iv_population_page *iv_population_leaver(const struct iv_population *population, iv_ns time)
{
    bool full = population->page_count == IV_POPULATION_HOURS;
    return full && find(population, iv_population_hour(time)) == IV_POPULATION_HOURS
               ? &population->pages[IV_POPULATION_HOURS - 1]
               : NULL;
}

static void to_front(struct iv_population *p, size_t i)
{
    struct iv_population_page page = p->pages[i];
    memmove(&p->pages[1], &p->pages[0], i * sizeof page);
    p->pages[0] = page;
}

static void be_of(struct iv_population_page *page, iv_ns hour)
{
    page->hour = hour;
    page->end = iv_ns_add(hour, IV_POPULATION_HOUR);
    page->changed = false;
}

void iv_population_turn(struct iv_population *population, iv_ns time)
{
    struct iv_population *p = population;
    iv_ns hour = iv_population_hour(time);
    size_t i = find(p, hour);
    if (i == p->page_count && i < IV_POPULATION_HOURS) {
        be_of(&p->pages[i], hour);
        p->page_count++;
    } else if (i == p->page_count) {
        i--;
        memset(p->pages[i].counts, 0, p->rule_count * sizeof *p->pages[i].counts);
        be_of(&p->pages[i], hour);
    }
    to_front(p, i);
}

static uint64_t counted(const struct iv_population *p, size_t page)
{
    uint64_t count = 0;
    for (size_t i = 0; i < p->rule_count; i++) {
        count += p->pages[page].counts[i] > 0 ? 1 : 0;
    }
    return count;
}

void iv_population_write(const struct iv_population *population, const struct iv_baseline *baseline,
                         struct iv_buf *out)
{
    const struct iv_population *p = population;
    for (size_t i = 0; i < p->rule_count; i++) {
        if (p->since[i] != IV_NS_MAX) {
            iv_image_str(out, baseline->rules[i]->id);
            iv_image_int(out, p->since[i]);
        }
    }
    iv_image_str(out, IV_STR(""));
    iv_image_uint(out, p->page_count);
    for (size_t page = 0; page < p->page_count; page++) {
        iv_image_int(out, p->pages[page].hour);
        iv_image_uint(out, counted(p, page));
        for (size_t i = 0; i < p->rule_count; i++) {
            if (p->pages[page].counts[i] > 0) {
                iv_image_str(out, baseline->rules[i]->id);
                iv_image_uint(out, p->pages[page].counts[i]);
            }
        }
    }
}

/* The rule of the next name, if it is the engine's. */
static const struct iv_rule *get_rule(const struct iv_population *p, const struct iv_baseline *baseline,
                                      struct iv_str id)
{
    const struct iv_rule *rule = iv_baseline_rule(baseline, id);
    return rule != NULL && p->since[rule->index] != IV_NS_MAX ? rule : NULL;
}

static void get_page(struct iv_population *p, const struct iv_baseline *baseline, struct iv_image *in,
                     struct iv_population_page *page)
{
    size_t count = iv_image_get_count(in);
    for (size_t i = 0; i < count && !in->bad; i++) {
        const struct iv_rule *rule = get_rule(p, baseline, iv_image_get_str(in));
        uint64_t judged = iv_image_get_uint(in);
        if (rule != NULL) {
            page->counts[rule->index] = judged;
            page->changed = true;
        }
    }
}

void iv_population_read(struct iv_population *population, const struct iv_baseline *baseline,
                        struct iv_image *in)
{
    struct iv_population *p = population;
    for (struct iv_str id = iv_image_get_str(in); id.n > 0 && !in->bad; id = iv_image_get_str(in)) {
        const struct iv_rule *rule = get_rule(p, baseline, id);
        iv_ns since = iv_image_get_int(in);
        if (rule != NULL) {
            p->since[rule->index] = since;
        }
    }
    size_t count = iv_image_get_below(in, IV_POPULATION_HOURS);
    while (p->page_count < count && !in->bad) {
        iv_ns hour = iv_image_get_int(in);
        in->bad = in->bad || hour != iv_population_hour(hour) || find(p, hour) < p->page_count;
        be_of(&p->pages[p->page_count], hour);
        get_page(p, baseline, in, &p->pages[p->page_count]);
        p->page_count++;
    }
}
