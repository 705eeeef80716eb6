/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "base/encode.h"
#include "base/file.h"
#include "base/guard.h"
#include "event/sign.h"

#include <limits.h>
#include <stdio.h>

#define PEM_MAX_BYTES 4096
#define PRIVATE_MODE 0600
#define PUBLIC_MODE 0644

struct keygen_args {
    const char *out;
};

/* The private half first: if its file is there already, nothing has happened. */
static iv_rc write_pair(const struct iv_signer *signer, const char *path, struct iv_err *err)
{
    char public_path[PATH_MAX];
    int n = snprintf(public_path, sizeof public_path, "%s.pub", path);
    ENSURE(n > 0 && (size_t)n < sizeof public_path, err, IV_E_REFUSED, "the path '%s' is too long", path);
    IV_AUTO(iv_buf_wipe) struct iv_buf secret;
    IV_AUTO(iv_buf_deinit) struct iv_buf open;
    iv_buf_init(&secret, PEM_MAX_BYTES);
    iv_buf_init(&open, PEM_MAX_BYTES);
    TRY(iv_signer_private_pem(&secret, signer, err));
    TRY(iv_file_create(path, PRIVATE_MODE, iv_buf_slice(&secret), err));
    TRY(iv_signer_public_pem(&open, signer, err));
    return iv_file_create(public_path, PUBLIC_MODE, iv_buf_slice(&open), err);
}

static iv_rc generate(const struct keygen_args *a, struct iv_err *err)
{
    IV_AUTO(iv_signer_freep) struct iv_signer *signer = NULL;
    unsigned char key[32];
    IV_AUTO(iv_buf_deinit) struct iv_buf base64;
    iv_buf_init(&base64, PEM_MAX_BYTES);
    TRY(iv_signer_generate(&signer, err));
    TRY(write_pair(signer, a->out, err));
    iv_signer_public_bytes(key, signer);
    iv_base64_encode(&base64, (struct iv_str){(const char *)key, sizeof key});
    ENSURE(!iv_buf_failed(&base64), err, IV_E_NOMEM, "cannot print the public key");
    printf(IV_STR_FMT "\n", IV_STR_ARG(iv_buf_slice(&base64)));
    return IV_OK;
}

static int keygen_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    (void)words;
    struct iv_rc_s rc = generate(args, err);
    return iv_ok(rc) ? IV_EXIT_DONE : iv_exit_of(rc);
}

static const struct iv_flag keygen_flags[] = {
    {.name = "out",
     .kind = IV_FLAG_TEXT,
     .value = "FILE",
     .offset = offsetof(struct keygen_args, out),
     .required = true,
     .doc = "Where the private key goes, as PEM, for its owner only; the public one beside it as FILE.pub."},
};

const struct iv_command iv_command_keygen = {
    .name = "keygen",
    .synopsis = "--out FILE",
    .doc = "Makes an Ed25519 key pair.",
    .details =
        "Prints the public key as a baseline's keys: take it. Files that are there already stay as they are.",
    .flags = keygen_flags,
    .flag_count = IV_COUNT(keygen_flags),
    .args_size = sizeof(struct keygen_args),
    .run = keygen_run,
};
