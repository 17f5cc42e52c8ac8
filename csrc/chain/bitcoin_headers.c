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

int mc_bitcoin_times_complete(const mc_bitcoin_context *context) {
    return context->n_times == MC_TIMES ||
           (context->known & MC_KNOWS_HEIGHT && context->height < 10 && context->n_times == context->height + 1);
}

int mc_bitcoin_median(const mc_bitcoin_context *context, uint32_t *median) {
    uint32_t sorted[MC_TIMES];
    const unsigned n = context->n_times;
    if (n == 0 || !mc_bitcoin_times_complete(context))
        return 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned k = i;
        for (; k > 0 && sorted[k - 1] > context->times[i]; k--)
            sorted[k] = sorted[k - 1];
        sorted[k] = context->times[i];
    }
    *median = sorted[n / 2];
    return 1;
}

/* Whether `time` is above the median, without sorting: that is, above more than half of the times. */
static inline int above_median(const mc_bitcoin_context *context, uint32_t time) {
    unsigned below = 0;
    if (context->n_times == MC_TIMES) { /* a number that the compiler knows */
        for (unsigned i = 0; i < MC_TIMES; i++)
            below += context->times[i] < time;
        return below > MC_TIMES / 2;
    }
    for (unsigned i = 0; i < context->n_times; i++)
        below += context->times[i] < time;
    return context->n_times == 0 || below > context->n_times / 2;
}

/* ---- difficulty ------------------------------------------------------------------------------------------------ */

