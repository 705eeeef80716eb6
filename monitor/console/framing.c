/* SPDX-License-Identifier: Apache-2.0 */
#include "console/framing.h"

#include "console/body.h"

#include <strings.h>

struct looking {
    enum iv_framing framing;
    bool length_seen;
    bool host_seen;
};

static enum iv_framing framing_of_length(const char *text)
{
    size_t n = 0;
    uint64_t length = 0;
    for (; text[n] >= '0' && text[n] <= '9' && n < 19; n++) {
        length = length * 10 + (uint64_t)(text[n] - '0');
    }
    if (n == 0 || text[n] != '\0') {
        return n == 19 ? IV_FRAMING_TOO_LARGE : IV_FRAMING_AMBIGUOUS;
    }
    if (length > IV_BODY_BYTES_MAX) {
        return IV_FRAMING_TOO_LARGE;
    }
    return length == 0 ? IV_FRAMING_EMPTY : IV_FRAMING_BODY;
}

/*= RFC 9112 5.1 "a server MUST reject, with a response status code of 400, any received request message that
 * contains whitespace between a header field name and colon": the library takes the space for a part of the
 * name, and would not see the header that somebody else sees. */
static bool is_name(const char *name)
{
    for (const char *p = name; *p != '\0'; p++) {
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f) {
            return false;
        }
    }
    return name[0] != '\0';
}

static enum MHD_Result look(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    struct looking *l = ctx;
    if (!is_name(name)) {
        l->framing = IV_FRAMING_MALFORMED;
        return MHD_NO;
    }
    /*= RFC 9112 3.2 "a server MUST respond with a 400 status code to [...] any request message that contains
     * more than one Host header field line" */
    bool host = strcasecmp(name, "Host") == 0;
    if (host && l->host_seen) {
        l->framing = IV_FRAMING_HOSTS;
        return MHD_NO;
    }
    l->host_seen = l->host_seen || host;
    bool length = strcasecmp(name, "Content-Length") == 0;
    if (strcasecmp(name, "Transfer-Encoding") == 0 || (length && (l->length_seen || value == NULL))) {
        l->framing = IV_FRAMING_AMBIGUOUS;
        return MHD_NO;
    }
    if (length) {
        l->length_seen = true;
        l->framing = framing_of_length(value);
    }
    return MHD_YES;
}

enum iv_framing iv_framing_of(struct MHD_Connection *connection)
{
    struct looking l = {.framing = IV_FRAMING_EMPTY};
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, look, &l);
    return l.framing;
}

bool iv_framing_is_json(const char *type)
{
    static const char json[] = "application/json";
    size_t n = sizeof json - 1;
    return type != NULL && strncasecmp(type, json, n) == 0 &&
           (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

bool iv_framing_admits(struct iv_reply *reply, struct MHD_Connection *connection, enum iv_framing framing,
                       bool takes_body)
{
    const char *type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type");
    if (framing == IV_FRAMING_EMPTY) {
        return true;
    }
    if (framing == IV_FRAMING_MALFORMED) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "a header's name holds what no name does");
    } else if (framing == IV_FRAMING_HOSTS) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "a request has one Host");
    } else if (!takes_body) {
        iv_reply_problem(reply, MHD_HTTP_CONTENT_TOO_LARGE, "no body is taken here");
    } else if (framing == IV_FRAMING_AMBIGUOUS) {
        iv_reply_problem(reply, MHD_HTTP_LENGTH_REQUIRED,
                         "a body is announced by one Content-Length, and by nothing else");
    } else if (framing == IV_FRAMING_TOO_LARGE) {
        iv_reply_problem(reply, MHD_HTTP_CONTENT_TOO_LARGE, "a body has at most %d bytes", IV_BODY_BYTES_MAX);
    } else if (!iv_framing_is_json(type)) {
        iv_reply_problem(reply, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "a body is application/json");
    } else {
        return true;
    }
    return false;
}
