/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/lanes.h"

#define BLOCK_BYTES 1024
#define BLOCK_ITEMS ((BLOCK_BYTES - sizeof(uint64_t)) / sizeof(struct iv_queued))

struct queue_block {
    uint32_t next;
    struct iv_queued items[BLOCK_ITEMS];
};

static struct queue_block *block_at(const struct iv_pool *pool, uint32_t ref)
{
    return iv_pool_at(pool, ref);
}

bool iv_queue_push(struct iv_queue *q, struct iv_pool *pool, const struct iv_queued *item)
{
    if (q->tail == 0 || q->tail_at == BLOCK_ITEMS) {
        uint32_t fresh = iv_pool_take(pool, sizeof(struct queue_block));
        if (fresh == 0) {
            return false;
        }
        block_at(pool, fresh)->next = 0;
        if (q->tail == 0) {
            q->head = fresh;
            q->head_at = 0;
        } else {
            block_at(pool, q->tail)->next = fresh;
        }
        q->tail = fresh;
        q->tail_at = 0;
    }
    block_at(pool, q->tail)->items[q->tail_at++] = *item;
    return true;
}

const struct iv_queued *iv_queue_first(const struct iv_queue *q, const struct iv_pool *pool)
{
    return q->head == 0 || (q->head == q->tail && q->head_at == q->tail_at)
               ? NULL
               : &block_at(pool, q->head)->items[q->head_at];
}

void iv_queue_pop(struct iv_queue *q, struct iv_pool *pool)
{
    q->head_at++;
    if (q->head == q->tail) {
        if (q->head_at == q->tail_at) {
            q->head_at = q->tail_at = 0;
        }
        return;
    }
    if (q->head_at == BLOCK_ITEMS) {
        uint32_t next = block_at(pool, q->head)->next;
        iv_pool_give(pool, q->head);
        q->head = next;
        q->head_at = 0;
    }
}

uint64_t iv_queue_count(const struct iv_queue *q, const struct iv_pool *pool)
{
    uint64_t count = 0;
    for (uint32_t block = q->head; block != 0 && block != q->tail; block = block_at(pool, block)->next) {
        count += BLOCK_ITEMS;
    }
    return q->head == 0 ? 0 : count + q->tail_at - q->head_at;
}

const struct iv_queued *iv_queue_walk(struct iv_queue *walk, const struct iv_pool *pool)
{
    const struct iv_queued *item = iv_queue_first(walk, pool);
    if (item != NULL && ++walk->head_at == BLOCK_ITEMS && walk->head != walk->tail) {
        walk->head = block_at(pool, walk->head)->next;
        walk->head_at = 0;
    }
    return item;
}
