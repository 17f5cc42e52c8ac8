/* Arrow columns to spans: binary, large_binary, fixed_size_binary and binary_view, bare or as the one column of a
 * struct.
 *
 * Buffers, in the order of the columnar format (arrow.apache.org/docs/format/Columnar.html, "Buffer Listing for Each
 * Layout"), behind the validity bitmap: offsets and data; values; views, data buffers, and the sizes of these.
 * Everything a producer says in numbers is bounded before it is used. What it does not say is the size of a buffer,
 * but for the data buffers of views: that offsets stay within the data, and that bitmaps, offsets and values are as
 * long as the length promises, has to be believed. */
#include "arrow.h"

#include <string.h>

enum { INLINE_BYTES = 12, VIEW_BYTES = 16 };
#define MOST_BYTES ((uint64_t)PTRDIFF_MAX)

static const uint8_t NOTHING[1]; /* where an empty value stands */

/* Buffers are not always aligned. */
static int32_t load32(const uint8_t *at) {
    int32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static int64_t load64(const uint8_t *at) {
    int64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static mc_arrow_status fail(mc_arrow_status status, mc_arrow_fault *fault, size_t at, int64_t a, int64_t b) {
    *fault = (mc_arrow_fault){at, a, b};
    return status;
}

/* ---- types ---------------------------------------------------------------------------------------------------- */

/* The N of "w:N": digits only, no zeros before them, at most what Arrow's own int32 holds. */
static int parse_width(const char *digits, size_t *width) {
    uint64_t value = 0;
    if (digits[0] == '\0' || (digits[0] == '0' && digits[1] != '\0'))
        return 0;
    for (; *digits != '\0'; digits++) {
        if (*digits < '0' || *digits > '9')
            return 0;
        value = 10 * value + (uint64_t)(*digits - '0');
        if (value > INT32_MAX)
            return 0;
    }
    *width = (size_t)value;
    return 1;
}

/* An extension type is its storage for whoever does not know it, as the specification says: its name is not asked. */
mc_arrow_status mc_arrow_type_of(const struct ArrowSchema *schema, mc_arrow_type *type, mc_arrow_fault *fault) {
    *type = (mc_arrow_type){.format = schema->format};
    if (schema->format != NULL && strcmp(schema->format, "+s") == 0) {
        if (schema->n_children != 1)
            return fail(MC_ARROW_COLUMNS, fault, 0, schema->n_children, 0);
        type->format = NULL;
        if (schema->children == NULL || schema->children[0] == NULL || schema->children[0]->release == NULL)
            return fail(MC_ARROW_FORMAT, fault, 0, 0, 0);
        schema = schema->children[0];
        type->format = schema->format;
        type->in_struct = 1;
    }
    if (schema->dictionary != NULL)
        return fail(MC_ARROW_DICTIONARY, fault, 0, 0, 0);
    const char *format = schema->format != NULL ? schema->format : "";
    if (strcmp(format, "z") == 0)
        type->kind = MC_ARROW_BINARY;
    else if (strcmp(format, "Z") == 0)
        type->kind = MC_ARROW_LARGE_BINARY;
    else if (strcmp(format, "vz") == 0)
        type->kind = MC_ARROW_VIEWS;
    else if (strncmp(format, "w:", 2) == 0 && parse_width(format + 2, &type->width))
        type->kind = MC_ARROW_FIXED;
    else
        return fail(MC_ARROW_FORMAT, fault, 0, 0, 0);
    return MC_ARROW_OK;
}

/* ---- one array ------------------------------------------------------------------------------------------------ */

/* The first of n bits from `start` on that is 0, or n. */
static size_t first_zero(const uint8_t *bits, size_t start, size_t n) {
    static const uint8_t ones[8] = {255, 255, 255, 255, 255, 255, 255, 255};
    size_t i = 0;
    while (i < n) {
        const uint8_t *at = bits + (start + i) / 8;
        if ((start + i) % 8 == 0 && n - i >= 64 && memcmp(at, ones, 8) == 0)
            i += 64;
        else if (*at >> (start + i) % 8 & 1)
            i++;
        else
            return i;
    }
    return n;
}

/* Length and offset that memory can hold, `unit` bytes each and one of them more. */
static mc_arrow_status check_extent(const struct ArrowArray *array, uint64_t unit, mc_arrow_fault *fault) {
    const uint64_t most = MOST_BYTES / (unit ? unit : 1) - 1;
    if (array->length < 0 || array->offset < 0 || (uint64_t)array->length > most ||
        (uint64_t)array->offset > most - (uint64_t)array->length)
        return fail(MC_ARROW_EXTENT, fault, 0, array->length, array->offset);
    return MC_ARROW_OK;
}

/* So many buffers, of views also more, as many as int32 can count; and no null among n values from `start` on. The
 * bitmap is the truth: the count of nulls may be unknown (-1), or that of a longer array from which this one is cut.
 */
static mc_arrow_status check_buffers(const struct ArrowArray *array, int64_t wanted, int or_more, size_t start,
                                     size_t n, mc_arrow_fault *fault) {
    if (array->n_buffers < wanted || array->n_buffers > wanted + (or_more ? INT32_MAX : (int64_t)0))
        return fail(MC_ARROW_BUFFERS, fault, 0, array->n_buffers, wanted);
    if (array->buffers == NULL)
        return fail(MC_ARROW_NO_BUFFER, fault, 0, 0, 0);
    if (array->buffers[0] == NULL)
        return array->null_count == 0 || array->null_count == -1
                   ? MC_ARROW_OK
                   : fail(MC_ARROW_NULL_COUNT, fault, 0, array->null_count, 0);
    const size_t null = first_zero(array->buffers[0], start, n);
    return null == n ? MC_ARROW_OK : fail(MC_ARROW_NULL, fault, null, 0, 0);
}

/* Offset i of a column: int32 of binary, int64 of large_binary. */
static int64_t offset_at(int kind, const uint8_t *items, size_t i) {
    return kind == MC_ARROW_BINARY ? load32(items + 4 * i) : load64(items + 8 * i);
}

/* Offsets that never decrease. Where they grow by the same each time, the values are rows. */
static mc_arrow_status open_offsets(const mc_arrow_type *type, mc_arrow_values *values, mc_arrow_fault *fault) {
    const int kind = type->kind;
    const int64_t first = offset_at(kind, values->items, 0);
    const uint64_t step = (uint64_t)offset_at(kind, values->items, 1) - (uint64_t)first;
    int64_t start = first;
    uint64_t unlike = 0;
    for (size_t i = 0; i < values->n; i++) {
        const int64_t end = offset_at(kind, values->items, i + 1);
        if (start < 0 || end < start || (uint64_t)end > MOST_BYTES)
            return fail(MC_ARROW_OFFSETS, fault, i, start, end);
        unlike |= (uint64_t)(end - start) ^ step;
        start = end;
    }
    if (values->data == NULL) {
        if (start > first)
            return fail(MC_ARROW_NO_BUFFER, fault, 0, 2, 0);
        values->data = NOTHING;
        values->rows = NOTHING;
    } else if (unlike == 0) {
        values->rows = values->data + first;
        values->width = (size_t)step;
    }
    return MC_ARROW_OK;
}

mc_arrow_status mc_arrow_open(const mc_arrow_type *type, const struct ArrowArray *array, mc_arrow_values *values,
                              mc_arrow_fault *fault) {
    static const uint8_t offset_bytes[] = {[MC_ARROW_BINARY] = 4, [MC_ARROW_LARGE_BINARY] = 8};
    const int kind = type->kind;
    const uint64_t unit = kind == MC_ARROW_FIXED   ? type->width
                          : kind == MC_ARROW_VIEWS ? VIEW_BYTES
                                                   : offset_bytes[kind];
    mc_arrow_status status = check_extent(array, 1, fault);
    if (status != MC_ARROW_OK)
        return status;
    const size_t n = (size_t)array->length;
    size_t start = (size_t)array->offset;
    if (type->in_struct) { /* offset and length of the struct cut its column */
        status = check_buffers(array, 1, 0, start, n, fault);
        if (status != MC_ARROW_OK)
            return status;
        if (array->n_children != 1)
            return fail(MC_ARROW_COLUMNS, fault, 0, array->n_children, 0);
        if (array->children == NULL || array->children[0] == NULL || array->children[0]->release == NULL)
            return fail(MC_ARROW_SHORT, fault, 0, 0, (int64_t)(start + n));
        array = array->children[0];
        status = check_extent(array, unit, fault);
        if (status != MC_ARROW_OK)
            return status;
        if ((size_t)array->length < start + n)
            return fail(MC_ARROW_SHORT, fault, 0, array->length, (int64_t)(start + n));
        start += (size_t)array->offset;
    } else {
        status = check_extent(array, unit, fault);
        if (status != MC_ARROW_OK)
            return status;
    }
    status = check_buffers(array, kind == MC_ARROW_FIXED ? 2 : 3, kind == MC_ARROW_VIEWS, start, n, fault);
    if (status != MC_ARROW_OK)
        return status;
    *values = (mc_arrow_values){.n = n, .width = type->width, .buffers = array->buffers};
    if (n == 0) { /* its buffers may be missing */
        values->rows = NOTHING;
        return MC_ARROW_OK;
    }
    const uint8_t *items = array->buffers[1];
    if (items == NULL) {
        if (unit > 0)
            return fail(MC_ARROW_NO_BUFFER, fault, 0, 1, 0);
        items = NOTHING;
    }
    values->items = items + start * unit;
    if (kind == MC_ARROW_FIXED) {
        values->rows = values->items;
    } else if (kind == MC_ARROW_VIEWS) {
        values->variadic = array->n_buffers - 3;
        if (values->variadic > 0 && array->buffers[array->n_buffers - 1] == NULL)
            return fail(MC_ARROW_NO_BUFFER, fault, 0, array->n_buffers - 1, 0);
    } else {
        values->data = array->buffers[2];
        return open_offsets(type, values, fault);
    }
    return MC_ARROW_OK;
}

/* ---- its values ------------------------------------------------------------------------------------------------ */

/* A view: 4 bytes of size, then the value itself, or its first 4 bytes, the number of a data buffer and where in it.
 * The copy of the first bytes is for those who compare; the value is what the buffer holds. */
static mc_arrow_status view_spans(const mc_arrow_values *values, mc_span *spans, mc_arrow_fault *fault) {
    const uint8_t *view = values->items;
    for (size_t i = 0; i < values->n; i++, view += VIEW_BYTES) {
        const int32_t size = load32(view);
        if (size < 0)
            return fail(MC_ARROW_SIZE, fault, i, size, 0);
        spans[i] = (mc_span){view + 4, (size_t)size};
        if (size <= INLINE_BYTES)
            continue;
        const int32_t buffer = load32(view + 8), from = load32(view + 12);
        if (buffer < 0 || buffer >= values->variadic)
            return fail(MC_ARROW_VIEW, fault, i, buffer, values->variadic);
        const uint8_t *sizes = values->buffers[2 + values->variadic], *data = values->buffers[2 + buffer];
        if (from < 0 || (int64_t)from + size > load64(sizes + 8 * (size_t)buffer))
            return fail(MC_ARROW_BEYOND, fault, i, size, from);
        if (data == NULL)
            return fail(MC_ARROW_NO_BUFFER, fault, 0, 2 + (int64_t)buffer, 0);
        spans[i].data = data + from;
    }
    return MC_ARROW_OK;
}

mc_arrow_status mc_arrow_spans(const mc_arrow_type *type, const mc_arrow_values *values, mc_span *spans,
                               mc_arrow_fault *fault) {
    if (values->rows != NULL) {
        for (size_t i = 0; i < values->n; i++)
            spans[i] = (mc_span){values->rows + i * values->width, values->width};
        return MC_ARROW_OK;
    }
    if (type->kind == MC_ARROW_VIEWS)
        return view_spans(values, spans, fault);
    int64_t start = offset_at(type->kind, values->items, 0);
    for (size_t i = 0; i < values->n; i++) {
        const int64_t end = offset_at(type->kind, values->items, i + 1);
        spans[i] = (mc_span){values->data + start, (size_t)(end - start)};
        start = end;
    }
    return MC_ARROW_OK;
}
