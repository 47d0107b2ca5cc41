/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks off a file, one at a time: a file may be larger than memory. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/import.h"

/* A block of the largest gas limit there ever was is far smaller: what claims to be longer is no block. */
#define MAX_ITEM ((uint64_t)1024 * 1024 * 1024)

enum {
    MAX_PREFIX = 9, /* of a list: one byte, and up to eight of length */
    BUFFER = 1 << 20,
    POLL_MILLISECONDS = 100 /* how long a pipe without data can keep us from seeing that we shall stop */
};

static bool fail(cevm_block_reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(cevm_block_reader *reader, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(reader->error, sizeof reader->error, format, args);
    va_end(args);
    return false;
}

bool cevm_block_reader_open(cevm_block_reader *out, const char *path, const char *item)
{
    struct stat st;
    const bool is_stdin = strcmp(path, "-") == 0;
    *out = (cevm_block_reader){.name = is_stdin ? "standard input" : path, .item = item};
    out->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    out->buffer = malloc(BUFFER);
    if (out->fd < 0 || fstat(out->fd, &st) != 0) {
        (void)fail(out, "cannot be opened: %s", strerror(errno));
    } else if (S_ISDIR(st.st_mode)) {
        (void)fail(out, "is a folder");
    } else if (out->buffer == NULL) {
        (void)fail(out, "out of memory");
    } else {
        out->is_regular = S_ISREG(st.st_mode);
        return true;
    }
    cevm_block_reader_close(out);
    return false;
}

void cevm_block_reader_close(cevm_block_reader *reader)
{
    if (reader->fd > STDIN_FILENO) {
        (void)close(reader->fd);
    }
    free(reader->buffer);
    free(reader->data);
    reader->fd = -1;
    reader->buffer = NULL;
    reader->data = NULL;
    reader->capacity = 0;
}

/* Waits until there is something to read. False when we shall stop instead. */
static bool wait_for_data(const cevm_block_reader *reader)
{
    struct pollfd p = {.fd = reader->fd, .events = POLLIN};
    while (!reader->is_regular && poll(&p, 1, POLL_MILLISECONDS) == 0) {
        if (reader->stop != NULL && atomic_load(reader->stop)) {
            return false;
        }
    }
    return true;
}

/* Fills the buffer anew. False at the end of the file (error is then empty), or with an error. */
static bool refill(cevm_block_reader *reader)
{
    reader->used = 0;
    reader->filled = 0;
    for (;;) {
        if (!wait_for_data(reader)) {
            return fail(reader, "stopped");
        }
        const ssize_t n = read(reader->fd, reader->buffer, BUFFER);
        if (n >= 0) {
            reader->filled = (size_t)n;
            return n > 0;
        }
        if (errno != EINTR) {
            return fail(reader, "cannot be read: %s", strerror(errno));
        }
    }
}

/* Takes size bytes; *got tells how many there were. False with an error. */
static bool take(cevm_block_reader *reader, uint8_t *out, size_t size, size_t *got)
{
    *got = 0;
    while (*got < size) {
        if (reader->used == reader->filled && !refill(reader)) {
            return reader->error[0] == '\0';
        }
        const size_t there = reader->filled - reader->used;
        const size_t n = there < size - *got ? there : size - *got;
        memcpy(out + *got, reader->buffer + reader->used, n);
        reader->used += n;
        *got += n;
    }
    return true;
}

/* The same, but all of it must be there. */
static bool take_all(cevm_block_reader *reader, uint8_t *out, size_t size)
{
    size_t got = 0;
    if (!take(reader, out, size, &got)) {
        return false;
    }
    return got == size ||
           fail(reader, "the file ends in the middle of the %s that begins here; it may be cut off", reader->item);
}

static bool reserve(cevm_block_reader *reader, size_t size)
{
    if (size > reader->capacity) {
        uint8_t *data = realloc(reader->data, size);
        if (data == NULL) {
            return fail(reader, "out of memory");
        }
        reader->data = data;
        reader->capacity = size;
    }
    return true;
}

/* Bytes of the whole item whose prefix is complete in reader->data; 0 when it begins no list. */
static uint64_t item_size(const cevm_block_reader *reader, size_t prefix)
{
    const uint8_t first = reader->data[0];
    uint64_t length = 0;
    if (first < 0xc0) {
        return 0;
    }
    if (first <= 0xf7) {
        return (uint64_t)first - 0xc0 + 1;
    }
    for (size_t i = 1; i < prefix; ++i) {
        length = length > UINT64_MAX >> 8 ? UINT64_MAX : length << 8 | reader->data[i];
    }
    return length < UINT64_MAX - prefix ? length + prefix : UINT64_MAX;
}

/* The rest of an item whose first byte is in reader->data. */
static bool take_item(cevm_block_reader *reader, size_t *size)
{
    const size_t prefix = reader->data[0] > 0xf7 ? (size_t)reader->data[0] - 0xf7 + 1 : 1;
    _Static_assert(0xff - 0xf7 + 1 == MAX_PREFIX, "a prefix fits the first reserve");
    if (!take_all(reader, reader->data + 1, prefix - 1)) {
        return false;
    }
    const uint64_t whole = item_size(reader, prefix);
    if (whole == 0 && reader->data[0] == 0x1f && reader->offset == 0) {
        return fail(reader, "is compressed (gzip): unpack it first, as in `zcat FILE | ... import ... -`");
    }
    if (whole == 0) {
        return fail(reader, "no %s begins here (an RLP list)", reader->item);
    }
    if (whole > MAX_ITEM) {
        return fail(reader, "a list of more than 1 GiB is no %s", reader->item);
    }
    *size = (size_t)whole;
    return reserve(reader, *size) && take_all(reader, reader->data + prefix, *size - prefix);
}

cevm_block_read cevm_block_reader_next(cevm_block_reader *reader, cevm_bytes *rlp)
{
    size_t size = 0;
    size_t got = 0;
    reader->offset = reader->end;
    if (!reserve(reader, MAX_PREFIX) || !take(reader, reader->data, 1, &got)) {
        return CEVM_READ_FAILED;
    }
    if (got == 0) {
        return CEVM_READ_END;
    }
    if (!take_item(reader, &size)) {
        return CEVM_READ_FAILED;
    }
    reader->end = reader->offset + size;
    *rlp = (cevm_bytes){reader->data, size};
    return CEVM_READ_BLOCK;
}

bool cevm_block_reader_skip(cevm_block_reader *reader, const char *text)
{
    const size_t size = strlen(text);
    size_t got = 0;
    const bool ok = reserve(reader, size) && take(reader, reader->data, size, &got);
    reader->end += got;
    return ok && got == size && memcmp(reader->data, text, size) == 0;
}
