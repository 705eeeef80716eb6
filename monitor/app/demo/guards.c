/* SPDX-License-Identifier: Apache-2.0 */
#include "app/demo/guards.h"
#include "app/shipped.h"
#include "base/file.h"
#include "base/guard.h"

#include <stdio.h>
#include <string.h>

#define PLAYBOOK_MAX_BYTES ((size_t)1 << 20)
#define PATH_MAX_BYTES 4096

static bool begins(struct iv_str line, const char *with)
{
    size_t n = strlen(with);
    return line.n >= n && memcmp(line.p, with, n) == 0;
}

static bool has_share(struct iv_str line)
{
    bool of_some =
        begins(line, "  agents: {") || begins(line, "  tenants: {") || begins(line, "  enclaves: {");
    return of_some && line.p[line.n - 1] == '}' && memmem(line.p, line.n, "share:", 6) == NULL;
}

static void write_line(struct iv_buf *out, struct iv_str line)
{
    if (has_share(line)) {
        iv_buf_add(out, line.p, line.n - 1);
        iv_buf_text(out, ", share: 1}");
    } else {
        iv_buf_str(out, line);
    }
}

static void write_playbook(struct iv_buf *out, const struct iv_shipped_file *file)
{
    for (size_t at = 0; at < file->n;) {
        const char *end = memchr(file->bytes + at, '\n', file->n - at);
        struct iv_str line = {file->bytes + at,
                              end == NULL ? file->n - at : (size_t)(end - file->bytes) - at};
        write_line(out, line);
        iv_buf_char(out, '\n');
        at += line.n + 1;
    }
}

static iv_rc replace(const char *folder, const struct iv_shipped_file *file, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    char path[PATH_MAX_BYTES];
    iv_buf_init(&text, PLAYBOOK_MAX_BYTES);
    int n = snprintf(path, sizeof path, "%s/%s", folder, file->path);
    ENSURE(n > 0 && n < PATH_MAX_BYTES, err, IV_E_REFUSED, "the path of '%s' is too long", folder);
    write_playbook(&text, file);
    TRY(iv_buf_check(&text, "a shipped playbook", err));
    return iv_file_replace(path, 0644, iv_buf_slice(&text), err);
}

iv_rc iv_demo_guards(const char *folder, struct iv_err *err)
{
    for (size_t i = 0; i < iv_shipped_files_count; i++) {
        if (begins(iv_str_of(iv_shipped_files[i].path), "remediations/")) {
            TRY(replace(folder, &iv_shipped_files[i], err));
        }
    }
    return IV_OK;
}
