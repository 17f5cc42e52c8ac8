/* Bitcoin: the rules of a header, one by one and in bulk (validation.cpp, ContextualCheckBlockHeader; pow.cpp).
 *
 * A header is checked against the context that its parent left, and leaves the next one. Targets are decoded, and
 * their work divided out, once for each run of headers that share one. */
#include "bitcoin.h"
#include "uint256.h"

enum {
    VERSION_AT = 0,
    PREV_AT = 4,
    TIME_AT = 68,
    BITS_AT = 72,
    SPACING = 600,      /* seconds between two blocks, as wished */
    PERIOD = 2016,      /* blocks of one difficulty */
    TIMESPAN = 1209600, /* seconds that they should take */
    FUTURE = 7200,      /* MAX_FUTURE_BLOCK_TIME */
    TIMEWARP = 600,     /* MAX_TIMEWARP */
};

/* ---- times ----------------------------------------------------------------------------------------------------- */

typedef struct times { /* of the last blocks, oldest first */
    const uint32_t *at;
    uint32_t n;
} times;

static inline times times_of(const mc_bitcoin_context *context) { return (times){context->times, context->n_times}; }

static inline int64_t latest(times times) { return times.at[times.n - 1]; }

static inline int complete(const mc_bitcoin_context *context, times times) {
    return times.n == MC_TIMES ||
           (context->known & MC_KNOWS_HEIGHT && context->height < 10 && times.n == context->height + 1);
}

static uint32_t median_of(times times) {
    uint32_t sorted[MC_TIMES];
    for (uint32_t i = 0; i < times.n; i++) {
        uint32_t k = i;
        for (; k > 0 && sorted[k - 1] > times.at[i]; k--)
            sorted[k] = sorted[k - 1];
        sorted[k] = times.at[i];
    }
    return sorted[times.n / 2];
}

int mc_bitcoin_median(const mc_bitcoin_context *context, uint32_t *median) {
    const times all = times_of(context);
    if (all.n == 0 || !complete(context, all))
        return 0;
    *median = median_of(all);
    return 1;
}

/* Whether `time` is above the median, without sorting: that is, above more than half of the times. */
static inline int above_median(times times, uint32_t time) {
    uint32_t below = 0;
    if (times.n == MC_TIMES) { /* a number that the compiler knows */
        for (uint32_t i = 0; i < MC_TIMES; i++)
            below += times.at[i] < time;
        return below > MC_TIMES / 2;
    }
    for (uint32_t i = 0; i < times.n; i++)
        below += times.at[i] < time;
    return times.n == 0 || below > times.n / 2; /* nothing stands before the first block */
}

/* ---- difficulty ------------------------------------------------------------------------------------------------ */

/* What the header rules have found out about one compact target: neighbours share it. */
typedef struct target {
    int known, is_limit; /* bits are those of the network's limit */
    uint32_t bits, fault;
    mc_u256 limit, work;
} target;

static void decode(const mc_bitcoin *chain, uint32_t bits, target *target) {
    int flags;
    const mc_u256 limit = mc_u256_from_compact(bits, &flags), none = {{0}};
    const int zero = mc_u256_is_zero(&limit);
    *target = (struct target){.known = 1, .bits = bits, .limit = limit};
    target->is_limit = bits == mc_u256_to_compact(&chain->pow_limit);
    target->fault = flags & MC_COMPACT_NEGATIVE                ? MC_TARGET_NEGATIVE
                    : flags & MC_COMPACT_OVERFLOW              ? MC_TARGET_OVERFLOW
                    : zero                                     ? MC_TARGET_ZERO
                    : mc_u256_above(&limit, &chain->pow_limit) ? MC_TARGET_ABOVE_LIMIT
                                                               : 0;
    target->work = flags != 0 || zero ? none : mc_u256_work(&limit); /* GetBlockProof */
}

/* CalculateNextWorkRequired */
static uint32_t retarget(const mc_bitcoin *chain, uint32_t bits, int64_t took) {
    int flags;
    mc_u256 target = mc_u256_from_compact(bits, &flags);
    took = took < TIMESPAN / 4 ? TIMESPAN / 4 : took > TIMESPAN * 4 ? TIMESPAN * 4 : took;
    mc_u256_times(&target, (uint32_t)took);
    mc_u256_over(&target, TIMESPAN);
    return mc_u256_to_compact(mc_u256_above(&target, &chain->pow_limit) ? &chain->pow_limit : &target);
}

