/* Files by name: opened, read and hashed by the thread that takes them.
 *
 * Each worker takes the next name when it is ready for one, so that nobody waits for another's large file. Then
 *
 *     small files   are read whole, and hashed as messages when enough of them are there
 *     large files   are read piece by piece, as many side by side as there are lanes
 *
 * A file ends where a read says so: one that grows or shrinks meanwhile is what was read of it. Files are not mapped,
 * for one that somebody cuts short would then end the process. */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64 /* large files where an int has 32 bits, too */

#include "merklecore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Bytes. Half or twice as many make no difference that shows; with eight times, what has been read has left the cache
 * before it is hashed. */
enum {
    SMALL = 1 << 16,  /* from here on a file is large; no piece is shorter */
    BATCH = 1 << 20,  /* of small files that are hashed at once */
    PIECES = 1 << 20, /* of the large files under way, one of each */
};
enum {
    MESSAGES = 1024, /* small files that are hashed at once, at most */
    LOOK_AHEAD = 32, /* names to take in search of another large file, before those at hand are read on */
};

typedef struct large { /* a file under way */
    int fd;
    size_t path;
    mc_stream stream;
    uint8_t *piece;
    size_t got; /* bytes of the piece that are there already */
} large;

typedef struct worker {
    mc_status status; /* the first that was not MC_OK */
    size_t n, bytes;  /* in the batch */
    size_t busy;      /* files under way, the first ones of `at` */
    large *at[MC_MAX_LANES];
    large files[MC_MAX_LANES];
    mc_span spans[MESSAGES];
    size_t paths[MESSAGES];
    uint8_t digests[MESSAGES * MC_MAX_DIGEST];
    uint8_t rooms[MC_GROUP_BYTES];
    uint8_t batch[BATCH + SMALL] __attribute__((aligned(64)));
    uint8_t pieces[PIECES] __attribute__((aligned(64)));
} worker;

typedef struct job {
    int hash;
    const char *const *paths;
    size_t n;
    uint8_t *out;
    int *failed;
    uint64_t *done;
    uint32_t isas;
    size_t lanes;       /* large files side by side */
    size_t piece;       /* bytes of each that are read at a time */
    atomic_size_t next; /* the first name that nobody has taken */
    atomic_size_t open; /* descriptors that the workers have */
} job;

static void note(worker *w, mc_status status) {
    if (w->status == MC_OK)
        w->status = status;
}

static uint8_t *digest_of(const job *all, size_t path) { return all->out + path * mc_hashes[all->hash].digest_bytes; }

/* Reads until `room` bytes have come or the file ends; -1 where it cannot be read. */
static ssize_t fill(const job *all, int fd, uint8_t *to, size_t room) {
    size_t got = 0;
    while (got < room) {
        const ssize_t now = read(fd, to + got, room - got);
        if (now == 0)
            break;
        if (now > 0)
            got += (size_t)now;
        else if (errno != EINTR)
            return -1;
    }
    if (all->done != NULL)
        __atomic_fetch_add(all->done, got, __ATOMIC_RELAXED);
    return (ssize_t)got;
}

static void shut(job *all, int fd) {
    close(fd);
    atomic_fetch_sub_explicit(&all->open, 1, memory_order_relaxed);
}

/* ---- small files ----------------------------------------------------------------------------------------------- */

static void hash_batch(worker *w, const job *all) {
    mc_messages messages = {.spans = w->spans, .width = w->spans[0].size, .n = w->n};
    for (size_t i = 1; i < w->n; i++)
        if (w->spans[i].size != messages.width)
            messages.width = MC_MIXED;
    note(w, mc_hash_messages(all->hash, NULL, 0, &messages, 0, w->n, w->digests, all->isas));
    const size_t d = mc_hashes[all->hash].digest_bytes;
    for (size_t i = 0; i < w->n; i++)
        memcpy(digest_of(all, w->paths[i]), w->digests + i * d, d);
    w->n = w->bytes = 0;
}

static void add_small(worker *w, const job *all, size_t path, size_t bytes) {
    w->spans[w->n] = (mc_span){w->batch + w->bytes, bytes};
    w->paths[w->n++] = path;
    w->bytes += bytes;
    if (w->n == MESSAGES || w->bytes >= BATCH)
        hash_batch(w, all);
}

/* ---- large files ----------------------------------------------------------------------------------------------- */

/* Its first SMALL bytes stand behind the batch. */
static void add_large(worker *w, const job *all, size_t path, int fd) {
    large *file = w->at[w->busy++];
    const size_t slot = (size_t)(file - w->files);
    file->fd = fd;
    file->path = path;
    file->piece = w->pieces + slot * all->piece;
    file->got = SMALL;
    memcpy(file->piece, w->batch + w->bytes, SMALL);
    mc_stream_begin(&file->stream, all->hash, w->rooms + slot * (MC_GROUP_BYTES / all->lanes));
#ifdef POSIX_FADV_SEQUENTIAL
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
}

