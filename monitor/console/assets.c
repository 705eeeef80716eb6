/* SPDX-License-Identifier: Apache-2.0 */
#include "console/assets.h"

#include "console/answer.h"

/* Every client of the page takes gzip; q=0 and the like come from nobody and get the plain bytes. */
static bool takes_gzip(struct iv_request *request)
{
    const char *header = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Accept-Encoding");
    return header != NULL && strstr(header, "gzip") != NULL && strstr(header, "q=0") == NULL;
}

/* A path is compared with the names that were embedded; no file system is asked, so there is nothing to
 * climb. */
bool iv_answer_file(struct iv_reply *reply, struct iv_request *request, struct iv_str path)
{
    for (unsigned long i = 0; i < iv_assets_count; i++) {
        const struct iv_asset *asset = &iv_assets[i];
        if (!iv_str_eq(asset->path, path)) {
            continue;
        }
        bool zipped = asset->gzip.p != NULL && takes_gzip(request);
        reply->status = MHD_HTTP_OK;
        reply->type = asset->type;
        reply->fixed = zipped ? asset->gzip : asset->plain;
        reply->encoding = zipped ? "gzip" : NULL;
        reply->fixed_tag = asset->tag;
        reply->cache_control = asset->hashed ? "public, max-age=31536000, immutable" : "no-cache";
        return true;
    }
    return false;
}
