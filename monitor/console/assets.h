/* SPDX-License-Identifier: Apache-2.0 */
/* The page's files, embedded at build time by embed.py (or one line of text where the page was not built). */
#pragma once

#include "base/str.h"

#include <stdbool.h>

struct iv_asset {
    struct iv_str path; /* "/", "/assets/index-1a2b3c.js" */
    const char *type;
    const char *tag; /* ETag, quoted */
    bool hashed;     /* its name changes with its content, so it may be kept for ever */
    struct iv_str plain;
    struct iv_str gzip; /* p NULL: no smaller than plain */
};

extern const struct iv_asset iv_assets[];
extern const unsigned long iv_assets_count;
