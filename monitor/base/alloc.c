/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static atomic_uint_fast64_t calls;

#ifdef IV_FAULT_POINTS

#define UNREAD UINT64_MAX
#define NEVER (UINT64_MAX - 1)

/* The calls that fail, by their number in this process: from the first to the last. */
static atomic_uint_fast64_t first_to_fail = UNREAD;
static atomic_uint_fast64_t last_to_fail;

static void plan(uint64_t first, uint64_t last)
{
    atomic_store_explicit(&last_to_fail, last, memory_order_relaxed);
    atomic_store_explicit(&first_to_fail, first, memory_order_relaxed);
}

/* Once: the variable is set before the process starts. */
static void read_environment(void)
{
    const char *text = getenv("IV_FAULT_ALLOC");
    char *end = NULL;
    uint64_t n = text == NULL ? 0 : strtoull(text, &end, 10);
    plan(n == 0 ? NEVER : n, end != NULL && *end == '+' ? UINT64_MAX : n);
}

void iv_alloc_fail(uint64_t nth, bool lasting)
{
    uint64_t at = iv_alloc_calls() + nth;
    plan(nth == 0 ? NEVER : at, lasting ? UINT64_MAX : at);
}

bool iv_alloc_failed(void)
{
    return iv_alloc_calls() >= atomic_load_explicit(&first_to_fail, memory_order_relaxed);
}

static bool is_to_fail(uint64_t n)
{
    if (atomic_load_explicit(&first_to_fail, memory_order_relaxed) == UNREAD) {
        read_environment();
    }
    return n >= atomic_load_explicit(&first_to_fail, memory_order_relaxed) &&
           n <= atomic_load_explicit(&last_to_fail, memory_order_relaxed);
}

#else
#define is_to_fail(n) (false)
#endif

static bool may_allocate(void)
{
    uint64_t n = atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed) + 1;
    return !is_to_fail(n);
}

#ifdef IV_FAULT_POINTS
bool iv_alloc_may(void)
{
    return may_allocate();
}
#endif

void *iv_malloc(size_t bytes)
{
    return may_allocate() ? malloc(bytes == 0 ? 1 : bytes) : NULL;
}

void *iv_calloc(size_t count, size_t size)
{
    return may_allocate() ? calloc(count == 0 ? 1 : count, size == 0 ? 1 : size) : NULL;
}

void *iv_realloc(void *p, size_t bytes)
{
    return may_allocate() ? realloc(p, bytes == 0 ? 1 : bytes) : NULL;
}

void *iv_malloc_aligned(size_t alignment, size_t bytes)
{
    return may_allocate() ? aligned_alloc(alignment, bytes) : NULL;
}

void iv_free(void *p)
{
    free(p);
}

char *iv_strndup(const char *p, size_t n)
{
    char *copy = iv_malloc(n + 1);
    if (copy != NULL) {
        if (n > 0) {
            memcpy(copy, p, n);
        }
        copy[n] = '\0';
    }
    return copy;
}

void iv_freep(void *pointer_to_pointer)
{
    void *p = NULL;
    memcpy(&p, pointer_to_pointer, sizeof p);
    iv_free(p);
}

uint64_t iv_alloc_calls(void)
{
    return atomic_load_explicit(&calls, memory_order_relaxed);
}
