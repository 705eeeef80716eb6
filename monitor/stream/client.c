/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/client.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "base/log.h"

#include <stdio.h>
#include <syslog.h>

#define ERROR_TEXT_BYTES 512

/* librdkafka speaks from its own threads; a broker that is away is a warning to us, as
 * the client tries on. */
static void client_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    /* "is a consumer property and will be ignored by this producer": by design, both take one list. That
     * brokers before 0.11 make topics on their own concerns the embedded one alone, which makes none. */
    if (strcmp(facility, "CONFWARN") == 0 || strcmp(facility, "AUTOCREATE") == 0) {
        return;
    }
    enum iv_log_level ours = IV_LOG_DEBUG;
    if (level <= LOG_WARNING) {
        ours = IV_LOG_WARN;
    } else if (level <= LOG_INFO) {
        ours = IV_LOG_INFO;
    }
    LOG_AT(ours, "kafka.client", KV_TEXT("client", rd_kafka_name(rk)), KV_TEXT("facility", facility),
           KV_TEXT("text", text));
}

/* The library's own manual: rows of "name | who | …", the only place where it lists all names. */
static size_t names_of(struct iv_str *out, size_t room, struct iv_str manual)
{
    size_t count = 0;
    const char *end = manual.p + manual.n;
    for (const char *line = manual.p; line < end && count < room;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        stop = stop == NULL ? end : stop;
        size_t n = strcspn(line, " |\n");
        if (n > 0 && memchr(line, '|', (size_t)(stop - line)) != NULL) {
            out[count++] = (struct iv_str){line, n};
        }
        line = stop + 1;
    }
    return count;
}

static iv_rc unknown_property(struct iv_str name, struct iv_err *err)
{
    char *manual = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&manual, &n);
    ENSURE(to != NULL, err, IV_E_NOMEM, "cannot allocate the list of the Kafka client's properties");
    rd_kafka_conf_properties_show(to);
    (void)fclose(to);
    struct iv_str names[512];
    struct iv_str nearest =
        iv_str_nearest(name, names, names_of(names, IV_COUNT(names), (struct iv_str){manual, n}));
    struct iv_rc_s rc =
        nearest.p == NULL
            ? iv_err_set(err, IV_E_REFUSED, "kafka: there is no property '" IV_STR_FMT "'", IV_STR_ARG(name))
            : iv_err_set(err, IV_E_REFUSED,
                         "kafka: there is no property '" IV_STR_FMT "', did you mean '" IV_STR_FMT "'?",
                         IV_STR_ARG(name), IV_STR_ARG(nearest));
    iv_free(manual);
    return rc;
}

iv_rc iv_client_set(rd_kafka_conf_t *conf, const struct iv_property *property, struct iv_err *err)
{
    IV_AUTO(iv_freep) char *name = iv_strndup(property->name.p, property->name.n);
    IV_AUTO(iv_freep) char *value = iv_strndup(property->value.p, property->value.n);
    ENSURE(name != NULL && value != NULL, err, IV_E_NOMEM, "cannot allocate a property of the Kafka client");
    char text[ERROR_TEXT_BYTES] = "";
    switch (rd_kafka_conf_set(conf, name, value, text, sizeof text)) {
    case RD_KAFKA_CONF_OK:
        return IV_OK;
    case RD_KAFKA_CONF_UNKNOWN:
        return unknown_property(property->name, err);
    default:
        return iv_err_set(err, IV_E_REFUSED, "kafka: property '%s': %s", name, text);
    }
}

iv_rc iv_property_check(const struct iv_property *property, struct iv_err *err)
{
    ENSURE(
        !iv_str_eq(property->name, IV_STR("transactional.id")), err, IV_E_REFUSED,
        "kafka: property 'transactional.id' cannot be set: there are several producers, and no transactions");
    IV_AUTO(iv_client_conf_freep) rd_kafka_conf_t *conf = rd_kafka_conf_new();
    ENSURE(conf != NULL, err, IV_E_NOMEM, "cannot allocate the configuration of a Kafka client");
    return iv_client_set(conf, property, err);
}

