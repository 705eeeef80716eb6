/* SPDX-License-Identifier: Apache-2.0 */
#include "support/sqlite_memory.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <malloc.h>
#include <sqlite3.h>

static void *allocate(int bytes)
{
    return iv_malloc((size_t)bytes);
}

static void *resize(void *p, int bytes)
{
    return iv_realloc(p, (size_t)bytes);
}

static int size_of(void *p)
{
    return (int)malloc_usable_size(p);
}

static int round_up(int bytes)
{
    return (bytes + 7) / 8 * 8;
}

static int init(void *ctx)
{
    (void)ctx;
    return SQLITE_OK;
}

static void shutdown(void *ctx)
{
    (void)ctx;
}

void sqlite_allocates_by_base(void)
{
    static const sqlite3_mem_methods methods = {allocate, iv_free, resize,   size_of,
                                                round_up, init,    shutdown, NULL};
    IV_CHECK(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK);
}
