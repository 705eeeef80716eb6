/* SPDX-License-Identifier: Apache-2.0 */
/* ThreadSanitizer knows POSIX threads only; the C library implements C11's by the same means underneath,
 * where it cannot look, and a thread of librdkafka that it does not know makes it crash. Preloaded, this
 * sends C11's calls through POSIX's, whose objects they share in glibc. Nothing of ours uses C11's threads.
 */
#define _GNU_SOURCE 1 /* the recursive initialiser */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "glibc's mutexes are one kind");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "glibc's conditions are one kind");

struct beginning {
    thrd_start_t run;
    void *argument;
};

static int said(int code)
{
    switch (code) {
    case 0:
        return thrd_success;
    case ENOMEM:
        return thrd_nomem;
    case ETIMEDOUT:
        return thrd_timedout;
    case EBUSY:
        return thrd_busy;
    default:
        return thrd_error;
    }
}

static void *begin(void *argument)
{
    struct beginning b = *(struct beginning *)argument;
    free(argument);
    return (void *)(intptr_t)b.run(b.argument);
}

int thrd_create(thrd_t *out, thrd_start_t run, void *argument)
{
    struct beginning *b = malloc(sizeof *b);
    if (b == NULL) {
        return thrd_nomem;
    }
    *b = (struct beginning){run, argument};
    int code = pthread_create((pthread_t *)out, NULL, begin, b);
    if (code != 0) {
        free(b);
    }
    return said(code);
}

int thrd_join(thrd_t thread, int *result)
{
    void *answer = NULL;
    int code = pthread_join((pthread_t)thread, &answer);
    if (result != NULL) {
        *result = (int)(intptr_t)answer;
    }
    return said(code);
}

int thrd_detach(thrd_t thread)
{
    return said(pthread_detach((pthread_t)thread));
}

/* Not by pthread_mutex_init: how the library hands a new lock on is not seen, and the call would count as a
 * write that races with its first use. */
int mtx_init(mtx_t *mutex, int type)
{
    static const pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
    static const pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    memcpy(mutex, (type & mtx_recursive) != 0 ? &recursive : &plain, sizeof *mutex);
    return thrd_success;
}

void mtx_destroy(mtx_t *mutex)
{
    (void)pthread_mutex_destroy((pthread_mutex_t *)mutex);
}

int mtx_lock(mtx_t *mutex)
{
    return said(pthread_mutex_lock((pthread_mutex_t *)mutex));
}

int mtx_trylock(mtx_t *mutex)
{
    return said(pthread_mutex_trylock((pthread_mutex_t *)mutex));
}

int mtx_unlock(mtx_t *mutex)
{
    return said(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

int cnd_init(cnd_t *condition)
{
    return said(pthread_cond_init((pthread_cond_t *)condition, NULL));
}

void cnd_destroy(cnd_t *condition)
{
    (void)pthread_cond_destroy((pthread_cond_t *)condition);
}

int cnd_signal(cnd_t *condition)
{
    return said(pthread_cond_signal((pthread_cond_t *)condition));
}

int cnd_broadcast(cnd_t *condition)
{
    return said(pthread_cond_broadcast((pthread_cond_t *)condition));
}

int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    return said(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until)
{
    return said(pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until));
}
