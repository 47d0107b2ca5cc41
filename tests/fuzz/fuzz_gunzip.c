/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Any bytes as a packed state, behind a header of gzip's: an error of those that are promised, or at most as much as was
 * asked for; the same when it is asked for again, and a limit below that is kept.
 */
#include <stdlib.h>

#include "rpc/gunzip.h"

enum { MOST = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static cevm_err unpack(cevm_buf *out, const cevm_buf *packed, size_t most)
{
    cevm_buf_clear(out);
    const cevm_err err = cevm_gunzip(out, (cevm_bytes){packed->data, packed->size}, most);
    if ((err != CEVM_OK && err != CEVM_ERR_ENCODING && err != CEVM_ERR_LIMIT) || out->size > most) {
        abort();
    }
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t header[] = {0x1f, 0x8b, 8};
    cevm_buf packed;
    cevm_buf out;
    cevm_buf_init(&packed, NULL);
    cevm_buf_init(&out, NULL);
    cevm_buf_append(&packed, header, sizeof header);
    cevm_buf_append(&packed, data, size);
    const cevm_err err = unpack(&out, &packed, MOST);
    const size_t made = out.size;
    if (unpack(&out, &packed, MOST) != err || out.size != made) {
        abort();
    }
    if (err == CEVM_OK && made != 0 && unpack(&out, &packed, made - 1) != CEVM_ERR_LIMIT) {
        abort();
    }
    cevm_buf_free(&packed);
    cevm_buf_free(&out);
    return 0;
}
