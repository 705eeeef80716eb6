/* SPDX-License-Identifier: Apache-2.0 */
/* A folder for one test, gone when it ends: IV_AUTO(scratch_remove) struct scratch dir = scratch_make(); */
#pragma once

#include "base/str.h"

struct scratch {
    char path[64];
};

struct scratch scratch_make(void);
void scratch_remove(struct scratch *dir); /* with the files in it */
/* The path of a file in it; valid until the next call. */
struct iv_str scratch_file(const struct scratch *dir, const char *name);
void scratch_write(const struct scratch *dir, const char *name, struct iv_str bytes);
