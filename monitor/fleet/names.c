/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/names.h"
#include "base/guard.h"
#include "fleet/chance.h"

#include <string.h>

static void put(struct iv_sim_name *name, const char *text)
{
    size_t n = strlen(text);
    IV_CHECK(name->n + n < sizeof name->text);
    memcpy(name->text + name->n, text, n + 1);
    name->n = (uint8_t)(name->n + n);
}

/* The two digits of each byte. */
#define PAIRS_OF(high)                                                                                       \
    high "0" high "1" high "2" high "3" high "4" high "5" high "6" high "7" high "8" high "9" high "a" high  \
         "b" high "c" high "d" high "e" high "f"
static const char pairs[] = PAIRS_OF("0") PAIRS_OF("1") PAIRS_OF("2") PAIRS_OF("3") PAIRS_OF("4")
    PAIRS_OF("5") PAIRS_OF("6") PAIRS_OF("7") PAIRS_OF("8") PAIRS_OF("9") PAIRS_OF("a") PAIRS_OF("b")
        PAIRS_OF("c") PAIRS_OF("d") PAIRS_OF("e") PAIRS_OF("f");

void iv_sim_hex16(char out[16], uint64_t number)
{
    for (unsigned i = 0; i < 8; i++) {
        memcpy(out + 2 * i, pairs + 2 * (number >> (56 - 8 * i) & 255), 2);
    }
}

static void put_hex(struct iv_sim_name *name, uint64_t number)
{
    IV_CHECK(name->n + 16U < sizeof name->text);
    iv_sim_hex16(name->text + name->n, number);
    name->n = (uint8_t)(name->n + 16);
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

void iv_sim_name_agent(struct iv_sim_agent *agent)
{
    static const char *const roles[] = {"support", "billing", "research", "triage", "claims", "search",
                                        "fraud",   "ops",     "sales",    "legal",  "edge"};
    size_t role = agent->number % IV_COUNT(roles);
    agent->edge = role == IV_COUNT(roles) - 1;
    agent->name.n = 0;
    put(&agent->name, roles[role]);
    put(&agent->name, "-");
    put_number(&agent->name, agent->number, 5);
}

struct iv_sim_name iv_sim_canary(uint32_t alias)
{
    struct iv_sim_name name = {.n = 0};
    put(&name, "canary-");
    put_number(&name, alias, 5);
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

struct iv_sim_name iv_sim_event_id(uint64_t id)
{
    struct iv_sim_name name = {.n = 0};
    put_hex(&name, id);
    put_hex(&name, iv_mix(id));
    return name;
}

void iv_sim_hex(char *out, uint64_t number, unsigned digits)
{
    uint64_t word = number;
    for (unsigned i = 0; i < digits; i += 16) {
        word = iv_mix(word);
        iv_sim_hex16(out + i, word);
    }
}
