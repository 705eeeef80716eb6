/* SPDX-License-Identifier: Apache-2.0 */
#include "event/binary.h"
#include "base/buf.h"
#include "base/guard.h"
#include "event/atoms.h"

#include <strings.h>

#define CE_PREFIX "ce_"
#define CE_MEDIA_TYPE "application/cloudevents"

static bool equals_ignoring_case(struct iv_str a, const char *b)
{
    return a.n == strlen(b) && strncasecmp(a.p, b, a.n) == 0;
}

static struct iv_str find_header(const struct iv_record *record, const char *name)
{
    for (size_t i = 0; i < record->header_count; i++) {
        if (equals_ignoring_case(record->headers[i].name, name)) {
            return record->headers[i].value;
        }
    }
    return (struct iv_str){NULL, 0};
}

/* The media type without parameters and the white space before them. */
static struct iv_str media_type(struct iv_str content_type)
{
    const char *semicolon = content_type.n == 0 ? NULL : memchr(content_type.p, ';', content_type.n);
    size_t n = semicolon == NULL ? content_type.n : (size_t)(semicolon - content_type.p);
    while (n > 0 && (content_type.p[n - 1] == ' ' || content_type.p[n - 1] == '\t')) {
        n--;
    }
    return (struct iv_str){content_type.p, n};
}

/*= CloudEvents Kafka binding 3 "determine the mode by inspecting the content-type header" */
iv_rc iv_record_mode(enum iv_mode_of_record *out, const struct iv_record *record, struct iv_err *err)
{
    *out = IV_MODE_STRUCTURED;
    if (record->header_count == 0) {
        return IV_OK;
    }
    struct iv_str type = media_type(find_header(record, "content-type"));
    size_t prefix = strlen(CE_MEDIA_TYPE);
    if (type.n < prefix || strncasecmp(type.p, CE_MEDIA_TYPE, prefix) != 0) {
        *out = find_header(record, CE_PREFIX "specversion").p != NULL ? IV_MODE_BINARY : IV_MODE_STRUCTURED;
        return IV_OK;
    }
    struct iv_str format = {type.p + prefix, type.n - prefix};
    ENSURE(!equals_ignoring_case(format, "-batch") &&
               !(format.n > 6 && strncasecmp(format.p, "-batch+", 7) == 0),
           err, IV_E_MALFORMED, "record: is a batch of events, must be a single one");
    ENSURE(format.n == 0 || equals_ignoring_case(format, "+json"), err, IV_E_MALFORMED,
           "record: its content-type is no " CE_MEDIA_TYPE "+json");
    return IV_OK;
}

static bool needs_no_escape(struct iv_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == '"' || s.p[i] == '\\') {
            return false;
        }
    }
    return true;
}

static void push_string(struct iv_tape *tape, struct iv_str s)
{
    tape->nodes[tape->count++] =
        (struct iv_node){.kind = IV_NODE_STRING, .plain = needs_no_escape(s), .p = s.p, .n = (uint32_t)s.n};
}

static bool is_integer(struct iv_node *out, struct iv_str text)
{
    return iv_number_read(out, text) == text.n && out->kind == IV_NODE_INT;
}

static iv_rc not_utf8(struct iv_str name, struct iv_err *err)
{
    struct iv_buf text;
    iv_buf_init(&text, 1024);
    iv_tape_put_name(&text, name);
    struct iv_rc_s rc =
        iv_err_set(err, IV_E_MALFORMED, IV_STR_FMT ": is not UTF-8", IV_STR_ARG(iv_buf_slice(&text)));
    iv_buf_deinit(&text);
    return rc;
}

/* One attribute. A header without a value is an attribute that is not there. */
static iv_rc push_attribute(struct iv_tape *tape, struct iv_str name, struct iv_str value, struct iv_err *err)
{
    if (value.p == NULL) {
        return IV_OK;
    }
    ENSURE(iv_utf8_valid(name), err, IV_E_MALFORMED, "record: the name of a header is not UTF-8");
    if (!iv_utf8_valid(value)) {
        return not_utf8(name, err);
    }
    ENSURE(!iv_str_eq(name, IV_STR("data")), err, IV_E_MALFORMED,
           "data: stands twice, as a header and as the value");
    struct iv_node number = {0};
    push_string(tape, name);
    if (iv_str_eq(name, IV_STR("ledgerseq")) && is_integer(&number, value)) {
        tape->nodes[tape->count++] = number;
    } else {
        push_string(tape, value);
    }
    tape->nodes[0].n++;
    return IV_OK;
}

static iv_rc push_headers(struct iv_tape *tape, const struct iv_record *record, struct iv_err *err)
{
    TRY(iv_tape_reserve(tape, 2 * record->header_count + 2, err));
    tape->nodes[tape->count++] = (struct iv_node){.kind = IV_NODE_MAP};
    size_t prefix = strlen(CE_PREFIX);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct iv_header *h = &record->headers[i];
        if (h->name.n > prefix && memcmp(h->name.p, CE_PREFIX, prefix) == 0) {
            struct iv_str name = {h->name.p + prefix, h->name.n - prefix};
            TRY(push_attribute(tape, name, h->value, err));
        } else if (equals_ignoring_case(h->name, "content-type")) {
            TRY(push_attribute(tape, IV_STR("datacontenttype"), h->value, err));
        }
    }
    return IV_OK;
}

iv_rc iv_binary_read(struct iv_tape *tape, const struct iv_record *record, struct iv_arena *arena,
                     struct iv_err *err)
{
    ENSURE(record->bytes.n > 0, err, IV_E_MALFORMED, "record: is empty, a tombstone, and no event");
    TRY(push_headers(tape, record, err));
    push_string(tape, IV_STR("data"));
    uint32_t data = tape->count;
    TRY(iv_tape_read(tape, record->bytes, 1, arena, err));
    ENSURE(tape->nodes[data].kind == IV_NODE_MAP, err, IV_E_MALFORMED, "record: is %s, must be an object",
           iv_node_kind_name(tape->nodes[data].kind));
    tape->nodes[0].n++;
    tape->nodes[0].end = tape->count;
    return IV_OK;
}
