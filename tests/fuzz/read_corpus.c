/* SPDX-License-Identifier: Apache-2.0 */
/* FOLDER...: gives each file of the folders to the target. It stands in for libFuzzer's own main, so that the
 * corpora are tests like any other, under any compiler. */
#include "target.h"

#include "base/alloc.h"

#include <dirent.h>
#include <stdio.h>

static void read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    IV_CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0);
    long end = ftell(file);
    IV_CHECK(end >= 0 && fseek(file, 0, SEEK_SET) == 0);
    size_t n = (size_t)end;
    uint8_t *bytes = iv_malloc(n == 0 ? 1 : n);
    IV_CHECK(bytes != NULL && fread(bytes, 1, n, file) == n);
    (void)fclose(file);
    IV_CHECK(LLVMFuzzerTestOneInput(bytes, n) == 0);
    iv_free(bytes);
}

int main(int argc, char **argv)
{
    size_t count = 0;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        IV_CHECK(folder != NULL);
        for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
            char path[4096];
            if (entry->d_name[0] != '.') {
                (void)snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
                (void)fprintf(stderr, "%s\n", entry->d_name);
                read_file(path);
                count++;
            }
        }
        (void)closedir(folder);
    }
    printf("%zu inputs read\n", count);
    return count > 0 ? 0 : 1;
}