/* GetNextWorkRequired; 0 where the context does not tell. */
static inline int wanted_bits(const mc_bitcoin *chain, const mc_bitcoin_context *context, times times, int boundary,
                              uint32_t time, uint32_t *bits) {
    const uint32_t known = context->known;
    if (!(known & MC_KNOWS_HEIGHT))
        return 0;
    if (!boundary && chain->twenty_minutes) {
        if (times.n == 0)
            return 0;
        if (time > latest(times) + 2 * SPACING) {
            *bits = mc_u256_to_compact(&chain->pow_limit);
            return 1;
        }
        *bits = context->real_bits;
        if (known & MC_KNOWS_REAL_BITS)
            return 1;
        *bits = context->bits; /* Core walks back from the parent, mostly not a single step */
        return known & MC_KNOWS_BITS &&
               (context->height % PERIOD == 0 || *bits != mc_u256_to_compact(&chain->pow_limit));
    }
    *bits = context->bits;
    if (!boundary || chain->no_retarget)
        return (known & MC_KNOWS_BITS) != 0;
    if (!(known & MC_KNOWS_PERIOD_START) || times.n == 0 ||
        !(known & (chain->bip94 ? MC_KNOWS_PERIOD_BITS : MC_KNOWS_BITS)))
        return 0;
    *bits =
        retarget(chain, chain->bip94 ? context->period_bits : context->bits, latest(times) - context->period_start);
    return 1;
}

/* ---- one header ------------------------------------------------------------------------------------------------ */

typedef struct finding {
    uint32_t first;
    mc_faults *faults; /* NULL: the first code is all that is wanted */
} finding;

static inline void found(finding *finding, uint32_t code, uint64_t offset, int64_t a, int64_t b) {
    if (finding->first == 0)
        finding->first = code;
    if (finding->faults != NULL)
        mc_add_fault(finding->faults, (mc_fault){.code = code, .tx = -1, .offset = offset, .a = a, .b = b});
}

static inline void check_version(const mc_bitcoin *chain, int64_t height, int32_t version, finding *finding) {
    const uint64_t at = (uint64_t)height;
    const int least = at >= chain->bip65_height   ? 4
                      : at >= chain->bip66_height ? 3
                      : at >= chain->bip34_height ? 2
                                                  : INT32_MIN;
    if (version < least)
        found(finding, MC_VERSION, VERSION_AT, version, least);
}

/* What depends on the header's time. */
static inline void check_times(const mc_bitcoin *chain, const mc_bitcoin_context *context, times times, int boundary,
                               uint32_t time, int64_t now, finding *finding, uint32_t *unchecked) {
    if (!complete(context, times))
        *unchecked |= MC_RULE_MEDIAN_TIME;
    else if (!above_median(times, time))
        found(finding, MC_TIME_TOO_OLD, TIME_AT, time, finding->faults != NULL ? median_of(times) : 0);
    if (chain->bip94 && boundary) {
        if (!(context->known & MC_KNOWS_HEIGHT) || times.n == 0)
            *unchecked |= MC_RULE_TIMEWARP;
        else if (time < latest(times) - TIMEWARP)
            found(finding, MC_TIMEWARP, TIME_AT, time, latest(times) - TIMEWARP);
    }
    if (now == MC_NEVER_MIND)
        *unchecked |= MC_RULE_FUTURE_TIME;
    else if (time > now + FUTURE)
        found(finding, MC_TIME_TOO_NEW, TIME_AT, time, now + FUTURE);
}

static inline void add_time(mc_bitcoin_context *context, uint32_t time) {
    if (context->n_times == MC_TIMES)
        memmove(context->times, context->times + 1, (MC_TIMES - 1) * sizeof time);
    else
        context->n_times++;
    context->times[context->n_times - 1] = time;
}

/* The chain as it stands behind this header, whether it holds or not; its times are the caller's affair. */
static inline void advance(mc_bitcoin_context *context, int boundary, const uint8_t *hash, uint32_t time,
                           const target *target) {
    const uint32_t bits = target->bits;
    memcpy(context->prev_hash, hash, 32);
    if (context->known & MC_KNOWS_HEIGHT && context->height == INT32_MAX)
        context->known &= ~(uint32_t)MC_KNOWS_HEIGHT; /* a context takes no height beyond */
    if (!(context->known & MC_KNOWS_HEIGHT)) {
        context->known &= ~(uint32_t)MC_KNOWS_PERIOD_START;
        boundary = 0;
    } else {
        context->height++;
    }
    if (boundary) {
        context->period_start = time;
        context->period_bits = bits;
        context->known |= MC_KNOWS_PERIOD_START | MC_KNOWS_PERIOD_BITS;
    }
    if (boundary || !target->is_limit) {
        context->real_bits = bits;
        context->known |= MC_KNOWS_REAL_BITS;
    }
    context->bits = bits;
    mc_u256_add(&context->chainwork, &target->work);
    context->known |= MC_KNOWS_PREV_HASH | MC_KNOWS_BITS;
}