static void decode(const mc_bitcoin *chain, uint32_t bits, mc_target *target) {
    int flags;
    const mc_u256 limit = mc_u256_from_compact(bits, &flags), none = {{0}};
    const int zero = mc_u256_is_zero(&limit);
    *target = (mc_target){.known = 1, .bits = bits, .limit = limit};
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
static inline int wanted_bits(const mc_bitcoin *chain, const mc_bitcoin_context *context, int boundary, uint32_t time,
                              uint32_t *bits) {
    const uint32_t known = context->known;
    if (!(known & MC_KNOWS_HEIGHT))
        return 0;
    if (!boundary && chain->twenty_minutes) {
        if (context->n_times == 0)
            return 0;
        if (time > (int64_t)context->times[context->n_times - 1] + 2 * SPACING) {
            *bits = mc_u256_to_compact(&chain->pow_limit);
            return 1;
        }
        *bits = context->real_bits;
        return (known & MC_KNOWS_REAL_BITS) != 0;
    }
    *bits = context->bits;
    if (!boundary || chain->no_retarget)
        return (known & MC_KNOWS_BITS) != 0;
    if (!(known & MC_KNOWS_PERIOD_START) || context->n_times == 0 ||
        !(known & (chain->bip94 ? MC_KNOWS_PERIOD_BITS : MC_KNOWS_BITS)))
        return 0;
    *bits = retarget(chain, chain->bip94 ? context->period_bits : context->bits,
                     (int64_t)context->times[context->n_times - 1] - context->period_start);
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
static inline void check_times(const mc_bitcoin *chain, const mc_bitcoin_context *context, int boundary, uint32_t time,
                               int64_t now, finding *finding, uint32_t *unchecked) {
    uint32_t median;
    if (!mc_bitcoin_times_complete(context)) {
        *unchecked |= MC_RULE_MEDIAN_TIME;
    } else if (!above_median(context, time)) {
        mc_bitcoin_median(context, &median);
        found(finding, MC_TIME_TOO_OLD, TIME_AT, time, median);
    }
    if (chain->bip94 && boundary) {
        const int64_t least =
            context->n_times > 0 ? (int64_t)context->times[context->n_times - 1] - TIMEWARP : INT64_MIN;
        if (!(context->known & MC_KNOWS_HEIGHT) || context->n_times == 0)
            *unchecked |= MC_RULE_TIMEWARP;
        else if (time < least)
            found(finding, MC_TIMEWARP, TIME_AT, time, least);
    }
    if (now == MC_NEVER_MIND)
        *unchecked |= MC_RULE_FUTURE_TIME;
    else if (time > now + FUTURE)
        found(finding, MC_TIME_TOO_NEW, TIME_AT, time, now + FUTURE);
}

/* The chain as it stands behind this header, whether it holds or not. */
static inline void advance(mc_bitcoin_context *context, int boundary, const uint8_t *hash,
                           uint32_t time, const mc_target *target) {
    const uint32_t bits = target->bits;
    memcpy(context->prev_hash, hash, 32);
    if (context->n_times == MC_TIMES)
        memmove(context->times, context->times + 1, (MC_TIMES - 1) * sizeof time);
    else
        context->n_times++;
    context->times[context->n_times - 1] = time;
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
                                                                   const uint8_t *hash, int64_t now, mc_target *target,
                                                                   mc_bitcoin_context *context, mc_faults *faults,
                                                                   uint32_t *unchecked) {
    finding finding = {0, faults};
    const uint32_t time = mc_le32(header + TIME_AT), bits = mc_le32(header + BITS_AT);
    const int32_t version = (int32_t)mc_le32(header + VERSION_AT);
    const int knows_height = (context->known & MC_KNOWS_HEIGHT) != 0;
    /* where the height is unknown, this may be one */
    const int boundary = !knows_height || (context->height + 1) % PERIOD == 0;
    uint32_t open = 0, wanted;

    if (knows_height)
        check_version(chain, context->height + 1, version, &finding);
    else
        open |= MC_RULE_VERSION;
    if (!(context->known & MC_KNOWS_PREV_HASH))
        open |= MC_RULE_LINKAGE;
    else if (memcmp(header + PREV_AT, context->prev_hash, 32) != 0)
        found(&finding, MC_PREV_HASH, PREV_AT, 0, 0);
    if (!target->known || target->bits != bits)
        decode(chain, bits, target);
    if (target->fault != 0) {
        found(&finding, target->fault, BITS_AT, bits, 0);
    } else {
        const mc_u256 number = mc_u256_from_le(hash);
        if (mc_u256_above(&number, &target->limit))
            found(&finding, MC_HASH_ABOVE_TARGET, 0, bits, 0);
    }
    if (!wanted_bits(chain, context, boundary, time, &wanted))
        open |= MC_RULE_DIFFICULTY;
    else if (bits != wanted)
        found(&finding, MC_BITS, BITS_AT, bits, wanted);
    check_times(chain, context, boundary, time, now, &finding, &open);
    *unchecked |= open;
    advance(context, boundary, hash, time, target);
    return finding.first;
}

uint32_t mc_bitcoin_header(const mc_bitcoin *chain, const uint8_t *header, const uint8_t *hash, int64_t now,
                           mc_target *target, mc_bitcoin_context *context, mc_faults *faults, uint32_t *unchecked) {
    return check_header(chain, header, hash, now, target, context, faults, unchecked);
}

uint32_t mc_bitcoin_no_header(const mc_bitcoin *chain) {
    return MC_RULE_VERSION | MC_RULE_LINKAGE | MC_RULE_TARGET | MC_RULE_PROOF_OF_WORK | MC_RULE_DIFFICULTY |
           MC_RULE_MEDIAN_TIME | (chain->bip94 ? MC_RULE_TIMEWARP : 0) | MC_RULE_FUTURE_TIME;
}

/* ---- in bulk --------------------------------------------------------------------------------------------------- */

mc_status mc_bitcoin_headers(const mc_bitcoin *chain, const mc_messages *rows, int64_t now, uint32_t *codes,
                             uint8_t *hashes, uint8_t *works, uint32_t *unchecked, mc_bitcoin_context *next,
                             uint32_t isas) {
    enum { BATCH = 256 }; /* headers that are hashed side by side, and are still in the cache afterwards */
    mc_target target = {0};
    *unchecked = 0;
    if (!(next->known & MC_KNOWS_CHAINWORK))
        next->chainwork = (mc_u256){{0}};
    for (size_t first = 0; first < rows->n; first += BATCH) {
        const size_t n = rows->n - first < BATCH ? rows->n - first : BATCH;
        mc_status status = mc_hash_messages(MC_SHA256D, NULL, 0, rows, first, n, hashes + 32 * first, isas);
        if (status != MC_OK)
            return status;
        for (size_t i = first; i < first + n; i++) {
            const uint8_t *row = rows->spans != NULL ? rows->spans[i].data : rows->rows + i * MC_HEADER_BYTES;
            codes[i] = check_header(chain, row, hashes + 32 * i, now, &target, next, NULL, unchecked);
            mc_u256_to_be(&next->chainwork, works + 32 * i);
        }
    }
    return MC_OK;
}
