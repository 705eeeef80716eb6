/* SPDX-License-Identifier: Apache-2.0 */
#include "app/own_folder.h"
#include "base/guard.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

iv_rc iv_own_folder_make(struct iv_own_folder *out, struct iv_err *err)
{
    const char *parent = getenv("TMPDIR");
    struct iv_own_folder folder;
    int n = snprintf(folder.path, sizeof folder.path, "%s/invigil.XXXXXX", parent == NULL ? "/tmp" : parent);
    ENSURE(n > 0 && (size_t)n < sizeof folder.path, err, IV_E_REFUSED, "TMPDIR is too long");
    ENSURE(mkdtemp(folder.path) != NULL, err, IV_E_IO, "cannot make the folder '%s': %s", folder.path,
           strerror(errno));
    *out = folder;
    return IV_OK;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    (void)remove(path);
    return 0;
}

void iv_own_folder_remove(struct iv_own_folder *folder)
{
    if (folder->path[0] != '\0') {
        (void)nftw(folder->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        folder->path[0] = '\0';
    }
}
