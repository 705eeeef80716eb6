/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/saver_child.h"

#include "base/guard.h"
#include "engine/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define NICENESS 10

static iv_rc write_engines(struct iv_vault_writer *w, struct iv_engine *const *engines, size_t count,
                           struct iv_err *err)
{
    struct iv_buf bytes;
    struct iv_rc_s rc = IV_OK;
    for (size_t i = 0; i < count && iv_ok(rc); i++) {
        iv_buf_init(&bytes, SIZE_MAX / 4);
        rc = iv_engine_snapshot(engines[i], &bytes, err);
        rc = iv_ok(rc) ? iv_vault_write_engine(w, iv_buf_slice(&bytes), err) : rc;
        iv_buf_deinit(&bytes); /* one engine at a time in memory */
    }
    return rc;
}

static iv_rc write_coverage(struct iv_vault_writer *w, const struct iv_coverage *coverage, struct iv_err *err)
{
    struct iv_buf bytes;
    iv_buf_init(&bytes, SIZE_MAX / 4);
    iv_coverage_image(&bytes, coverage);
    struct iv_rc_s rc = iv_buf_check(&bytes, "the coverage", err);
    rc = iv_ok(rc) ? iv_vault_write_engine(w, iv_buf_slice(&bytes), err) : rc;
    iv_buf_deinit(&bytes);
    return rc;
}

static iv_rc write_cell(struct iv_saver_round *round, size_t number, struct iv_vault_writer *w,
                        struct iv_err *err)
{
    const struct iv_saver_cell *cell = &round->cells[number];
    struct iv_engine *engines[IV_JUDGE_ENGINES];
    struct iv_vault_head head = {
        .taken = round->taken,
        .cell = cell->name,
        .baseline = cell->baseline,
        .places = cell->places,
        .place_count = cell->place_count,
        .gone = cell->gone,
        .notes = cell->notes,
    };
    size_t count = iv_judge_engines(cell->judge, engines);
    head.engine_count = count + (cell->coverage != NULL ? 1 : 0);
    TRY(iv_vault_write_head(w, &head, err));
    TRY(write_engines(w, engines, count, err));
    if (cell->coverage != NULL) {
        TRY(write_coverage(w, cell->coverage, err));
    }
    return iv_vault_write_end(w, err);
}

static iv_rc open_file(struct iv_saver_round *round, size_t number, struct iv_err *err)
{
    struct iv_str cell = round->cells[number].name;
    uint64_t newest = 0;
    size_t count = 0;
    TRY(iv_vault_folder_list(round->folder, cell, &newest, 1, &count, err));
    TRY(iv_vault_file_open(&round->files[number], round->folder, cell, newest + 1, err));
    round->opened++;
    return IV_OK;
}

iv_rc iv_saver_write(struct iv_saver_round *round, struct iv_err *err)
{
    for (size_t i = 0; i < round->count; i++) {
        struct iv_vault_file *file = &round->files[i];
        struct iv_vault_writer w;
        TRY(open_file(round, i, err));
        iv_vault_writer_init(&w, iv_vault_file_sink, file);
        struct iv_rc_s rc = write_cell(round, i, &w, err);
        round->bytes += w.bytes;
        iv_vault_writer_deinit(&w);
        TRY(rc);
        TRY(iv_vault_file_sync(file, err));
    }
    return IV_OK;
}

iv_rc iv_saver_publish(struct iv_saver_round *round, struct iv_err *err)
{
    for (size_t i = 0; i < round->count; i++) {
        TRY(iv_vault_file_publish(&round->files[i], err));
        TRY(iv_vault_folder_prune(round->folder, round->cells[i].name, round->keep, err));
    }
    return IV_OK;
}

void iv_saver_abandon(struct iv_saver_round *round)
{
    for (; round->opened > 0; round->opened--) {
        iv_vault_file_close(&round->files[round->opened - 1]);
    }
}

/* A socket that the parent closes must be closed, a store that it locks is none of ours. */
static void close_others(int a, int b)
{
    unsigned low = (unsigned)(a < b ? a : b);
    unsigned high = (unsigned)(a < b ? b : a);
    if (low > 3) {
        (void)close_range(3, low - 1, 0);
    }
    if (high > low + 1) {
        (void)close_range(low + 1, high - 1, 0);
    }
    (void)close_range(high + 1, ~0U, 0);
}

/* Of all that run, the one that may be killed first and waits last. */
static void stand_back(void)
{
    static const char most[] = "1000";
    (void)setpriority(PRIO_PROCESS, 0, NICENESS);
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t written = write(fd, most, sizeof most - 1); /* refused: then it is as any other */
        (void)written;
        (void)close(fd);
    }
}

static bool tell_parent(int fd, const struct iv_saver_word *word)
{
    const char *p = (const char *)word;
    for (size_t done = 0; done < sizeof *word;) {
        ssize_t n = write(fd, p + done, sizeof *word - done);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool hear_parent(int fd)
{
    char go = 0;
    ssize_t n = 0;
    do {
        n = read(fd, &go, 1);
    } while (n < 0 && errno == EINTR);
    return n == 1;
}

_Noreturn void iv_saver_child(struct iv_saver_round *round, int tell, int hear, long parent)
{
    struct iv_saver_word word = {.failed = false};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if ((long)getppid() != parent) {
        _exit(1);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    close_others(tell, hear);
    stand_back();
    struct iv_rc_s rc = iv_saver_write(round, &word.why);
    word.bytes = round->bytes;
    if (iv_ok(rc) && tell_parent(tell, &word) && hear_parent(hear)) {
        rc = iv_saver_publish(round, &word.why);
    }
    word.failed = !iv_ok(rc);
    iv_saver_abandon(round);
    (void)tell_parent(tell, &word);
    _exit(0);
}
