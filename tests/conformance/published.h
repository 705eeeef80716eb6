/* SPDX-License-Identifier: Apache-2.0 */
/* Test data that others published, read from where the project finds it. A test that cannot find it says so
 * and is skipped; where CI is set in the environment it fails instead. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define PUBLISHED_DIR IV_SHARED_DIR "/conformance/"

static inline bool published_is_there(const char *folder)
{
    char path[4096];
    (void)snprintf(path, sizeof path, PUBLISHED_DIR "%s", folder);
    DIR *dir = opendir(path);
    if (dir != NULL) {
        (void)closedir(dir);
        return true;
    }
    cr_assert(getenv("CI") == NULL, "%s is not there", path);
    (void)fprintf(stderr, "skipped: %s is not there\n", path);
    return false;
}

/* The file's bytes in a heap block of their own size, so that the sanitizer sees every read behind them. */
static inline struct iv_str published_file(const char *folder, const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof path, PUBLISHED_DIR "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    cr_assert(file != NULL, "cannot open %s", path);
    cr_assert(fseek(file, 0, SEEK_END) == 0);
    size_t n = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(n == 0 ? 1 : n);
    cr_assert(bytes != NULL && fread(bytes, 1, n, file) == n);
    (void)fclose(file);
    return (struct iv_str){bytes, n};
}

static inline void published_free(struct iv_str text)
{
    void *p = NULL;
    memcpy(&p, &text.p, sizeof p);
    free(p);
}

/* Calls the function for each file of the folder; answers how many there are. */
static inline size_t published_each(const char *folder,
                                    void (*each)(void *ctx, const char *name, struct iv_str text), void *ctx)
{
    char path[4096];
    (void)snprintf(path, sizeof path, PUBLISHED_DIR "%s", folder);
    DIR *dir = opendir(path);
    cr_assert(dir != NULL);
    size_t count = 0;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] != '.') {
            struct iv_str text = published_file(folder, entry->d_name);
            each(ctx, entry->d_name, text);
            published_free(text);
            count++;
        }
    }
    (void)closedir(dir);
    return count;
}
