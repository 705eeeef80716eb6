/* SPDX-License-Identifier: Apache-2.0 */
#include "console/origin.h"

#include "base/guard.h"
#include "console/framing.h"

#include <strings.h>

/* HTTP/1.0 may come without Host; browsers always send it. */
bool iv_origin_host_is_ours(struct iv_request *request)
{
    const char *header = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Host");
    if (header == NULL) {
        return true;
    }
    struct iv_str host = iv_str_of(header);
    const char *colon = strrchr(header, ':');
    if (colon != NULL && strchr(colon, ']') == NULL) {
        host.n = (size_t)(colon - header);
    }
    const struct iv_str ours[] = {IV_STR("localhost"), IV_STR("127.0.0.1"), IV_STR("[::1]"),
                                  iv_str_of(request->console->host)};
    for (size_t i = 0; i < IV_COUNT(ours); i++) {
        if (host.n == ours[i].n && strncasecmp(host.p, ours[i].p, host.n) == 0) {
            return true;
        }
    }
    return false;
}

static const char *header(struct iv_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* "https://name:port" of a page, against the Host that it asked. Where there is no TLS here, a proxy may have
 * it. */
static bool origin_is_host(const char *origin, const char *host, bool tls)
{
    bool https = strncasecmp(origin, "https://", 8) == 0;
    bool http = !tls && strncasecmp(origin, "http://", 7) == 0;
    return (https || http) && host != NULL && strcasecmp(origin + (https ? 8 : 7), host) == 0;
}

bool iv_origin_is_same(struct iv_request *request)
{
    const char *site = header(request, "Sec-Fetch-Site");
    if (site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0) {
        return false;
    }
    const char *origin = header(request, "Origin");
    return origin == NULL ||
           origin_is_host(origin, header(request, "Host"), request->console->certificate.n > 0);
}

bool iv_origin_is_on_purpose(struct iv_request *request)
{
    const char *site = header(request, "Sec-Fetch-Site");
    return strcmp(request->method, MHD_HTTP_METHOD_POST) != 0 || header(request, "X-CSRF-Token") != NULL ||
           (site != NULL && strcmp(site, "same-origin") == 0) ||
           iv_framing_is_json(header(request, "Content-Type"));
}
