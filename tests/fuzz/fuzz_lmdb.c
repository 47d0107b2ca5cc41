/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The file of the backend on disk: the input is a list of changes (three bytes of position, one of value) to a small store.
 * It is then opened with its pages looked through and used in every way. Whatever was changed, nothing may crash.
 */
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/lmdb_support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static lmdb_folder folder;
    static uint8_t *image;
    static size_t image_size;
    if (image == NULL) {
        cevm_lmdb *db = NULL;
        cevm_lmdb_error error;
        if (!lmdb_folder_make(&folder) || lmdb_open(&db, &error, &folder, true, false) != CEVM_OK ||
            lmdb_add_block(db, 0, 90, 1) != CEVM_OK || lmdb_add_block(db, 20, 90, 2) != CEVM_OK) {
            abort();
        }
        cevm_lmdb_close(db);
        image = lmdb_read_file(&image_size, folder.data);
    }
    uint8_t *copy = malloc(image_size);
    if (copy == NULL || image == NULL) {
        abort();
    }
    memcpy(copy, image, image_size);
    for (size_t i = 0; i + 4 <= size; i += 4) {
        const size_t at = (size_t)data[i] | (size_t)data[i + 1] << 8 | (size_t)data[i + 2] << 16;
        copy[at % image_size] = data[i + 3];
    }
    if (!lmdb_write_file(folder.data, copy, image_size)) {
        abort();
    }
    (void)lmdb_use_all(&folder);
    free(copy);
    return 0;
}
