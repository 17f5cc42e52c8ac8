/* Columns of Apache Arrow, as other libraries hand them over: "The Arrow C data interface" and "The Arrow C stream
 * interface" (arrow.apache.org/docs/format). The three structures are theirs, field by field; what they mean for us is
 * read in arrow.c. Nothing here calls into a producer: that, and releasing, is the caller's affair. */
#ifndef MERKLECORE_ARROW_H
#define MERKLECORE_ARROW_H

#include "merklecore.h"

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

typedef enum mc_arrow_status { /* a, b: what mc_arrow_fault holds besides the position */
                               MC_ARROW_OK = 0,
                               MC_ARROW_FORMAT,     /* none of the four types */
                               MC_ARROW_DICTIONARY, /* values stand elsewhere */
                               MC_ARROW_COLUMNS,    /* a struct of a columns */
                               MC_ARROW_EXTENT,     /* length a at offset b: negative, or more than memory has */
                               MC_ARROW_SHORT,      /* the one column of a struct has a values where b are needed */
                               MC_ARROW_BUFFERS,    /* a buffers where b are needed */
                               MC_ARROW_NO_BUFFER,  /* buffer a is NULL */
                               MC_ARROW_NULL_COUNT, /* a nulls, and no bitmap that shows them */
                               MC_ARROW_NULL,       /* at the position */
                               MC_ARROW_OFFSETS,    /* at the position: from a to b */
                               MC_ARROW_SIZE,       /* at the position: a view of a bytes */
                               MC_ARROW_VIEW,       /* at the position: into buffer a of b */
                               MC_ARROW_BEYOND, /* at the position: a view of a bytes from b on, more than its buffer
                                                   has */
} mc_arrow_status;

typedef struct mc_arrow_fault {
    size_t at;
    int64_t a, b;
} mc_arrow_fault;

enum { MC_ARROW_BINARY, MC_ARROW_LARGE_BINARY, MC_ARROW_FIXED, MC_ARROW_VIEWS };

typedef struct mc_arrow_type {
    int kind;
    int in_struct;      /* the values are those of a struct's one column: a table or a batch */
    size_t width;       /* MC_ARROW_FIXED: bytes of a value */
    const char *format; /* the schema's own: what was refused, where it was */
} mc_arrow_type;

/* One array, checked so far that its values can be looked at. */
typedef struct mc_arrow_values {
    size_t n;
    const uint8_t *rows; /* n rows of `width` bytes without gaps, where the values lie so; else NULL */
    size_t width;
    const uint8_t *items; /* offsets or views, the first value's first */
    const uint8_t *data;  /* what offsets count from */
    const void *const *buffers;
    int64_t variadic; /* data buffers of views: buffers[2] and on, their sizes behind them */
} mc_arrow_values;

mc_arrow_status mc_arrow_type_of(const struct ArrowSchema *schema, mc_arrow_type *type, mc_arrow_fault *fault);

/* `array` is one that is not released. Nulls are refused here, and offsets that decrease. */
mc_arrow_status mc_arrow_open(const mc_arrow_type *type, const struct ArrowArray *array, mc_arrow_values *values,
                              mc_arrow_fault *fault);

/* The n values as spans; views are refused that lead out of their buffers. */
mc_arrow_status mc_arrow_spans(const mc_arrow_type *type, const mc_arrow_values *values, mc_span *spans,
                               mc_arrow_fault *fault);

#endif
