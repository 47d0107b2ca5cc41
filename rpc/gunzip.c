/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/gunzip.h"

#include <limits.h>

#include <cevm/alloc.h>
#include <zlib.h>

#include "rpc/library.h"

enum { GZIP_ONLY = 16 + MAX_WBITS, STEP = 64 * 1024 };

typedef struct zlib {
    __typeof__(&inflateInit2_) init;
    __typeof__(&inflate) inflate;
    __typeof__(&inflateReset) reset;
    __typeof__(&inflateEnd) end;
} zlib;

static bool load(zlib *out)
{
    static const cevm_library_function functions[] = {{"inflateInit2_", offsetof(zlib, init)},
                                                      {"inflate", offsetof(zlib, inflate)},
                                                      {"inflateReset", offsetof(zlib, reset)},
                                                      {"inflateEnd", offsetof(zlib, end)}};
    static const cevm_library library = {"libz.so.1", "zlib1g", functions, sizeof functions / sizeof functions[0]};
    return cevm_library_load(out, &library, NULL);
}

static voidpf take(voidpf allocator, uInt count, uInt size) { return cevm_resize_array(allocator, NULL, count, size); }

static void give_back(voidpf allocator, voidpf memory) { cevm_free(allocator, memory); }

/** The next piece of the input, which may be longer than zlib can count. */
static void feed(z_stream *z, cevm_bytes *left)
{
    if (z->avail_in == 0) {
        const size_t size = left->size < UINT_MAX ? left->size : UINT_MAX;
        z->next_in = (Bytef *)(uintptr_t)left->data; /* only read */
        z->avail_in = (uInt)size;
        *left = (cevm_bytes){left->data + size, left->size - size};
    }
}

static cevm_err error_of(int status)
{
    switch (status) {
    case Z_OK:
    case Z_STREAM_END: return CEVM_OK;
    case Z_MEM_ERROR: return CEVM_ERR_NOMEM;
    default: return CEVM_ERR_ENCODING;
    }
}

static cevm_err unpack(cevm_buf *out, const zlib *lib, z_stream *z, cevm_bytes left, size_t most)
{
    uint8_t step[STEP];
    const size_t before = out->size;
    for (;;) {
        feed(z, &left);
        z->next_out = step;
        z->avail_out = sizeof step;
        const int status = lib->inflate(z, Z_NO_FLUSH);
        const size_t made = sizeof step - z->avail_out;
        cevm_err err = error_of(status); /* at the end of the input: Z_BUF_ERROR */
        if (err == CEVM_OK && made > most - (out->size - before)) {
            err = CEVM_ERR_LIMIT;
        }
        if (err == CEVM_OK) {
            cevm_buf_append(out, step, made);
            err = out->failed ? CEVM_ERR_NOMEM : CEVM_OK;
        }
        if (err == CEVM_OK && status == Z_STREAM_END) {
            if (z->avail_in == 0 && left.size == 0) {
                return CEVM_OK;
            }
            err = error_of(lib->reset(z)); /* what comes now has to be gzip again */
        }
        if (err != CEVM_OK) {
            return err;
        }
    }
}

bool cevm_is_gzip(cevm_bytes bytes) { return bytes.size >= 2 && bytes.data[0] == 0x1f && bytes.data[1] == 0x8b; }

cevm_err cevm_gunzip(cevm_buf *out, cevm_bytes packed, size_t most)
{
    zlib lib;
    z_stream z = {.zalloc = take, .zfree = give_back, .opaque = (voidpf)(uintptr_t)out->allocator};
    if (!cevm_is_gzip(packed)) {
        return CEVM_ERR_ENCODING;
    }
    if (!load(&lib)) {
        return CEVM_ERR_NOT_BUILT;
    }
    cevm_err err = error_of(lib.init(&z, GZIP_ONLY, ZLIB_VERSION, (int)sizeof z));
    if (err == CEVM_OK) {
        err = unpack(out, &lib, &z, packed, most);
        (void)lib.end(&z);
    }
    return err;
}
