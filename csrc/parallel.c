/* parallel_for: POSIX threads for the length of one call.
 *
 * Nothing outlives the call, so a process that forks afterwards has no lost pool to wait for. Tasks are taken from
 * one atomic counter; who runs which never shows in the result. A thread that cannot be had is done without. */
#define _POSIX_C_SOURCE 200809L

#include "merklecore.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

typedef struct crew {
    mc_task task;
    void *context;
    size_t n;
    atomic_size_t next;
    atomic_uint workers;
    pthread_mutex_t lock; /* guards the two below; taken on failure only */
    size_t failed_at;
    mc_status status;
} crew;

static void *work(void *argument) {
    crew *all = argument;
    const unsigned worker = atomic_fetch_add_explicit(&all->workers, 1, memory_order_relaxed);
    for (size_t i; (i = atomic_fetch_add_explicit(&all->next, 1, memory_order_relaxed)) < all->n;) {
        mc_status status = all->task(all->context, i, worker);
        if (status == MC_OK)
            continue;
        pthread_mutex_lock(&all->lock);
        if (i < all->failed_at) {
            all->failed_at = i;
            all->status = status;
        }
        pthread_mutex_unlock(&all->lock);
    }
    return NULL;
}

mc_status mc_parallel_for(size_t n, unsigned threads, mc_task task, void *context) {
    if (threads <= 1 || n <= 1) {
        for (size_t i = 0; i < n; i++) {
            mc_status status = task(context, i, 0);
            if (status != MC_OK)
                return status;
        }
        return MC_OK;
    }
    if (threads > MC_MAX_THREADS)
        threads = MC_MAX_THREADS;
    if (threads > n)
        threads = (unsigned)n;

    crew all = {.task = task, .context = context, .n = n, .failed_at = SIZE_MAX};
    atomic_init(&all.next, 0);
    atomic_init(&all.workers, 0);
    pthread_mutex_init(&all.lock, NULL);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)1 << 20);

    /* signals stay with the interpreter's own threads */
    sigset_t every, before;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    pthread_t helper[MC_MAX_THREADS];
    unsigned started = 0;
    while (started + 1 < threads && pthread_create(&helper[started], &attributes, work, &all) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);

    work(&all);
    for (unsigned i = 0; i < started; i++)
        pthread_join(helper[i], NULL);
    pthread_attr_destroy(&attributes);
    pthread_mutex_destroy(&all.lock);
    return all.status;
}
