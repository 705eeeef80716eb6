/* SPDX-License-Identifier: Apache-2.0 */
#include "app/sim/names.h"

#include <stdio.h>

struct iv_sim_name iv_sim_tenant(uint32_t tenant)
{
    struct iv_sim_name name;
    (void)snprintf(name.text, sizeof name.text, "tenant-%02u", tenant);
    return name;
}

struct iv_sim_name iv_sim_agent_name(const struct iv_sim_agent *agent)
{
    struct iv_sim_name name;
    (void)snprintf(name.text, sizeof name.text, "agent-%05u", agent->number);
    return name;
}

static uint64_t mixed(uint64_t seed, enum iv_sim_sort sort, uint64_t session, unsigned part)
{
    return iv_mix(iv_mix(iv_mix(seed ^ (uint64_t)sort << 56) ^ session) ^ part);
}

struct iv_sim_name iv_sim_id(uint64_t seed, enum iv_sim_sort sort, uint64_t session, unsigned part)
{
    static const char *const prefixes[] = {
        [IV_SIM_ENCLAVE] = "enc", [IV_SIM_TOKEN] = "tok",   [IV_SIM_REQUEST] = "req",
        [IV_SIM_KEY] = "key",     [IV_SIM_GHOST] = "ghost", [IV_SIM_RECEIPT] = "rcpt"};
    struct iv_sim_name name;
    (void)snprintf(name.text, sizeof name.text, "%s-%016llx", prefixes[sort],
                   (unsigned long long)mixed(seed, sort, session, part));
    return name;
}

struct iv_sim_name iv_sim_hex(uint64_t seed, enum iv_sim_sort sort, uint64_t session, unsigned part,
                              unsigned digits)
{
    static const char hex[] = "0123456789abcdef";
    struct iv_sim_name name;
    uint64_t word = mixed(seed, sort, session, part);
    for (unsigned i = 0; i < digits; i++) {
        if (i % 16 == 0) {
            word = iv_mix(word);
        }
        name.text[i] = hex[word >> (4 * (i % 16)) & 15];
    }
    name.text[digits] = '\0';
    return name;
}

struct iv_sim_name iv_sim_source(const struct iv_sim_agent *agent, enum iv_stream stream)
{
    struct iv_sim_name name;
    if (stream == IV_LEDGER) {
        (void)snprintf(name.text, sizeof name.text, "/orchestrator/tenant-%02u", agent->tenant);
    } else {
        (void)snprintf(name.text, sizeof name.text, "/runtime/node-%02u", agent->number % 16);
    }
    return name;
}

struct iv_sim_name iv_sim_event_id(uint64_t seed, const struct iv_sim_step *step)
{
    uint64_t whose =
        step->session != NULL ? step->session->number : (uint64_t)step->agent->number << 40 | step->order;
    unsigned part = (unsigned)step->kind << 8 | step->call;
    return iv_sim_hex(seed, IV_SIM_EVENT, whose, part, 32);
}
