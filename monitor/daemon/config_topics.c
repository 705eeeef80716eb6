/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_topics.h"
#include "base/guard.h"

#define NAME_MAX_BYTES 249

struct named {
    const char *key;
    struct iv_str topic;
};

struct iv_str iv_config_topic(const struct iv_config *config, const struct iv_baseline *baseline,
                              enum iv_stream stream)
{
    struct iv_str configured = stream == IV_LEDGER ? config->topics.ledger : config->topics.telemetry;
    return configured.p != NULL ? configured : baseline->streams[stream].topic;
}

static bool is_legal(struct iv_str name)
{
    bool legal = name.n > 0 && name.n <= NAME_MAX_BYTES && !iv_str_eq(name, IV_STR(".")) &&
                 !iv_str_eq(name, IV_STR(".."));
    for (size_t i = 0; i < name.n && legal; i++) {
        char c = name.p[i];
        legal = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                c == '_' || c == '-';
    }
    return legal;
}

static iv_rc check_names(const struct named *names, size_t count, struct iv_err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i].topic.p == NULL) {
            continue;
        }
        ENSURE(is_legal(names[i].topic), err, IV_E_REFUSED,
               "topics.%s: '" IV_STR_FMT
               "' can be no topic: Kafka's names are of 1 to %d letters, digits, '.', '_' and '-'",
               names[i].key, IV_STR_ARG(names[i].topic), NAME_MAX_BYTES);
        for (size_t k = 0; k < i; k++) {
            ENSURE(!iv_str_eq(names[i].topic, names[k].topic), err, IV_E_REFUSED,
                   "topics.%s and topics.%s are both '" IV_STR_FMT "'; each needs a topic of its own",
                   names[k].key, names[i].key, IV_STR_ARG(names[i].topic));
        }
    }
    return IV_OK;
}

iv_rc iv_config_topics(const struct iv_config *config, const struct iv_baseline *baseline, struct iv_err *err)
{
    const struct named names[] = {
        {"ledger", iv_config_topic(config, baseline, IV_LEDGER)},
        {"telemetry", iv_config_topic(config, baseline, IV_TELEMETRY)},
        {"findings", config->topics.findings},
        {"actions", config->topics.actions},
        {"dead_letter", config->topics.dead_letter},
        {"exchange", config->topics.exchange},
        /* these may be none */
        {"snapshots", config->topics.snapshots},
        {"coverage", config->topics.coverage},
    };
    return check_names(names, IV_COUNT(names), err);
}
