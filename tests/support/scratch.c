/* SPDX-License-Identifier: Apache-2.0 */
#include "support/scratch.h"

#include "base/guard.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct scratch scratch_make(void)
{
    struct scratch dir;
    (void)snprintf(dir.path, sizeof dir.path, "/tmp/invigil-test-XXXXXX");
    IV_CHECK(mkdtemp(dir.path) != NULL);
    return dir;
}

struct iv_str scratch_file(const struct scratch *dir, const char *name)
{
    static char path[512];
    int n = snprintf(path, sizeof path, "%s/%s", dir->path, name);
    return (struct iv_str){path, (size_t)n};
}

void scratch_remove(struct scratch *dir)
{
    DIR *d = opendir(dir->path);
    for (struct dirent *e = d == NULL ? NULL : readdir(d); e != NULL; e = readdir(d)) {
        (void)unlink(scratch_file(dir, e->d_name).p);
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    (void)rmdir(dir->path);
}

void scratch_write(const struct scratch *dir, const char *name, struct iv_str bytes)
{
    FILE *f = fopen(scratch_file(dir, name).p, "wb");
    IV_CHECK(f != NULL && fwrite(bytes.p, 1, bytes.n, f) == bytes.n);
    IV_CHECK(fclose(f) == 0);
}
