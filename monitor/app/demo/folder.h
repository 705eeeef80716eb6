/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of the demo's own, gone when the demo is. */
#pragma once

#include "base/err.h"

struct iv_demo_folder {
    char path[256]; /* empty: there is none */
};

iv_rc iv_demo_folder_make(struct iv_demo_folder *out, struct iv_err *err);
void iv_demo_folder_remove(struct iv_demo_folder *folder);
