/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/saver.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/fault.h"
#include "base/guard.h"
#include "base/log.h"
#include "detect/saver_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* gcc 12's address sanitizer leaves its locks as they were at a fork. */
#ifdef __SANITIZE_ADDRESS__
#define FORKS false
#else
#define FORKS true
#endif

#define CHILD_PATIENCE (600 * IV_NS_PER_S)
/* Of the time at least so many parts pass between two snapshots as one takes. */
#define REST 4

struct iv_saver {
    struct iv_saver_options options;
    enum iv_saver_state state; /* IDLE or WRITING */
    bool released;
    pid_t child;
    int tell; /* the child's words; -1 */
    int hear; /* our byte for the child; -1 */
    bool written;
    iv_ns begun; /* monotonic */
    iv_ns due;   /* monotonic */
    uint64_t bytes;
    iv_ns pause;
    struct iv_saver_figures figures;
    /* Where there is no child: what was written and waits for its release. */
    struct iv_arena arena;
    struct iv_saver_round round;
};

static void close_pipe(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

iv_rc iv_saver_new(struct iv_saver **out, const struct iv_saver_options *options, struct iv_err *err)
{
    struct iv_saver *s = iv_calloc(1, sizeof *s);
    ENSURE(s != NULL, err, IV_E_NOMEM, "cannot allocate the saving of snapshots");
    s->options = *options;
    s->tell = s->hear = -1;
    s->due = iv_monotonic(&options->clock) + options->every;
    iv_arena_init(&s->arena, 0);
    *out = s;
    return IV_OK;
}

/* The child is gone: its pipes, and the next date. */
static void end_round(struct iv_saver *s)
{
    close_pipe(&s->tell);
    close_pipe(&s->hear);
    iv_saver_abandon(&s->round);
    iv_arena_reset(&s->arena);
    iv_ns now = iv_monotonic(&s->options.clock);
    iv_ns rest = (now - s->begun) * REST;
    s->due = s->begun + (rest > s->options.every ? rest : s->options.every);
    s->state = IV_SAVER_IDLE;
    s->child = 0;
}

static void kill_child(struct iv_saver *s)
{
    int status = 0;
    (void)kill(s->child, SIGKILL);
    while (waitpid(s->child, &status, 0) < 0 && errno == EINTR) {
    }
    iv_vault_folder_clear(s->options.folder, (long)s->child);
}

void iv_saver_free(struct iv_saver *saver)
{
    if (saver != NULL) {
        if (saver->child > 0) {
            kill_child(saver);
        }
        end_round(saver);
        iv_arena_deinit(&saver->arena);
        iv_free(saver);
    }
}

static iv_rc restore_one(struct iv_saver *s, struct iv_str cell, uint64_t number, iv_saver_take_fn take,
                         void *ctx, struct iv_err *err)
{
    struct iv_vault_reader r;
    iv_vault_reader_init(&r, SIZE_MAX / 4);
    struct iv_rc_s rc = iv_vault_file_read(&r, s->options.folder, cell, number, NULL, NULL, err);
    rc = iv_ok(rc) ? take(ctx, &r, err) : rc;
    iv_vault_reader_deinit(&r);
    return rc;
}

iv_rc iv_saver_restore(struct iv_saver *saver, struct iv_str cell, iv_saver_take_fn take, void *ctx,
                       struct iv_err *err)
{
    uint64_t numbers[IV_VAULT_KEPT_MAX];
    size_t count = 0;
    TRY(iv_vault_folder_list(saver->options.folder, cell, numbers, IV_COUNT(numbers), &count, err));
    for (size_t i = 0; i < count; i++) {
        struct iv_rc_s rc = restore_one(saver, cell, numbers[i], take, ctx, err);
        if (iv_ok(rc) || rc.code == IV_E_NOMEM) {
            return rc;
        }
        LOG_ERROR("snapshot.refused", KV_STR("cell", cell), KV_I64("number", (int64_t)numbers[i]),
                  KV_TEXT("why", err->text), KV_I64("older", (int64_t)(count - i - 1)));
    }
    return iv_err_set(err, IV_E_ABSENT,
                      "the folder '" IV_STR_FMT "' has no snapshot of '" IV_STR_FMT "' that can be used",
                      IV_STR_ARG(saver->options.folder), IV_STR_ARG(cell));
}

bool iv_saver_busy(const struct iv_saver *saver)
{
    return saver->state != IV_SAVER_IDLE;
}

bool iv_saver_due(const struct iv_saver *saver)
{
    return saver->state == IV_SAVER_IDLE && iv_monotonic(&saver->options.clock) >= saver->due;
}

static iv_rc prepare(struct iv_saver *s, const struct iv_saver_cell *cells, size_t count, struct iv_err *err)
{
    struct iv_saver_cell *copies = iv_arena_zalloc(&s->arena, (count + 1) * sizeof *copies);
    s->round = (struct iv_saver_round){
        .folder = s->options.folder,
        .keep = s->options.keep,
        .taken = iv_wall(&s->options.clock),
        .cells = copies,
        .files = iv_arena_zalloc(&s->arena, (count + 1) * sizeof *s->round.files),
        .count = count,
    };
    ENSURE(copies != NULL && s->round.files != NULL, err, IV_E_NOMEM, "cannot allocate a snapshot's cells");
    for (size_t i = 0; i < count; i++) {
        copies[i] = cells[i];
        copies[i].name = iv_arena_str(&s->arena, cells[i].name);
        ENSURE(copies[i].name.p != NULL, err, IV_E_NOMEM, "cannot allocate a snapshot's cells");
    }
    return IV_OK;
}

static iv_rc open_pipes(struct iv_saver *s, int theirs[2], struct iv_err *err)
{
    int words[2] = {-1, -1};
    int go[2] = {-1, -1};
    ENSURE(pipe2(words, O_CLOEXEC | O_NONBLOCK) == 0, err, IV_E_IO, "cannot make a pipe: %s",
           strerror(errno));
    if (pipe2(go, O_CLOEXEC) != 0) {
        struct iv_rc_s rc = iv_err_set(err, IV_E_IO, "cannot make a pipe: %s", strerror(errno));
        close_pipe(&words[0]);
        close_pipe(&words[1]);
        return rc;
    }
    s->tell = words[0];
    s->hear = go[1];
    theirs[0] = words[1];
    theirs[1] = go[0];
    return IV_OK;
}

static iv_rc begin_child(struct iv_saver *s, struct iv_err *err)
{
    int theirs[2] = {-1, -1};
    TRY(open_pipes(s, theirs, err));
    long parent = (long)getpid();
    pid_t child = fork();
    if (child == 0) {
        iv_saver_child(&s->round, theirs[0], theirs[1], parent);
    }
    int why = errno;
    close_pipe(&theirs[0]);
    close_pipe(&theirs[1]);
    ENSURE(child > 0, err, IV_E_IO, "cannot fork a process that writes a snapshot: %s", strerror(why));
    s->child = child;
    return IV_OK;
}

static iv_rc begin_here(struct iv_saver *s, struct iv_err *err)
{
    TRY(iv_saver_write(&s->round, err));
    s->written = true;
    s->bytes = s->round.bytes;
    return IV_OK;
}

iv_rc iv_saver_begin(struct iv_saver *saver, const struct iv_saver_cell *cells, size_t count,
                     struct iv_err *err)
{
    IV_CHECK(saver->state == IV_SAVER_IDLE);
    saver->begun = iv_monotonic(&saver->options.clock);
    saver->released = saver->written = false;
    saver->bytes = 0;
    struct iv_rc_s rc = prepare(saver, cells, count, err);
    if (iv_ok(rc)) {
        rc = FORKS ? begin_child(saver, err) : begin_here(saver, err);
    }
    saver->pause = iv_monotonic(&saver->options.clock) - saver->begun;
    if (!iv_ok(rc)) {
        end_round(saver);
        return rc;
    }
    saver->state = IV_SAVER_WRITING;
    iv_fault("snapshot.begun");
    return IV_OK;
}

void iv_saver_release(struct iv_saver *saver)
{
    if (saver->state != IV_SAVER_WRITING || saver->released) {
        return;
    }
    saver->released = true;
    if (saver->hear >= 0) {
        ssize_t n = write(saver->hear, "", 1); /* the pipe is empty; a child that is gone is seen elsewhere */
        (void)n;
    }
    iv_fault("snapshot.released");
}

static enum iv_saver_state keep_round(struct iv_saver *s)
{
    s->figures = (struct iv_saver_figures){.bytes = s->bytes,
                                           .pause = s->pause,
                                           .took = iv_monotonic(&s->options.clock) - s->begun,
                                           .taken = s->begun};
    end_round(s);
    iv_fault("snapshot.kept");
    return IV_SAVER_KEPT;
}

/* There is no child: what is left to be done is done here. */
static enum iv_saver_state look_here(struct iv_saver *s, struct iv_err *why)
{
    if (!s->released) {
        return IV_SAVER_WRITING;
    }
    if (!iv_ok(iv_saver_publish(&s->round, why))) {
        end_round(s);
        return IV_SAVER_FAILED;
    }
    return keep_round(s);
}

static void tell_how_it_ended(int status, struct iv_err *why)
{
    struct iv_rc_s rc =
        WIFSIGNALED(status)
            ? iv_err_set(why, IV_E_IO, "the process that wrote the snapshot was ended by signal %d (%s)",
                         WTERMSIG(status), strsignal(WTERMSIG(status)))
            : iv_err_set(why, IV_E_IO, "the process that wrote the snapshot ended without a word, status %d",
                         WEXITSTATUS(status));
    (void)iv_ok(rc);
}

/* No further word will come. */
static enum iv_saver_state reap(struct iv_saver *s, struct iv_err *why)
{
    int status = 0;
    while (waitpid(s->child, &status, 0) < 0 && errno == EINTR) {
    }
    tell_how_it_ended(status, why);
    iv_vault_folder_clear(s->options.folder, (long)s->child);
    end_round(s);
    return IV_SAVER_FAILED;
}

static enum iv_saver_state look_at_child(struct iv_saver *s, struct iv_err *why)
{
    struct iv_saver_word word;
    ssize_t n = read(s->tell, &word, sizeof word);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        if (iv_monotonic(&s->options.clock) - s->begun < CHILD_PATIENCE) {
            return IV_SAVER_WRITING;
        }
        kill_child(s);
        (void)iv_ok(iv_err_set(why, IV_E_TIMEOUT, "a snapshot was not written within %d s",
                               (int)(CHILD_PATIENCE / IV_NS_PER_S)));
        end_round(s);
        return IV_SAVER_FAILED;
    }
    if (n != (ssize_t)sizeof word) {
        return reap(s, why);
    }
    s->bytes = word.bytes;
    if (!word.failed && !s->written) {
        s->written = true;
        return IV_SAVER_WRITING;
    }
    int status = 0;
    while (waitpid(s->child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!word.failed) {
        return keep_round(s);
    }
    *why = word.why;
    end_round(s);
    return IV_SAVER_FAILED;
}

enum iv_saver_state iv_saver_look(struct iv_saver *saver, struct iv_err *why)
{
    if (saver->state == IV_SAVER_IDLE) {
        return IV_SAVER_IDLE;
    }
    return saver->child > 0 ? look_at_child(saver, why) : look_here(saver, why);
}

enum iv_saver_state iv_saver_wait(struct iv_saver *saver, iv_ns at_most, struct iv_err *why)
{
    struct iv_clock clock = iv_clock_system(); /* a child writes in no other's time */
    iv_ns end = iv_monotonic(&clock) + at_most;
    enum iv_saver_state state = iv_saver_look(saver, why);
    while (state == IV_SAVER_WRITING) {
        iv_ns left = end - iv_monotonic(&clock);
        if (left <= 0) {
            return state;
        }
        struct pollfd words = {.fd = saver->tell, .events = POLLIN};
        (void)poll(&words, 1, (int)(left / IV_NS_PER_MS + 1));
        state = iv_saver_look(saver, why);
    }
    return state;
}

void iv_saver_figures(const struct iv_saver *saver, struct iv_saver_figures *out)
{
    *out = saver->figures;
}
