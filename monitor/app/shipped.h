/* SPDX-License-Identifier: Apache-2.0 */
/* The baseline and the playbooks that ship, inside the program: for the demo and the simulator, wherever
 * they run.
 * Source: rules/ and remediations/ of this project, as they were at build time. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>

struct iv_shipped_file {
    const char *path; /* "rules/packs/tokens.yaml" */
    const char *bytes;
    size_t n;
};

extern const struct iv_shipped_file iv_shipped_files[];
extern const size_t iv_shipped_files_count;

/* Writes the shipped baseline into a folder, which is made where it is missing: baseline.yaml with these keys
 * (YAML, "keys:\n- {…}") in the place of its own, packs/, canary/ and remediations/. IV_E_REFUSED: a file is
 * there already. */
iv_rc iv_shipped_write(const char *folder, struct iv_str keys_yaml, struct iv_err *err);
