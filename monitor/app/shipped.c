/* SPDX-License-Identifier: Apache-2.0 */
#include "app/shipped.h"
#include "base/file.h"
#include "base/guard.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define BASELINE "rules/baseline.yaml"
#define PATH_MAX_BYTES 4096
#define BASELINE_MAX_BYTES ((size_t)1 << 20)

static iv_rc make_folder(const char *path, struct iv_err *err)
{
    ENSURE(mkdir(path, 0755) == 0 || errno == EEXIST, err, IV_E_IO, "cannot make the folder '%s': %s", path,
           strerror(errno));
    return IV_OK;
}

/* Where a shipped file goes: packs and playbooks stand beside the baseline. */
static iv_rc place_of(char out[PATH_MAX_BYTES], const char *folder, const char *path, struct iv_err *err)
{
    static const char rules[] = "rules/";
    const char *below = strncmp(path, rules, sizeof rules - 1) == 0 ? path + sizeof rules - 1 : path;
    int n = snprintf(out, PATH_MAX_BYTES, "%s/%s", folder, below);
    ENSURE(n > 0 && n < PATH_MAX_BYTES, err, IV_E_REFUSED, "the path of '%s' is too long", folder);
    return IV_OK;
}

/* Replaces the one line of text that begins with "beginning" by other text. */
static iv_rc replace_line(struct iv_buf *out, struct iv_str text, const char *beginning, struct iv_str by,
                          struct iv_err *err)
{
    size_t n = strlen(beginning);
    for (size_t at = 0; at + n <= text.n;) {
        const char *end = memchr(text.p + at, '\n', text.n - at);
        size_t next = end == NULL ? text.n : (size_t)(end - text.p) + 1;
        if (memcmp(text.p + at, beginning, n) == 0) {
            iv_buf_add(out, text.p, at);
            iv_buf_str(out, by);
            iv_buf_add(out, text.p + next, text.n - next);
            return IV_OK;
        }
        at = next;
    }
    return iv_err_set(err, IV_E_STATE, "the shipped baseline has no line that begins with '%s'", beginning);
}

static iv_rc write_baseline(const char *path, const struct iv_shipped_file *file, struct iv_str keys,
                            struct iv_err *err)
{
    struct iv_buf whole;
    iv_buf_init(&whole, BASELINE_MAX_BYTES);
    struct iv_rc_s rc = replace_line(&whole, (struct iv_str){file->bytes, file->n},
                                     "playbooks:", IV_STR("playbooks: [remediations/*.yaml]\n"), err);
    iv_buf_char(&whole, '\n');
    iv_buf_str(&whole, keys);
    if (iv_ok(rc)) {
        rc = iv_file_create(path, 0644, iv_buf_slice(&whole), err);
    }
    iv_buf_deinit(&whole);
    return rc;
}

iv_rc iv_shipped_write(const char *folder, struct iv_str keys_yaml, struct iv_err *err)
{
    char path[PATH_MAX_BYTES];
    static const char *const folders[] = {"", "rules/packs", "rules/canary", "remediations"};
    for (size_t i = 0; i < IV_COUNT(folders); i++) {
        TRY(place_of(path, folder, folders[i], err));
        TRY(make_folder(path, err));
    }
    for (size_t i = 0; i < iv_shipped_files_count; i++) {
        const struct iv_shipped_file *file = &iv_shipped_files[i];
        TRY(place_of(path, folder, file->path, err));
        if (strcmp(file->path, BASELINE) == 0) {
            TRY(write_baseline(path, file, keys_yaml, err));
        } else {
            TRY(iv_file_create(path, 0644, (struct iv_str){file->bytes, file->n}, err));
        }
    }
    return IV_OK;
}
