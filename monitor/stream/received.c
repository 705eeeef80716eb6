/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/received.h"

#include "base/guard.h"

#include <string.h>

static iv_rc copy_headers(struct iv_record *record, struct iv_arena *arena, const rd_kafka_message_t *message,
                          struct iv_err *err)
{
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return IV_OK;
    }
    size_t count = rd_kafka_header_cnt(headers);
    struct iv_header *copies = iv_arena_alloc(arena, (count + 1) * sizeof *copies);
    ENSURE(copies != NULL, err, IV_E_NOMEM, "cannot allocate a record's headers");
    for (size_t i = 0; i < count; i++) {
        const char *name = NULL;
        const void *value = NULL;
        size_t n = 0;
        (void)rd_kafka_header_get_all(headers, i, &name, &value, &n);
        copies[i].name = iv_arena_str(arena, iv_str_of(name));
        copies[i].value = iv_arena_str(arena, (struct iv_str){value == NULL ? "" : value, n});
        ENSURE(copies[i].name.p != NULL && copies[i].value.p != NULL, err, IV_E_NOMEM,
               "cannot allocate a record's headers");
    }
    record->headers = copies;
    record->header_count = count;
    return IV_OK;
}

iv_rc iv_received(struct iv_record *out, struct iv_arena *arena, const struct iv_origin *origin,
                  const rd_kafka_message_t *message, struct iv_err *err)
{
    *out = (struct iv_record){.origin = *origin};
    char *bytes = iv_arena_alloc(arena, message->len + IV_RECORD_PADDING);
    ENSURE(bytes != NULL, err, IV_E_NOMEM, "cannot allocate a record of %zu bytes", message->len);
    if (message->len > 0) {
        memcpy(bytes, message->payload, message->len);
    }
    memset(bytes + message->len, 0, IV_RECORD_PADDING);
    out->bytes = (struct iv_str){bytes, message->len};
    int64_t written_ms = rd_kafka_message_timestamp(message, NULL);
    out->written = written_ms < 0 ? 0 : written_ms * IV_NS_PER_MS;
    return copy_headers(out, arena, message, err);
}
