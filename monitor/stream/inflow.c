/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/inflow.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct iv_inflow_kind *const kinds[] = {
#define INFLOW(name) &iv_inflow_##name,
#include "stream/inflow_kinds.def"
#undef INFLOW
};

iv_rc iv_raw_read(struct iv_raw *raw, void *p, size_t n, size_t *out, struct iv_err *err)
{
    ssize_t got;
    do {
        got = read(raw->fd, p, n);
    } while (got < 0 && errno == EINTR);
    ENSURE(got >= 0, err, IV_E_IO, "cannot read '%s' at byte %lld: %s", raw->path, (long long)raw->consumed,
           strerror(errno));
    raw->consumed += got;
    *out = (size_t)got;
    return IV_OK;
}

static bool ends_with(const char *text, const char *suffix)
{
    size_t n = strlen(text);
    size_t m = strlen(suffix);
    return n >= m && memcmp(text + n - m, suffix, m) == 0;
}

static iv_rc open_raw(struct iv_raw *raw, const char *path, struct iv_err *err)
{
    if (strcmp(path, "-") == 0) {
        raw->fd = STDIN_FILENO;
        return IV_OK;
    }
    raw->fd = open(path, O_RDONLY | O_CLOEXEC);
    ENSURE(raw->fd >= 0, err, IV_E_IO, "cannot open '%s': %s", path, strerror(errno));
    struct stat st;
    if (fstat(raw->fd, &st) == 0) {
        ENSURE(!S_ISDIR(st.st_mode), err, IV_E_IO, "'%s' is a folder, must be a file of events", path);
        raw->size = S_ISREG(st.st_mode) ? st.st_size : -1;
    }
    return IV_OK;
}

iv_rc iv_inflow_open(struct iv_inflow *out, const char *path, struct iv_err *err)
{
    *out = (struct iv_inflow){.raw = {.fd = -1, .size = -1}};
    out->path = iv_strndup(path, strlen(path));
    ENSURE(out->path != NULL, err, IV_E_NOMEM, "cannot allocate the reader of '%s'", path);
    out->raw.path = strcmp(path, "-") == 0 ? "standard input" : out->path;
    TRY(open_raw(&out->raw, path, err));
    size_t k = 0;
    while (!ends_with(path, kinds[k]->suffix)) {
        k++;
    }
    out->kind = kinds[k];
    return out->kind->open == NULL ? IV_OK : out->kind->open(&out->state, path, err);
}

void iv_inflow_close(struct iv_inflow *inflow)
{
    if (inflow->state != NULL) {
        inflow->kind->close(inflow->state);
    }
    if (inflow->raw.fd > STDIN_FILENO) {
        (void)close(inflow->raw.fd);
    }
    iv_free(inflow->path);
    *inflow = (struct iv_inflow){.raw = {.fd = -1, .size = -1}};
}

static iv_rc plain_read(void *state, struct iv_raw *raw, void *p, size_t n, size_t *out, struct iv_err *err)
{
    (void)state;
    return iv_raw_read(raw, p, n, out, err);
}

const struct iv_inflow_kind iv_inflow_plain = {.suffix = "", .read = plain_read};
