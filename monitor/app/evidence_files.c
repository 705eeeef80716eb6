/* SPDX-License-Identifier: Apache-2.0 */
#include "app/evidence_files.h"

#include "app/own_folder.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/guard.h"
#include "event/decode.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A baseline may name files beside its folder ("../remediations/…"), so its folder lies some levels deep, and
 * no path may lead further up. */
#define LEVELS "/1/2/3/4/"
#define LEVEL_COUNT 4
#define FILE_MODE 0600
#define FOLDER_MODE 0700

/* Up at its beginning, and only so far; nowhere else. */
static bool stays_inside(struct iv_str path)
{
    size_t ups = 0;
    bool leading = true;
    for (size_t at = 0; at <= path.n;) {
        const char *slash = memchr(path.p + at, '/', path.n - at);
        size_t n = slash == NULL ? path.n - at : (size_t)(slash - path.p) - at;
        struct iv_str part = {path.p + at, n};
        bool up = iv_str_eq(part, IV_STR(".."));
        if (n == 0 || iv_str_eq(part, IV_STR(".")) || (up && (!leading || ++ups > LEVEL_COUNT)) ||
            memchr(part.p, '\0', n) != NULL) {
            return false;
        }
        leading = up;
        at += n + 1;
    }
    return true;
}

/* The folders on the way to the last slash. */
static iv_rc make_folders(char *path, size_t from, struct iv_err *err)
{
    for (char *p = path + from; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        int made = mkdir(path, FOLDER_MODE);
        ENSURE(made == 0 || errno == EEXIST, err, IV_E_IO, "cannot make the folder '%s': %s", path,
               strerror(errno));
        *p = '/';
    }
    return IV_OK;
}

static iv_rc write_file(const struct iv_own_folder *folder, const struct iv_val *file, struct iv_err *err)
{
    const struct iv_val path_name = iv_val_str(IV_STR("path"));
    const struct iv_val text_name = iv_val_str(IV_STR("text"));
    const struct iv_val *name = file->kind == IV_KIND_MAP ? iv_val_map_get(file, &path_name) : NULL;
    const struct iv_val *text = file->kind == IV_KIND_MAP ? iv_val_map_get(file, &text_name) : NULL;
    char path[PATH_MAX];
    ENSURE(name != NULL && name->kind == IV_KIND_STRING && text != NULL && text->kind == IV_KIND_STRING, err,
           IV_E_REFUSED, "a file of the baseline lacks its path or its text");
    struct iv_str relative = iv_val_slice(*name);
    ENSURE(stays_inside(relative), err, IV_E_REFUSED,
           "the baseline's file '" IV_STR_FMT "' lies elsewhere, where it cannot be put here",
           IV_STR_ARG(relative));
    int n = snprintf(path, sizeof path, "%s" LEVELS IV_STR_FMT, folder->path, IV_STR_ARG(relative));
    ENSURE(n > 0 && (size_t)n < sizeof path, err, IV_E_REFUSED, "the path of a baseline's file is too long");
    TRY(make_folders(path, strlen(folder->path) + 1, err));
    return iv_file_create(path, FILE_MODE, iv_val_slice(*text), err);
}

static iv_rc load(struct iv_baseline **out, const struct iv_own_folder *folder, struct iv_str digest,
                  struct iv_err *err)
{
    char path[PATH_MAX];
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *baseline = NULL;
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    (void)snprintf(path, sizeof path, "%s" LEVELS, folder->path);
    TRY(iv_problems_new(&problems, err));
    TRY(iv_baseline_load_unsigned(&baseline, iv_str_of(path), problems, err));
    ENSURE(iv_str_eq(iv_str_of(baseline->digest_hex), digest), err, IV_E_REFUSED,
           "the baseline's files have another digest here: %.16s…, and the log names " IV_STR_FMT,
           baseline->digest_hex, IV_STR_ARG(digest));
    *out = TAKE(baseline);
    return IV_OK;
}

static iv_rc write_and_load(struct iv_baseline **out, const struct iv_own_folder *folder,
                            const struct iv_val *files, struct iv_str digest, struct iv_err *err)
{
    ENSURE(files != NULL && files->kind == IV_KIND_LIST, err, IV_E_REFUSED, "the baseline has no files");
    for (uint32_t i = 0; i < files->n; i++) {
        TRY(write_file(folder, &files->items[i], err));
    }
    return load(out, folder, digest, err);
}

iv_rc iv_evidence_baseline(struct iv_baseline **out, struct iv_decoder *decoder, struct iv_str document,
                           struct iv_str digest, struct iv_err *err)
{
    const struct iv_json_options strict = {.lenient_members = false};
    const struct iv_val name = iv_val_str(IV_STR("files"));
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    IV_AUTO(iv_own_folder_remove) struct iv_own_folder folder = {.path = ""};
    struct iv_val all;
    iv_arena_init(&arena, 0);
    TRY(iv_json_parse(decoder, document, &strict, &arena, &all, err));
    const struct iv_val *files = all.kind == IV_KIND_MAP ? iv_val_map_get(&all, &name) : NULL;
    TRY(iv_own_folder_make(&folder, err));
    return write_and_load(out, &folder, files, digest, err);
}
