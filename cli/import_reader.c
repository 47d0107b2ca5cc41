/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks off a file, one at a time: a file may be larger than memory. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/import.h"

/* A block of the largest gas limit there ever was is far smaller: what claims to be longer is no block. */
#define MAX_ITEM ((uint64_t)1024 * 1024 * 1024)

/* The prefix of a list: one byte, and up to eight of length. */
enum { MAX_PREFIX = 9 };

bool cevm_block_reader_open(cevm_block_reader *out, const char *command, const char *path)
{
    struct stat st;
    const bool is_stdin = strcmp(path, "-") == 0;
    *out = (cevm_block_reader){.name = is_stdin ? "standard input" : path, .item = "block"};
    out->file = is_stdin ? stdin : fopen(path, "rb");
    if (out->file == NULL || fstat(fileno(out->file), &st) != 0) {
        (void)fprintf(stderr, "%s: %s: cannot be opened: %s\n", command, path, strerror(errno));
        cevm_block_reader_close(out);
        return false;
    }
    if (S_ISDIR(st.st_mode)) {
        (void)fprintf(stderr, "%s: %s: is a folder\n", command, path);
        cevm_block_reader_close(out);
        return false;
    }
    out->size = S_ISREG(st.st_mode) && st.st_size > 0 ? (uint64_t)st.st_size : 0;
    return true;
}

void cevm_block_reader_close(cevm_block_reader *reader)
{
    if (reader->file != NULL && reader->file != stdin) {
        (void)fclose(reader->file);
    }
    free(reader->data);
    *reader = (cevm_block_reader){0};
}

static cevm_block_read fail(const cevm_block_reader *reader, const char *command, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static cevm_block_read fail(const cevm_block_reader *reader, const char *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fprintf(stderr, "%s: %s: byte %" PRIu64 ": ", command, reader->name, reader->offset);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    return CEVM_READ_FAILED;
}

static cevm_block_read fail_reading(const cevm_block_reader *reader, const char *command)
{
    if (ferror(reader->file)) {
        return fail(reader, command, "cannot be read: %s", strerror(errno));
    }
    return fail(reader, command, "the file ends in the middle of the %s that begins here; it may be cut off",
                reader->item);
}

static bool reserve(cevm_block_reader *reader, size_t size)
{
    if (size > reader->capacity) {
        uint8_t *data = realloc(reader->data, size);
        if (data == NULL) {
            return false;
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

cevm_block_read cevm_block_reader_next(cevm_block_reader *reader, cevm_bytes *rlp, const char *command)
{
    reader->offset = reader->end;
    if (!reserve(reader, 4096)) {
        return fail(reader, command, "out of memory");
    }
    if (fread(reader->data, 1, 1, reader->file) != 1) {
        return ferror(reader->file) ? fail_reading(reader, command) : CEVM_READ_END;
    }
    const size_t prefix = reader->data[0] > 0xf7 ? (size_t)reader->data[0] - 0xf7 + 1 : 1;
    _Static_assert(0xff - 0xf7 + 1 == MAX_PREFIX, "a prefix fits the first reserve");
    if (prefix > 1 && fread(reader->data + 1, 1, prefix - 1, reader->file) != prefix - 1) {
        return fail_reading(reader, command);
    }
    const uint64_t size = item_size(reader, prefix);
    if (size == 0 && reader->data[0] == 0x1f && reader->offset == 0) {
        return fail(reader, command, "is compressed (gzip): unpack it first, as in `zcat FILE | ... import ... -`");
    }
    if (size == 0) {
        return fail(reader, command, "no %s begins here (an RLP list)", reader->item);
    }
    if (size > MAX_ITEM) {
        return fail(reader, command, "a list of more than 1 GiB is no %s", reader->item);
    }
    if (!reserve(reader, (size_t)size)) {
        return fail(reader, command, "out of memory");
    }
    if (fread(reader->data + prefix, 1, (size_t)size - prefix, reader->file) != (size_t)size - prefix) {
        return fail_reading(reader, command);
    }
    reader->end = reader->offset + size;
    *rlp = (cevm_bytes){reader->data, (size_t)size};
    return CEVM_READ_BLOCK;
}
