/* SPDX-License-Identifier: Apache-2.0 */
#include "console/uses.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "base/log.h"
#include "console/change.h"

enum { USES_MAX = 256 };

struct use {
    unsigned char digest[IV_KEY_DIGEST_BYTES];
    iv_ns at; /* 0: free */
};

struct iv_uses {
    pthread_mutex_t lock;
    struct use all[USES_MAX];
};

iv_rc iv_uses_new(struct iv_uses **out, struct iv_err *err)
{
    struct iv_uses *uses = iv_calloc(1, sizeof *uses);
    ENSURE(uses != NULL, err, IV_E_NOMEM, "cannot allocate the uses of sessions");
    (void)pthread_mutex_init(&uses->lock, NULL);
    *out = uses;
    return IV_OK;
}

void iv_uses_free(struct iv_uses *uses)
{
    if (uses != NULL) {
        (void)pthread_mutex_destroy(&uses->lock);
        iv_free(uses);
    }
}

/* Of this session, or the first that is free; NULL: there is neither. */
static struct use *place_of(struct iv_uses *uses, const unsigned char digest[IV_KEY_DIGEST_BYTES])
{
    struct use *place = NULL;
    for (size_t i = 0; i < USES_MAX; i++) {
        struct use *use = &uses->all[i];
        if (use->at != 0 && memcmp(use->digest, digest, IV_KEY_DIGEST_BYTES) == 0) {
            return use;
        }
        place = place == NULL && use->at == 0 ? use : place;
    }
    return place;
}

void iv_uses_note(struct iv_uses *uses, const unsigned char digest[IV_KEY_DIGEST_BYTES], iv_ns now)
{
    (void)pthread_mutex_lock(&uses->lock);
    struct use *use = place_of(uses, digest);
    if (use != NULL) {
        memcpy(use->digest, digest, IV_KEY_DIGEST_BYTES);
        use->at = now;
    }
    (void)pthread_mutex_unlock(&uses->lock);
}

iv_ns iv_uses_of(struct iv_uses *uses, const unsigned char digest[IV_KEY_DIGEST_BYTES])
{
    (void)pthread_mutex_lock(&uses->lock);
    const struct use *use = place_of(uses, digest);
    iv_ns at = use == NULL ? 0 : use->at;
    (void)pthread_mutex_unlock(&uses->lock);
    return at;
}

struct flushing {
    struct use all[USES_MAX];
    size_t count;
};

static iv_rc write_all(struct iv_store *store, void *ctx, struct iv_err *err)
{
    const struct flushing *f = ctx;
    for (size_t i = 0; i < f->count; i++) {
        struct iv_session session = {.used = f->all[i].at};
        memcpy(session.digest, f->all[i].digest, sizeof session.digest);
        TRY(iv_store_use_session(store, &session, err));
    }
    return IV_OK;
}

static void collect(struct flushing *f, struct iv_uses *uses)
{
    (void)pthread_mutex_lock(&uses->lock);
    for (size_t i = 0; i < USES_MAX; i++) {
        if (uses->all[i].at != 0) {
            f->all[f->count++] = uses->all[i];
        }
    }
    (void)pthread_mutex_unlock(&uses->lock);
}

/* What was used again meanwhile stays. */
static void forget(struct iv_uses *uses, const struct flushing *f)
{
    (void)pthread_mutex_lock(&uses->lock);
    for (size_t i = 0; i < f->count; i++) {
        struct use *use = place_of(uses, f->all[i].digest);
        if (use != NULL && use->at == f->all[i].at) {
            use->at = 0;
        }
    }
    (void)pthread_mutex_unlock(&uses->lock);
}

void iv_uses_flush(struct iv_console *console)
{
    struct flushing f = {.count = 0};
    struct iv_err err = {.text = ""};
    collect(&f, console->uses);
    if (f.count == 0) {
        return;
    }
    struct iv_rc_s rc = iv_change_quietly(console, write_all, &f, &err);
    if (iv_ok(rc)) {
        forget(console->uses, &f);
    } else if (iv_code_class(rc.code) != IV_CLASS_RETRY) {
        LOG_WARN("console.access.failed", KV_TEXT("why", err.text));
    }
}
