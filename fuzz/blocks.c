/* Mutates blocks and headers, and checks them: under AddressSanitizer and UndefinedBehaviorSanitizer nothing may be
 * touched that is not theirs, and everything must be given back.
 *
 *     gcc -std=c11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -pthread -Icsrc \
 *         fuzz/blocks.c $(find csrc -name '*.c') -o build/fuzz-blocks
 *     build/fuzz-blocks SECONDS FILE... [seed=N]      a FILE is one block, or several in block-file frames
 *
 * With -DLIBFUZZER and clang's -fsanitize=fuzzer it is a target for that instead. The first byte of an input chooses
 * network and context, so that every rule is met. A crash prints seed and round, which bring it back. */
#define _POSIX_C_SOURCE 200809L

#include "merklecore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t state = 1;

static uint64_t below(uint64_t n) { /* xorshift64* */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return n == 0 ? 0 : (state * 0x2545f4914f6cdd1dull >> 16) % n;
}

static mc_bitcoin network(unsigned choice) {
    mc_bitcoin chain = {.bip34_height = 1, .csv_height = choice & 1, .halving = 150};
    for (int i = 0; i < 4; i++)
        chain.pow_limit.word[i] = i < 3 || choice & 2 ? UINT64_MAX : 0xffffffff;
    for (unsigned i = 0; i < 10; i++)
        chain.salt[i] = 0x9e3779b97f4a7c15ull * (2 * i + 1);
    chain.twenty_minutes = choice >> 2 & 1;
    chain.bip94 = choice >> 3 & 1;
    chain.signet = choice >> 4 & 1;
    chain.trivial_challenge = choice >> 5 & 1;
    return chain;
}

static mc_bitcoin_context context_for(unsigned choice) {
    mc_bitcoin_context context = {.known = choice & 0x40 ? 0x7f : choice & 0x3f, .height = -1};
    context.height = choice & 1 ? 2015 : choice & 2 ? 400000 : -1;
    context.n_times = choice & 1 || choice & 2 ? MC_TIMES : 0;
    for (uint32_t i = 0; i < context.n_times; i++)
        context.times[i] = 1231006505 + 600 * i;
    context.bits = context.period_bits = context.real_bits = 0x1d00ffff;
    return context;
}

static void demand(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

/* Everything that reads a block, on a copy that ends where the bytes do. */
static void check(const uint8_t *data, size_t size, unsigned choice) {
    const uint32_t isas = mc_cpu_features();
    const mc_bitcoin chain = network(choice);
    const mc_bitcoin_context before = context_for(choice);
    mc_bitcoin_context after = before;
    uint8_t *copy = malloc(size > 0 ? size : 1);
    mc_bitcoin_report report;
    mc_bitcoin_block block;
    uint32_t unchecked;
    if (size > 0)
        memcpy(copy, data, size);
    demand(mc_bitcoin_check(&chain, copy, size, &before, choice & 4 ? 1231006505 : MC_NEVER_MIND, &report, isas) ==
               MC_OK,
           "check failed");
    demand(report.size <= size, "ends behind its end");
    demand(report.has_root || report.faults.count > 0, "nothing found and no root");
    for (size_t i = 0; i < report.faults.count && i < MC_KEPT_FAULTS; i++)
        demand(report.faults.at[i].offset <= size, "a fault behind the end");
    mc_bitcoin_release(&report);

    demand(mc_bitcoin_scan(&block, copy, size, NULL) == MC_OK, "scan failed");
    uint8_t *rows = malloc((size_t)block.txs * MC_BITCOIN_ROW + 1);
    mc_bitcoin_table(&block, rows);
    demand(mc_bitcoin_txids(&block, rows, isas) == MC_OK, "txids failed");
    mc_bitcoin_close(&block);
    free(rows);

    const mc_messages headers = {.rows = copy, .width = 80, .n = size / 80};
    uint32_t *codes = malloc(headers.n * 4 + 1);
    uint8_t *hashes = malloc(headers.n * 64 + 1);
    demand(mc_bitcoin_headers(&chain, &headers, 1231006505, codes, hashes, hashes + 32 * headers.n, &unchecked, &after,
                              isas) == MC_OK,
           "headers failed");
    free(codes);
    free(hashes);
    free(copy);
}

#ifdef LIBFUZZER

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 0)
        check(data + 1, size - 1, data[0]);
    return 0;
}

