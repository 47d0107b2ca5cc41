/* SPDX-License-Identifier: Apache-2.0 */
/** Any bytes as RLP: an item that is read lies inside the input, and a string written again gives the bytes it came from. */
#include "state/rlp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_item(const cevm_rlp_item *item, const uint8_t *data, size_t size)
{
    if (item->whole.data < data || item->whole.data + item->whole.size > data + size ||
        item->payload.size > item->whole.size) {
        abort();
    }
    if (!item->is_list) {
        cevm_buf buf;
        cevm_buf_init(&buf, NULL);
        cevm_rlp_put_bytes(&buf, item->payload.data, item->payload.size);
        if (buf.failed || buf.size != item->whole.size || memcmp(buf.data, item->whole.data, buf.size) != 0) {
            abort();
        }
        cevm_buf_free(&buf);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Entering each list in place visits every item of the tree, each once, without recursion. */
    cevm_bytes cursor = {data, size};
    cevm_rlp_item item;
    while (cevm_rlp_next(&cursor, &item)) {
        check_item(&item, data, size);
        if (item.is_list) {
            size_t count = 0;
            (void)cevm_rlp_count(&count, item.payload);
            if (count > item.payload.size) {
                abort();
            }
            cursor = (cevm_bytes){item.payload.data, (size_t)(data + size - item.payload.data)};
        }
        cevm_bytes number = cursor;
        cevm_u256 value;
        uint64_t word = 0;
        (void)cevm_rlp_next_u256(&number, &value);
        number = cursor;
        (void)cevm_rlp_next_u64(&number, &word);
    }
    return 0;
}
