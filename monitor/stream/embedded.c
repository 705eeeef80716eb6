/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/embedded.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "stream/client.h"

#include <librdkafka/rdkafka_mock.h>

struct iv_embedded {
    rd_kafka_t *rk; /* the cluster needs a client to live in; it sends nothing */
    rd_kafka_mock_cluster_t *cluster;
    int brokers;
};

iv_rc iv_embedded_open(struct iv_embedded **out, int brokers, const struct iv_embedded_topic *topics,
                       size_t count, struct iv_err *err)
{
    IV_AUTO(iv_embedded_closep) struct iv_embedded *embedded = iv_calloc(1, sizeof *embedded);
    ENSURE(embedded != NULL, err, IV_E_NOMEM, "cannot allocate the embedded broker");
    embedded->brokers = brokers;
    IV_AUTO(iv_client_conf_freep) rd_kafka_conf_t *conf = NULL;
    static const struct iv_profile profile[] = {{"client.id", "embedded-broker", NULL}};
    TRY(iv_client_conf(&conf, profile, IV_COUNT(profile), NULL, 0, err));
    TRY(iv_client_new(&embedded->rk, RD_KAFKA_PRODUCER, &conf, err));
    embedded->cluster = rd_kafka_mock_cluster_new(embedded->rk, brokers);
    ENSURE(embedded->cluster != NULL, err, IV_E_IO, "the embedded broker cannot listen on loopback");
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t error =
            rd_kafka_mock_topic_create(embedded->cluster, topics[i].name, topics[i].partitions, 1);
        ENSURE(error == RD_KAFKA_RESP_ERR_NO_ERROR, err, IV_E_IO,
               "the embedded broker cannot make the topic '%s': %s", topics[i].name, rd_kafka_err2str(error));
    }
    *out = TAKE(embedded);
    return IV_OK;
}

void iv_embedded_close(struct iv_embedded *embedded)
{
    if (embedded == NULL) {
        return;
    }
    if (embedded->cluster != NULL) {
        rd_kafka_mock_cluster_destroy(embedded->cluster);
    }
    if (embedded->rk != NULL) {
        rd_kafka_destroy(embedded->rk);
    }
    iv_free(embedded);
}

void iv_embedded_closep(struct iv_embedded **embedded)
{
    iv_embedded_close(*embedded);
}

const char *iv_embedded_servers(const struct iv_embedded *embedded)
{
    return rd_kafka_mock_cluster_bootstraps(embedded->cluster);
}

iv_rc iv_embedded_set_down(struct iv_embedded *embedded, bool down, struct iv_err *err)
{
    for (int id = 1; id <= embedded->brokers; id++) {
        rd_kafka_resp_err_t error = down ? rd_kafka_mock_broker_set_down(embedded->cluster, id)
                                         : rd_kafka_mock_broker_set_up(embedded->cluster, id);
        ENSURE(error == RD_KAFKA_RESP_ERR_NO_ERROR, err, IV_E_IO,
               "the embedded broker %d cannot be taken %s: %s", id, down ? "down" : "up",
               rd_kafka_err2str(error));
    }
    return IV_OK;
}
