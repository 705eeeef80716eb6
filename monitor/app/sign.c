/* SPDX-License-Identifier: Apache-2.0 */
#include "event/sign.h"
#include "app/command.h"
#include "app/signer_file.h"
#include "base/file.h"
#include "base/guard.h"
#include "daemon/load.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#define SIGNATURE_MAX_BYTES 4096

struct sign_args {
    const char *key;
    const char *id;
};

static iv_rc load_unsigned(struct iv_baseline **out, const char *path, struct iv_err *err)
{
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    TRY(iv_problems_new(&problems, err));
    struct iv_rc_s rc = iv_baseline_load_unsigned(out, iv_str_of(path), problems, err);
    iv_print_problems(problems);
    return rc;
}

/* A signature by a key that the baseline does not have would only be found out when somebody loads it. */
static iv_rc check_key(const struct iv_baseline *baseline, const char *id, const struct iv_signer *signer,
                       struct iv_err *err)
{
    unsigned char key[32];
    iv_signer_public_bytes(key, signer);
    ENSURE(iv_keyring_has(baseline->keyring, iv_str_of(id), IV_STR("policy"), key), err, IV_E_REFUSED,
           "the baseline's keys: have no '%s' of the role 'policy' with this public key", id);
    return IV_OK;
}

/* baseline.sig stands beside baseline.yaml, whether the folder or the file was named. */
static iv_rc signature_path(char out[PATH_MAX], const char *path, struct iv_err *err)
{
    struct stat info;
    const char *slash = strrchr(path, '/');
    bool folder = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    size_t length = folder ? strlen(path) : slash == NULL ? 0 : (size_t)(slash - path);
    const char *between = folder || slash != NULL ? "/" : "";
    int n = snprintf(out, PATH_MAX, "%.*s%sbaseline.sig", (int)length, path, between);
    ENSURE(n > 0 && n < PATH_MAX, err, IV_E_REFUSED, "the path '%s' is too long", path);
    return IV_OK;
}

static iv_rc sign(const struct sign_args *a, const char *path, struct iv_err *err)
{
    IV_AUTO(iv_signer_freep) struct iv_signer *signer = NULL;
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *baseline = NULL;
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    char target[PATH_MAX];
    iv_buf_init(&text, SIGNATURE_MAX_BYTES);
    TRY(iv_signer_read(&signer, a->key, err));
    TRY(load_unsigned(&baseline, path, err));
    TRY(check_key(baseline, a->id, signer, err));
    TRY(iv_baseline_sign(&text, baseline, iv_str_of(a->id), signer, err));
    TRY(signature_path(target, path, err));
    TRY(iv_file_replace(target, 0644, iv_buf_slice(&text), err));
    printf("%s signs %s\n", target, baseline->digest_hex);
    return IV_OK;
}

static int sign_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    struct iv_rc_s rc = sign(args, words->items[0], err);
    return iv_ok(rc) ? IV_EXIT_DONE : iv_exit_of(rc);
}

static const struct iv_flag sign_flags[] = {
    {.name = "key",
     .kind = IV_FLAG_TEXT,
     .value = "FILE",
     .offset = offsetof(struct sign_args, key),
     .required = true,
     .doc = "The private key, as 'invigil keygen' wrote it."},
    {.name = "id",
     .kind = IV_FLAG_TEXT,
     .value = "ID",
     .offset = offsetof(struct sign_args, id),
     .required = true,
     .doc = "The key's id in the baseline's keys:, with the role 'policy'."},
};

const struct iv_command iv_command_sign = {
    .name = "sign",
    .synopsis = "BASELINE --key FILE --id ID",
    .doc = "Signs a baseline: writes baseline.sig beside its baseline.yaml.",
    .details = "With 'authority: [ID]' in it, a baseline is accepted only with that signature.",
    .flags = sign_flags,
    .flag_count = IV_COUNT(sign_flags),
    .args_size = sizeof(struct sign_args),
    .min_words = 1,
    .max_words = 1,
    .run = sign_run,
};
