/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static atomic_uint_fast64_t calls;

/* 0: no fault is planted. Read once: the variable is set before the process starts. */
static uint64_t fault_at(void)
{
    static atomic_uint_fast64_t at = UINT64_MAX;
    uint64_t n = atomic_load_explicit(&at, memory_order_relaxed);
    if (n == UINT64_MAX) {
        const char *text = getenv("IV_FAULT_ALLOC");
        n = text == NULL ? 0 : strtoull(text, NULL, 10);
        atomic_store_explicit(&at, n, memory_order_relaxed);
    }
    return n;
}

static bool may_allocate(void)
{
    uint64_t n = atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed) + 1;
    return n != fault_at();
}

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
