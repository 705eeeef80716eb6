/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the place of the page where it was not built. */
#include "console/assets.h"

static const char text[] = "The console's page is not part of this build: npm was not there, or could not "
                           "fetch what the page is built with.\n"
                           "Install npm and build again. The API is served all the same: /api/v1/findings, "
                           "/api/v1/stream, /metrics.\n";

const struct iv_asset iv_assets[] = {
    {IV_STR_INIT("/"), "text/plain; charset=utf-8", "\"no-page\"", false, {text, sizeof text - 1}, {0, 0}},
};
const unsigned long iv_assets_count = 1;
