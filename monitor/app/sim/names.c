/* SPDX-License-Identifier: Apache-2.0 */
#include "app/sim/names.h"
#include "app/sim/chance.h"
#include "base/guard.h"

#include <string.h>

static void put(struct iv_sim_name *name, const char *text)
{
    size_t n = strlen(text);
    IV_CHECK(name->n + n < sizeof name->text);
    memcpy(name->text + name->n, text, n + 1);
    name->n += n;
}

static void put_hex(struct iv_sim_name *name, uint64_t number)
{
    static const char hex[] = "0123456789abcdef";
    IV_CHECK(name->n + 16 < sizeof name->text);
    for (unsigned i = 0; i < 16; i++) {
        name->text[name->n++] = hex[number >> (60 - 4 * i) & 15];
    }
    name->text[name->n] = '\0';
}

/* At least width digits. */
static void put_number(struct iv_sim_name *name, uint32_t number, unsigned width)
{
    char digits[16];
    size_t at = sizeof digits - 1;
    digits[at] = '\0';
    while (number > 0 || sizeof digits - 1 - at < width) {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    }
    put(name, digits + at);
}

struct iv_sim_name iv_sim_tenant(uint32_t tenant)
{
    static const char *const places[] = {"aurora", "birch", "cobalt",  "delta",
                                         "ember",  "fjord", "granite", "harbor"};
    static const char *const trades[] = {"bank",      "health", "energy",  "retail",
                                         "logistics", "insure", "telecom", "media"};
    struct iv_sim_name name = {.n = 0};
    put(&name, places[tenant % IV_COUNT(places)]);
    put(&name, "-");
    put(&name, trades[(tenant / IV_COUNT(places) + tenant) % IV_COUNT(trades)]);
    return name;
}

struct iv_sim_name iv_sim_agent_name(const struct iv_sim_step *step)
{
    static const char *const roles[] = {"support", "billing", "research", "triage", "claims", "search",
                                        "fraud",   "ops",     "sales",    "legal",  "edge"};
    struct iv_sim_name name = {.n = 0};
    if (step->alias != 0) {
        put(&name, "canary-");
        put_number(&name, step->alias, 5);
        return name;
    }
    put(&name, roles[step->agent->number % IV_COUNT(roles)]);
    put(&name, "-");
    put_number(&name, step->agent->number, 5);
    return name;
}

struct iv_sim_name iv_sim_source(const struct iv_sim_agent *agent, enum iv_stream stream)
{
    struct iv_sim_name name = {.n = 0};
    if (stream == IV_LEDGER) {
        struct iv_sim_name tenant = iv_sim_tenant(agent->tenant);
        put(&name, "/orchestrator/");
        put(&name, tenant.text);
    } else {
        put(&name, "/runtime/node-");
        put_number(&name, agent->number % IV_SIM_NODES, 2);
    }
    return name;
}

struct iv_sim_name iv_sim_log(const struct iv_sim_step *step)
{
    struct iv_sim_name name = {.n = 0};
    struct iv_sim_name tenant = iv_sim_tenant(step->agent->tenant);
    put(&name, tenant.text);
    if (step->site != 0) {
        put(&name, "/site-");
        put_hex(&name, step->site);
    } else {
        put(&name, "/orchestrator");
    }
    return name;
}

struct iv_sim_name iv_sim_id(const char *prefix, uint64_t number)
{
    struct iv_sim_name name = {.n = 0};
    put(&name, prefix);
    put(&name, prefix[0] == '\0' ? "" : "-");
    put_hex(&name, number);
    return name;
}

struct iv_sim_name iv_sim_event_id(uint64_t id)
{
    struct iv_sim_name name = {.n = 0};
    put_hex(&name, id);
    put_hex(&name, iv_mix(id));
    return name;
}

void iv_sim_hex(char *out, uint64_t number, unsigned digits)
{
    static const char hex[] = "0123456789abcdef";
    uint64_t word = number;
    for (unsigned i = 0; i < digits; i++) {
        if (i % 16 == 0) {
            word = iv_mix(word);
        }
        out[i] = hex[word >> (4 * (i % 16)) & 15];
    }
}
