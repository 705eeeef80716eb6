/* SPDX-License-Identifier: Apache-2.0 */
#include "console/readers.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <pthread.h>

struct iv_readers {
    pthread_mutex_t lock;
    pthread_cond_t returned;
    iv_ns within;
    size_t count; /* opened */
    size_t idle;  /* the first of all are here */
    struct iv_reader *all[];
};

iv_rc iv_readers_new(struct iv_readers **out, struct iv_str store_path, size_t count, iv_ns within,
                     struct iv_err *err)
{
    struct iv_readers *r = iv_calloc(1, sizeof *r + count * sizeof r->all[0]);
    ENSURE(r != NULL, err, IV_E_NOMEM, "cannot allocate the console's readers");
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_cond_init(&r->returned, NULL);
    r->within = within;
    while (r->count < count) {
        struct iv_rc_s rc = iv_reader_open(&r->all[r->count], store_path, err);
        if (!iv_ok(rc)) {
            iv_readers_free(r);
            return rc;
        }
        r->count++;
        r->idle++;
    }
    *out = r;
    return IV_OK;
}

void iv_readers_free(struct iv_readers *readers)
{
    if (readers == NULL) {
        return;
    }
    IV_CHECK(readers->idle == readers->count);
    for (size_t i = 0; i < readers->count; i++) {
        iv_reader_close(readers->all[i]);
    }
    (void)pthread_cond_destroy(&readers->returned);
    (void)pthread_mutex_destroy(&readers->lock);
    iv_free(readers);
}

struct iv_reader *iv_readers_borrow(struct iv_readers *readers)
{
    (void)pthread_mutex_lock(&readers->lock);
    while (readers->idle == 0) {
        (void)pthread_cond_wait(&readers->returned, &readers->lock);
    }
    struct iv_reader *reader = readers->all[--readers->idle];
    (void)pthread_mutex_unlock(&readers->lock);
    iv_reader_within(reader, readers->within);
    return reader;
}

void iv_readers_return(struct iv_readers *readers, struct iv_reader *reader)
{
    (void)pthread_mutex_lock(&readers->lock);
    readers->all[readers->idle++] = reader;
    (void)pthread_cond_signal(&readers->returned);
    (void)pthread_mutex_unlock(&readers->lock);
}
