/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of the process's own, for the demo and for what must lie in files to be read; gone with all that
 * is in it when it is removed. */
#pragma once

#include "base/err.h"

struct iv_own_folder {
    char path[256]; /* empty: there is none */
};

iv_rc iv_own_folder_make(struct iv_own_folder *out, struct iv_err *err);
void iv_own_folder_remove(struct iv_own_folder *folder);
