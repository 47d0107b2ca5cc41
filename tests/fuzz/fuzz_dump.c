/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What `cevm db load` reads: accounts as JSON, anvil's state, the binary dump. Input that begins with 0 is a file as it is;
 * with another byte, a list of changes (two bytes of position, one of value) to a valid one of that form, cut off where the
 * second byte says. What is read must be the same after it was written and read again, in every form.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/db.h"
#include "tests/unit/lmdb_support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FORMS = 3, MOST = 4096 };

typedef struct fuzz {
    lmdb_folder folder;
    char file[300];
    char again[300];
    cevm_db_command command;
    uint8_t *samples[FORMS];
    size_t sizes[FORMS];
} fuzz;

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void begin(const fuzz *f) { need(f->command.db.vtable->begin_block(f->command.db.ctx) == CEVM_OK); }

/** Takes everything out of the store again. */
static void drop(const fuzz *f) { need(f->command.db.vtable->end_block(f->command.db.ctx, false) == CEVM_OK); }

static void root_of(const fuzz *f, cevm_hash *out)
{
    need(f->command.db.vtable->root(f->command.db.ctx, out) == CEVM_OK);
}

static void make_samples(fuzz *f)
{
    static const char start[] =
        "{\"0x00000000000000000000000000000000000000aa\":{\"balance\":\"0x5\",\"nonce\":\"0x1\","
        "\"code\":\"0x6001\",\"storage\":{\"0x01\":\"0x02\",\"0xff00\":\"0x1234\"}},"
        "\"00000000000000000000000000000000000000bb\":{\"balance\":\"1000000007\"}}";
    need(lmdb_write_file(f->file, (const uint8_t *)start, sizeof start - 1));
    begin(f);
    need(cevm_db_load(&f->command, f->file));
    for (size_t i = 0; i < FORMS; ++i) {
        cevm_hash root;
        root_of(f, &root);
        need(cevm_db_dump(&f->command, f->again, (cevm_dump_format)i));
        f->samples[i] = lmdb_read_file(&f->sizes[i], f->again);
        need(f->samples[i] != NULL);
    }
    drop(f);
}

static void set_up(fuzz *f)
{
    cevm_lmdb_error error;
    cevm_lmdb *store = NULL;
    if (access("/dev/shm", W_OK) == 0) {
        (void)setenv("TMPDIR", "/dev/shm", 1);
    }
    need(lmdb_folder_make(&f->folder) && lmdb_open(&store, &error, &f->folder, true, false) == CEVM_OK);
    (void)snprintf(f->file, sizeof f->file, "%s.in", f->folder.path);
    (void)snprintf(f->again, sizeof f->again, "%s.out", f->folder.path);
    f->command = (cevm_db_command){
        .command = "fuzz", .data_dir = f->folder.path, .store = store, .db = cevm_lmdb_interface(store)};
    make_samples(f);
}

/** Writes what was read in each form, and reads it into the empty store. */
static void check_forms(const fuzz *f)
{
    cevm_hash root;
    cevm_hash again;
    root_of(f, &root);
    for (size_t i = 0; i < FORMS; ++i) {
        cevm_db_command c = f->command;
        need(cevm_db_dump(&c, f->again, (cevm_dump_format)i));
        drop(f);
        begin(f);
        need(cevm_db_load(&c, f->again));
        root_of(f, &again);
        need(cevm_hash_equal(&root, &again));
    }
}

static bool write_input(const fuzz *f, const uint8_t *data, size_t size)
{
    static uint8_t bytes[MOST];
    if (data[0] == 0) {
        return lmdb_write_file(f->file, data + 1, size - 1);
    }
    const size_t form = data[0] % FORMS;
    size_t length = f->sizes[form];
    need(length <= sizeof bytes);
    memcpy(bytes, f->samples[form], length);
    for (size_t i = 2; i + 3 <= size; i += 3) {
        bytes[((size_t)data[i] | (size_t)data[i + 1] << 8) % length] = data[i + 2];
    }
    length = data[1] == 0 ? length : length * data[1] / 255;
    return lmdb_write_file(f->file, bytes, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fuzz f;
    static FILE *nowhere;
    if (nowhere == NULL) {
        nowhere = fopen("/dev/null", "w");
        need(nowhere != NULL);
        set_up(&f);
    }
    if (size < 2 || !write_input(&f, data, size)) {
        return 0;
    }
    FILE *const shown = stderr;
    stderr = nowhere; /* every refusal comes with a message */
    begin(&f);
    cevm_db_command c = f.command;
    if (cevm_db_load(&c, f.file)) {
        check_forms(&f);
    }
    drop(&f);
    stderr = shown;
    return 0;
}
