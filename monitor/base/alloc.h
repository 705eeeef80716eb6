/* SPDX-License-Identifier: Apache-2.0 */
/* The only place that allocates. Counts, so that tests can say "no allocation per event", and in builds with
 * IV_FAULT_POINTS (base/fault.h) fails on command, so that tests can fail every allocation in turn:
 * IV_FAULT_ALLOC=n in the environment has the n-th call of the process fail, n+ that and all later ones. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All answer NULL when memory is out. Zeroed: iv_calloc. */
void *iv_malloc(size_t bytes) __attribute__((malloc, warn_unused_result));
void *iv_calloc(size_t count, size_t size) __attribute__((malloc, warn_unused_result));
void *iv_realloc(void *p, size_t bytes) __attribute__((warn_unused_result));
void iv_free(void *p);

/* Begins at a multiple of alignment, a power of two of which bytes is a multiple. */
void *iv_malloc_aligned(size_t alignment, size_t bytes) __attribute__((malloc, warn_unused_result));

/* A NUL-terminated copy of n bytes; NULL when memory is out. */
char *iv_strndup(const char *p, size_t n) __attribute__((warn_unused_result));

/* For IV_AUTO on pointers: void iv_freep(&pointer). */
void iv_freep(void *pointer_to_pointer);

/* Calls of malloc, calloc and realloc so far in this process (relaxed; for benches and tests). */
uint64_t iv_alloc_calls(void);

#ifdef IV_FAULT_POINTS
/* The nth call from now on fails, or with lasting that and all later ones. 0: none fails. */
void iv_alloc_fail(uint64_t nth, bool lasting);
/* Whether that call has been made. */
bool iv_alloc_failed(void);
/* A call that another allocator serves is counted like all others; false: it is one that fails. */
bool iv_alloc_may(void);
#endif