static inline __attribute__((always_inline)) uint32_t check_header(const mc_bitcoin *chain, const uint8_t *header,
                                                                   const uint8_t *hash, int64_t now, target *target,
                                                                   mc_bitcoin_context *context, times times,
                                                                   mc_faults *faults, uint32_t *unchecked) {
    static const uint8_t none[32] = {0};
    finding finding = {0, faults};
    const uint32_t time = mc_le32(header + TIME_AT), bits = mc_le32(header + BITS_AT);
    const int32_t version = (int32_t)mc_le32(header + VERSION_AT);
    const int knows_height = (context->known & MC_KNOWS_HEIGHT) != 0;
    /* where the height is unknown, this may be one */
    const int boundary = !knows_height || (uint32_t)(context->height + 1) % PERIOD == 0; /* at most 2^31 */
    uint32_t open = 0, wanted;

    if (knows_height)
        check_version(chain, context->height + 1, version, &finding);
    else
        open |= MC_RULE_VERSION;
    const int knows_parent = (context->known & MC_KNOWS_PREV_HASH) != 0;
    if (!knows_parent)
        open |= MC_RULE_LINKAGE;
    if (knows_parent && memcmp(header + PREV_AT, context->prev_hash, 32) != 0)
        found(&finding, MC_PREV_HASH, PREV_AT, 0, 0);
    else if (chain->knows_genesis && mc_le64(header + PREV_AT) == 0 && /* spares nearly all of them a call */
             memcmp(header + PREV_AT, none, sizeof none) == 0 && memcmp(hash, chain->genesis, sizeof none) != 0)
        found(&finding, MC_GENESIS, PREV_AT, 0, 0);
    if (!target->known || target->bits != bits)
        decode(chain, bits, target);
    if (target->fault != 0) {
        found(&finding, target->fault, BITS_AT, bits, 0);
    } else {
        const mc_u256 number = mc_u256_from_le(hash);
        if (mc_u256_above(&number, &target->limit))
            found(&finding, MC_HASH_ABOVE_TARGET, 0, bits, 0);
    }
    if (!wanted_bits(chain, context, times, boundary, time, &wanted))
        open |= MC_RULE_DIFFICULTY;
    else if (bits != wanted)
        found(&finding, MC_BITS, BITS_AT, bits, wanted);
    check_times(chain, context, times, boundary, time, now, &finding, &open);
    *unchecked |= open;
    advance(context, boundary, hash, time, target);
    return finding.first;
}

uint32_t mc_bitcoin_header(const mc_bitcoin *chain, const uint8_t *header, const uint8_t *hash, int64_t now,
                           mc_bitcoin_context *context, mc_faults *faults, uint32_t *unchecked) {
    target target = {0};
    const uint32_t first =
        check_header(chain, header, hash, now, &target, context, times_of(context), faults, unchecked);
    add_time(context, mc_le32(header + TIME_AT));
    return first;
}

uint32_t mc_bitcoin_no_header(const mc_bitcoin *chain) {
    return MC_RULE_VERSION | MC_RULE_LINKAGE | MC_RULE_TARGET | MC_RULE_PROOF_OF_WORK | MC_RULE_DIFFICULTY |
           MC_RULE_MEDIAN_TIME | (chain->bip94 ? MC_RULE_TIMEWARP : 0) | MC_RULE_FUTURE_TIME;
}

/* ---- in bulk --------------------------------------------------------------------------------------------------- */

enum { BATCH = 256 }; /* headers that are hashed side by side, and are still in the cache afterwards */

static inline const uint8_t *row_at(const mc_messages *rows, size_t i) {
    return rows->spans != NULL ? rows->spans[i].data : rows->rows + i * MC_HEADER_BYTES;
}

mc_status mc_bitcoin_headers(const mc_bitcoin *chain, const mc_messages *rows, int64_t now, uint32_t *codes,
                             uint8_t *hashes, uint8_t *works, uint32_t *unchecked, mc_bitcoin_context *next,
                             uint32_t isas) {
    uint32_t all[MC_TIMES + BATCH]; /* the times before the batch and its own: those that count are a window on them */
    target target = {0};
    mc_bitcoin_context context = *next; /* nothing points to it: from header to header it stays in registers */
    uint32_t open = 0;
    if (!(context.known & MC_KNOWS_CHAINWORK))
        context.chainwork = (mc_u256){{0}};
    for (size_t first = 0; first < rows->n; first += BATCH) {
        const size_t n = rows->n - first < BATCH ? rows->n - first : BATCH;
        const uint32_t before = context.n_times;
        mc_status status = mc_hash_messages(MC_SHA256D, NULL, 0, rows, first, n, hashes + 32 * first, isas);
        if (status != MC_OK)
            return status;
        memcpy(all, context.times, before * sizeof *all);
        for (size_t i = 0; i < n; i++)
            all[before + i] = mc_le32(row_at(rows, first + i) + TIME_AT);
        for (size_t i = 0; i < n; i++) {
            const uint32_t behind = before + (uint32_t)i, count = behind < MC_TIMES ? behind : MC_TIMES;
            const times window = {all + behind - count, count};
            codes[first + i] = check_header(chain, row_at(rows, first + i), hashes + 32 * (first + i), now, &target,
                                            &context, window, NULL, &open);
            mc_u256_to_be(&context.chainwork, works + 32 * (first + i));
        }
        context.n_times = before + n < MC_TIMES ? before + (uint32_t)n : MC_TIMES;
        memcpy(context.times, all + before + n - context.n_times, context.n_times * sizeof *all);
    }
    *next = context;
    *unchecked = open;
    return MC_OK;
}