#else

enum { SEEDS = 4096, ROOM = 1 << 16 };
static mc_span seeds[SEEDS];
static size_t n_seeds;

static void add_seed(const uint8_t *data, size_t size) {
    if (n_seeds < SEEDS && size > 0 && size <= ROOM / 2)
        seeds[n_seeds++] = (mc_span){data, size};
}

static void read_seeds(const char *path) {
    FILE *file = fopen(path, "rb");
    demand(file != NULL && fseek(file, 0, SEEK_END) == 0, path);
    const size_t size = (size_t)ftell(file);
    uint8_t *data = malloc(size + 1); /* kept for as long as the program runs */
    rewind(file);
    demand(fread(data, 1, size, file) == size, path);
    fclose(file);
    size_t at = 0;
    while (size - at > 8 && memcmp(data + at, "\xf9\xbe\xb4\xd9", 4) == 0) {
        const size_t bytes = data[at + 4] | (size_t)data[at + 5] << 8 | (size_t)data[at + 6] << 16;
        if (bytes > size - at - 8)
            return;
        add_seed(data + at + 8, bytes);
        at += 8 + bytes;
    }
    if (at == 0)
        add_seed(data, size);
}

static size_t mutate(uint8_t *data, size_t size) {
    static const uint8_t telling[] = {0, 1, 0x4c, 0x4d, 0x4e, 0x6a, 0xac, 0xae, 0xfd, 0xfe, 0xff};
    for (uint64_t times = 1 + below(6); times > 0 && size > 0; times--) {
        const size_t at = below(3) == 0 ? below(size) : below(size < 300 ? size : 300), from = below(size);
        size_t n = 1 + below(48);
        switch (below(6)) {
        case 0:
            data[at] = (uint8_t)below(256);
            break;
        case 1:
            data[at] = telling[below(sizeof telling)];
            break;
        case 2:
            data[at] ^= (uint8_t)(1 << below(8));
            break;
        case 3: /* cut out */
            n = n < size - at ? n : size - at;
            memmove(data + at, data + at + n, size - at - n);
            size -= n;
            break;
        case 4: /* put in what stands elsewhere */
            n = n < size - from ? n : size - from;
            if (size + n > ROOM)
                break;
            memmove(data + at + n, data + at, size - at);
            memmove(data + at, data + (from < at ? from : from + n < size ? from + n : from), n);
            size += n;
            break;
        default: /* break off */
            size = below(4) == 0 ? at : size;
        }
    }
    return size;
}

int main(int argc, char **argv) {
    demand(argc > 2, "usage: blocks SECONDS FILE... [seed=N]");
    static uint8_t data[ROOM];
    const time_t end = time(NULL) + atol(argv[1]);
    for (int i = 2; i < argc; i++)
        if (strncmp(argv[i], "seed=", 5) == 0)
            state = strtoull(argv[i] + 5, NULL, 10) | 1;
        else
            read_seeds(argv[i]);
    demand(n_seeds > 0, "no seed of at most 32 KiB in these files");
    uint64_t rounds = 0;
    for (; rounds % 64 != 0 || time(NULL) < end; rounds++) {
        const mc_span seed = seeds[below(n_seeds)];
        memcpy(data, seed.data, seed.size);
        const size_t size = mutate(data, seed.size);
        check(data, size, (unsigned)below(128));
    }
    printf("%llu rounds over %zu blocks\n", (unsigned long long)rounds, n_seeds);
    return 0;
}

#endif