static void drop_large(worker *w, job *all, size_t j) {
    large *file = w->at[j];
    shut(all, file->fd);
    w->at[j] = w->at[--w->busy];
    w->at[w->busy] = file;
}

/* The next piece of each file under way from number `first` on; those that end go. */
static void read_on(worker *w, job *all, size_t first) {
    mc_stream *streams[MC_MAX_LANES];
    mc_span pieces[MC_MAX_LANES];
    for (size_t j = first; j < w->busy;) {
        large *file = w->at[j];
        const ssize_t more = fill(all, file->fd, file->piece + file->got, all->piece - file->got);
        if (more < 0) {
            all->failed[file->path] = errno;
            drop_large(w, all, j);
            continue;
        }
        streams[j] = &file->stream;
        pieces[j++] = (mc_span){file->piece, file->got + (size_t)more};
        file->got = 0;
    }
    if (w->busy > first)
        note(w, mc_streams_update(streams + first, pieces + first, w->busy - first, all->isas));
    for (size_t j = w->busy; j-- > first;)
        if (pieces[j].size < all->piece) {
            note(w, mc_stream_digest(streams[j], digest_of(all, w->at[j]->path), all->isas));
            drop_large(w, all, j);
        }
}

/* ---- names ----------------------------------------------------------------------------------------------------- */

/* Where no more files can be open, it waits for those that the workers have: how many they are must not show. */
static int open_file(worker *w, job *all, const char *path) {
    for (;;) {
        const int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            atomic_fetch_add_explicit(&all->open, 1, memory_order_relaxed);
            return fd;
        }
        const int error = errno;
        if (error == EINTR)
            continue;
        if (error != EMFILE && error != ENFILE)
            return -1;
        if (w->busy > 0) {
            read_on(w, all, 0);
        } else if (atomic_load_explicit(&all->open, memory_order_relaxed) > 0) {
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        } else {
            errno = error;
            return -1;
        }
    }
}

static void take(worker *w, job *all, size_t path) {
    const int fd = open_file(w, all, all->paths[path]);
    if (fd < 0) {
        all->failed[path] = errno;
        return;
    }
    const ssize_t got = fill(all, fd, w->batch + w->bytes, SMALL);
    if (got < SMALL) {
        if (got < 0)
            all->failed[path] = errno;
        shut(all, fd);
        if (got >= 0)
            add_small(w, all, path, (size_t)got);
        return;
    }
    struct stat about;
    add_large(w, all, path, fd);
    /* Who writes to a pipe may wait for its reader before he turns to the next one: it is read to its end. */
    if (fstat(fd, &about) == 0 && !S_ISREG(about.st_mode))
        for (const size_t mine = w->busy - 1; w->busy > mine;)
            read_on(w, all, mine);
}

static mc_status work(void *context, size_t i, unsigned number) {
    job *all = context;
    worker *w = aligned_alloc(64, sizeof *w);
    size_t passed = 0; /* names since there was last room for a large file */
    (void)i, (void)number;
    if (w == NULL)
        return MC_NO_MEMORY;
    w->status = MC_OK;
    w->n = w->bytes = w->busy = 0;
    for (size_t j = 0; j < MC_MAX_LANES; j++)
        w->at[j] = &w->files[j];
    for (;;) {
        const size_t busy = w->busy;
        if (busy == all->lanes || passed == LOOK_AHEAD) {
            read_on(w, all, 0);
            passed = w->busy < busy ? 0 : passed;
            continue;
        }
        const size_t path = atomic_fetch_add_explicit(&all->next, 1, memory_order_relaxed);
        if (path >= all->n)
            break;
        take(w, all, path);
        passed = w->busy > 0 ? passed + 1 : 0;
    }
    while (w->busy > 0)
        read_on(w, all, 0);
    if (w->n > 0)
        hash_batch(w, all);
    const mc_status status = w->status;
    free(w);
    return status;
}

mc_status mc_hash_files(int hash, const char *const *paths, size_t n, uint8_t *out, int *failed, uint64_t *done,
                        uint32_t isas, unsigned threads) {
    const mc_kernel *widest = mc_pick(hash, MC_MESSAGES, MC_MAX_LANES, isas);
    if (widest == NULL)
        return MC_NO_KERNEL;
    if (n == 0)
        return MC_OK;
    if (threads > n)
        threads = (unsigned)n;
    job all = {.hash = hash, .paths = paths, .n = n, .out = out, .failed = failed, .done = done, .isas = isas};
    const size_t share = (n + threads - 1) / threads; /* no thread takes two large files where another has none */
    all.lanes = mc_hashes[hash].chunk_bytes > 0 ? 1 : widest->lanes; /* chunks fill them with one file */
    all.lanes = share < all.lanes ? share : all.lanes;
    all.piece = PIECES / all.lanes / SMALL * SMALL;
    memset(failed, 0, n * sizeof *failed);
    return mc_parallel_for(threads, threads, work, &all);
}