/* The library answers with its own spelling of a value, so "False" is still false. */
static iv_rc check_fixed(const rd_kafka_conf_t *conf, const struct iv_profile *entry, struct iv_err *err)
{
    char value[64] = "";
    size_t n = sizeof value;
    bool same = rd_kafka_conf_get(conf, entry->name, value, &n) == RD_KAFKA_CONF_OK &&
                strcmp(value, entry->value) == 0;
    ENSURE(same, err, IV_E_REFUSED, "kafka: property '%s' must stay '%s': %s", entry->name, entry->value,
           entry->why);
    return IV_OK;
}

iv_rc iv_client_conf(rd_kafka_conf_t **out, const struct iv_profile *profile, size_t profile_count,
                     const struct iv_property *properties, size_t count, struct iv_err *err)
{
    IV_AUTO(iv_client_conf_freep) rd_kafka_conf_t *conf = rd_kafka_conf_new();
    ENSURE(conf != NULL, err, IV_E_NOMEM, "cannot allocate the configuration of a Kafka client");
    for (size_t i = 0; i < profile_count; i++) {
        struct iv_property ours = {iv_str_of(profile[i].name), iv_str_of(profile[i].value)};
        TRY(iv_client_set(conf, &ours, err));
    }
    for (size_t i = 0; i < count; i++) {
        TRY(iv_client_set(conf, &properties[i], err));
    }
    for (size_t i = 0; i < profile_count; i++) {
        if (profile[i].why != NULL) {
            TRY(check_fixed(conf, &profile[i], err));
        }
    }
    rd_kafka_conf_set_log_cb(conf, client_log);
    *out = TAKE(conf);
    return IV_OK;
}

void iv_client_conf_freep(rd_kafka_conf_t **conf)
{
    if (*conf != NULL) {
        rd_kafka_conf_destroy(*conf);
    }
}

iv_rc iv_client_new(rd_kafka_t **out, rd_kafka_type_t type, rd_kafka_conf_t **conf, struct iv_err *err)
{
    char text[ERROR_TEXT_BYTES] = "";
    rd_kafka_t *rk = rd_kafka_new(type, *conf, text, sizeof text);
    ENSURE(rk != NULL, err, IV_E_REFUSED, "kafka: the client cannot be made: %s", text);
    *conf = NULL;
    *out = rk;
    return IV_OK;
}

enum iv_code iv_client_code(rd_kafka_resp_err_t error)
{
    switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return IV_CODE_OK;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
        return IV_E_BUSY;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        return IV_E_LIMIT;
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
        return IV_E_MALFORMED;
    case RD_KAFKA_RESP_ERR__FATAL:
        return IV_E_IO;
    default: /* the broker is away, busy, electing, or its operator has to act: the same request may succeed
                later */
        return IV_E_BROKER;
    }
}

int iv_client_milliseconds(iv_ns length)
{
    iv_ns ms = (length + IV_NS_PER_MS - 1) / IV_NS_PER_MS;
    return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

bool iv_client_width(rd_kafka_t *rk, const char *topic, int32_t *width, rd_kafka_resp_err_t *error,
                     iv_ns wait)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    *width = 0;
    if (handle == NULL) {
        *error = rd_kafka_last_error();
        return false;
    }
    *error = rd_kafka_metadata(rk, 0, handle, &metadata, iv_client_milliseconds(wait));
    rd_kafka_topic_destroy(handle);
    if (*error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return false;
    }
    *error = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    *width = *error == RD_KAFKA_RESP_ERR_NO_ERROR ? metadata->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(metadata);
    return true;
}

iv_rc iv_client_widths(rd_kafka_t *rk, int32_t widths[IV_STREAMS], char *const topics[IV_STREAMS], iv_ns wait,
                       struct iv_err *err)
{
    for (size_t i = 0; i < IV_STREAMS; i++) {
        rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
        widths[i] = 0;
        if (topics[i] == NULL) {
            continue;
        }
        (void)iv_client_width(rk, topics[i], &widths[i], &error, wait);
        ENSURE(widths[i] > 0, err, IV_E_BROKER, "topic %s: %s", topics[i], rd_kafka_err2str(error));
    }
    return IV_OK;
}
