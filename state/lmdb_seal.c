/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/lmdb_seal.c: the note that a store was closed in good order, so that its file need not be looked through when it is
 * opened again. It stands in writer.lock and says what the file system said of the file then: whatever is written into the
 * file afterwards, and every copy, has another time of change. While a store is open for writing there is none.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/lmdb_internal.h"

enum { WORDS = 6, SEAL = 8 * (1 + WORDS) };

static bool make_seal(uint8_t out[SEAL], int data)
{
    static const uint8_t name[8] = {'c', 'e', 'v', 'm', 's', 'e', 'a', 'l'};
    struct stat info;
    if (fstat(data, &info) != 0) {
        return false;
    }
    const uint64_t words[WORDS] = {(uint64_t)info.st_size,        (uint64_t)info.st_ino,
                                   (uint64_t)info.st_mtim.tv_sec, (uint64_t)info.st_mtim.tv_nsec,
                                   (uint64_t)info.st_ctim.tv_sec, (uint64_t)info.st_ctim.tv_nsec};
    memcpy(out, name, sizeof name);
    for (size_t i = 0; i < WORDS; ++i) {
        cevm_store_be64(out + 8 * (1 + i), words[i]);
    }
    return true;
}

bool cevm_lmdb_is_sealed(int lock, int data)
{
    uint8_t there[SEAL];
    uint8_t expected[SEAL];
    return lock >= 0 && pread(lock, there, sizeof there, 0) == (ssize_t)sizeof there && make_seal(expected, data) &&
           memcmp(there, expected, sizeof there) == 0;
}

void cevm_lmdb_put_seal(int lock, int data)
{
    uint8_t seal[SEAL];
    if (make_seal(seal, data) && pwrite(lock, seal, sizeof seal, 0) != (ssize_t)sizeof seal) {
        (void)cevm_lmdb_break_seal(lock); /* half of one is none, but tidy */
    }
}

bool cevm_lmdb_break_seal(int lock) { return ftruncate(lock, 0) == 0; }
