/* SPDX-License-Identifier: Apache-2.0 */
#include "event/name_table.h"
#include "base/guard.h"

iv_rc iv_name_table_init(struct iv_name_table *table, struct iv_arena *arena, size_t count,
                         struct iv_err *err)
{
    size_t size = 4;
    while (size < 2 * count + 1) { /* at least half stays free, so every run ends */
        size *= 2;
    }
    table->entries = iv_arena_zalloc(arena, size * sizeof *table->entries);
    ENSURE(table->entries != NULL, err, IV_E_NOMEM, "cannot allocate a table of %zu names", count);
    table->mask = (uint32_t)(size - 1);
    return IV_OK;
}

void iv_name_table_add(struct iv_name_table *table, struct iv_str name, uint16_t value)
{
    uint32_t at = iv_name_hash(name);
    while (table->entries[at & table->mask].name.p != NULL) {
        at++;
    }
    table->entries[at & table->mask] = (struct iv_name_entry){name, value};
}
