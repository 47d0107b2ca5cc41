/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an import stopped, as a file: a line that names the format, then RLP lists: the point of the chain, each account,
 * and an empty list at the end. Integrity needs no sum: the state root of the head is over all accounts.
 */
#include <cevm/crypto.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/import.h"
#include "cli/replace.h"
#include "state/rlp.h"

static const char magic[] = "cevm chain state 1\n";

void cevm_import_point_free(cevm_import_point *point)
{
    for (size_t i = 0; i < CEVM_IMPORT_RECENT; ++i) {
        free(point->recent[i].data);
    }
    free(point->header_rlp);
    *point = (cevm_import_point){.head = {.number = 0}};
}

/** Number and hash of a block by its header alone; false when the bytes are no block. */
static bool peek(uint64_t *number, cevm_hash *hash, cevm_bytes rlp)
{
    cevm_bytes block;
    cevm_rlp_item item;
    cevm_header header;
    cevm_block_error reason;
    if (!cevm_rlp_next_list(&rlp, &block) || !cevm_rlp_next(&block, &item) || !item.is_list ||
        cevm_header_decode(&header, &reason, item.whole) != CEVM_OK) {
        return false;
    }
    *number = header.number;
    cevm_keccak256(hash, item.whole.data, item.whole.size);
    return true;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

typedef struct saver {
    FILE *file;
    cevm_memdb *db;
    cevm_buf buf; /* the record that is being made */
    cevm_err err; /* the store could not be read */
} saver;

static bool flush(saver *s)
{
    const bool ok = !s->buf.failed && fwrite(s->buf.data, 1, s->buf.size, s->file) == s->buf.size;
    if (s->buf.failed) {
        s->err = CEVM_ERR_NOMEM;
    }
    cevm_buf_clear(&s->buf);
    return ok;
}

static void put_point(cevm_buf *buf, const cevm_import_point *p)
{
    const size_t list = cevm_rlp_list_begin(buf);
    cevm_rlp_put_hash(buf, &p->genesis);
    cevm_rlp_put_bytes(buf, p->header_rlp, p->header_size);
    cevm_rlp_put_u256(buf, &p->total_difficulty);
    cevm_rlp_put_u64(buf, p->is_merged ? 1 : 0);
    const size_t ancestors = cevm_rlp_list_begin(buf);
    for (size_t i = 0; i < p->ancestor_count; ++i) {
        cevm_rlp_put_hash(buf, &p->ancestors[i]);
    }
    cevm_rlp_list_end(buf, ancestors);
    const size_t recent = cevm_rlp_list_begin(buf);
    for (size_t i = 0; i < p->recent_count; ++i) {
        cevm_rlp_put_bytes(buf, p->recent[i].data, p->recent[i].size);
    }
    cevm_rlp_list_end(buf, recent);
    cevm_rlp_list_end(buf, list);
}

static bool save_slot(void *user, const cevm_u256 *key, const cevm_u256 *value)
{
    saver *s = user;
    cevm_rlp_put_u256(&s->buf, key);
    cevm_rlp_put_u256(&s->buf, value);
    return !s->buf.failed;
}

static bool save_account(void *user, const cevm_address *address, const cevm_db_account *account, cevm_bytes code)
{
    saver *s = user;
    const size_t list = cevm_rlp_list_begin(&s->buf);
    cevm_rlp_put_address(&s->buf, address);
    cevm_rlp_put_u64(&s->buf, account->nonce);
    cevm_rlp_put_u256(&s->buf, &account->balance);
    cevm_rlp_put_bytes(&s->buf, code.data, code.size);
    const size_t slots = cevm_rlp_list_begin(&s->buf);
    s->err = cevm_memdb_for_each_slot(s->db, address, save_slot, s);
    cevm_rlp_list_end(&s->buf, slots);
    cevm_rlp_list_end(&s->buf, list);
    return s->err == CEVM_OK && flush(s);
}

/* Everything into an open file. False with errno, or with s->err, set. */
static bool save_all(saver *s, const cevm_import_point *point)
{
    cevm_buf_append(&s->buf, magic, sizeof magic - 1);
    put_point(&s->buf, point);
    if (!flush(s)) {
        return false;
    }
    const cevm_err err = cevm_memdb_for_each_account(s->db, save_account, s);
    if (err != CEVM_OK || s->err != CEVM_OK || ferror(s->file)) {
        s->err = s->err != CEVM_OK ? s->err : err;
        return false;
    }
    cevm_rlp_list_end(&s->buf, cevm_rlp_list_begin(&s->buf));
    return flush(s) && fflush(s->file) == 0;
}

bool cevm_import_state_save(const cevm_import_point *point, cevm_memdb *db, const char *command, const char *path)
{
    saver s = {.db = db, .err = CEVM_OK};
    const size_t size = strlen(path) + sizeof ".new";
    char *temporary = malloc(size); /* beside the old one, which stays until the new one is whole */
    if (temporary == NULL) {
        (void)fprintf(stderr, "%s: %s: out of memory\n", command, path);
        return false;
    }
    (void)snprintf(temporary, size, "%s.new", path);
    errno = 0;
    cevm_buf_init(&s.buf, NULL);
    s.file = fopen(temporary, "wb");
    bool ok = s.file != NULL && save_all(&s, point);
    if (s.file != NULL) {
        ok = fclose(s.file) == 0 && ok;
    }
    ok = ok && cevm_replace_file(temporary, path);
    if (!ok) {
        (void)fprintf(stderr, "%s: %s: cannot be written: %s\n", command, path,
                      s.err != CEVM_OK ? cevm_err_string(s.err) : strerror(errno));
        (void)unlink(temporary);
    }
    cevm_buf_free(&s.buf);
    free(temporary);
    return ok;
}

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

static bool take_copy(uint8_t **out, size_t *size, cevm_bytes bytes)
{
    *out = malloc(bytes.size + 1);
    *size = bytes.size;
    if (*out != NULL && bytes.size != 0) {
        memcpy(*out, bytes.data, bytes.size);
    }
    return *out != NULL;
}

static bool take_recent(cevm_import_point *out, cevm_bytes list)
{
    cevm_bytes rlp;
    uint64_t number;
    while (list.size != 0 && out->recent_count < CEVM_IMPORT_RECENT) {
        cevm_import_block *block = &out->recent[out->recent_count];
        if (!cevm_rlp_next_string(&list, &rlp) || !take_copy(&block->data, &block->size, rlp)) {
            return false;
        }
        block->capacity = block->size;
        if (!peek(&number, &block->hash, rlp)) {
            return false;
        }
        out->recent_count++;
    }
    return list.size == 0;
}

static bool take_point(cevm_import_point *out, cevm_bytes record)
{
    cevm_bytes p;
    cevm_bytes header;
    cevm_bytes list;
    uint64_t merged = 0;
    cevm_block_error reason;
    if (!cevm_rlp_next_list(&record, &p) || !cevm_rlp_next_exact(&p, out->genesis.bytes, sizeof out->genesis.bytes) ||
        !cevm_rlp_next_string(&p, &header) || !take_copy(&out->header_rlp, &out->header_size, header) ||
        cevm_rlp_next_u256(&p, &out->total_difficulty) != CEVM_RLP_NUMBER_OK ||
        cevm_rlp_next_u64(&p, &merged) != CEVM_RLP_NUMBER_OK || merged > 1 || !cevm_rlp_next_list(&p, &list)) {
        return false;
    }
    out->is_merged = merged == 1;
    for (; list.size != 0 && out->ancestor_count < CEVM_IMPORT_HASHES; ++out->ancestor_count) {
        if (!cevm_rlp_next_exact(&list, out->ancestors[out->ancestor_count].bytes, sizeof(cevm_hash))) {
            return false;
        }
    }
    const cevm_bytes rlp = {out->header_rlp, out->header_size};
    return list.size == 0 && cevm_rlp_next_list(&p, &list) && take_recent(out, list) && p.size == 0 &&
           cevm_header_decode(&out->head, &reason, rlp) == CEVM_OK;
}

/* Slots of an account, in memory of malloc; NULL when they are none or (*ok false) not what they should be. */
static cevm_slot_change *take_slots(bool *ok, size_t *count, cevm_bytes list)
{
    size_t words = 0;
    *count = 0;
    *ok = cevm_rlp_count(&words, list) && words % 2 == 0;
    cevm_slot_change *slots = *ok && words != 0 ? calloc(words / 2, sizeof *slots) : NULL;
    *ok = *ok && (words == 0 || slots != NULL);
    for (; *ok && *count < words / 2; ++*count) {
        cevm_slot_change *slot = &slots[*count];
        *ok = cevm_rlp_next_u256(&list, &slot->key) == CEVM_RLP_NUMBER_OK &&
              cevm_rlp_next_u256(&list, &slot->value) == CEVM_RLP_NUMBER_OK;
    }
    return slots;
}

static bool take_account(cevm_memdb *db, cevm_bytes record)
{
    const cevm_db store = cevm_memdb_interface(db);
    cevm_account_change change = {.storage_cleared = true, .code_changed = true};
    const cevm_diff diff = {.accounts = &change, .account_count = 1};
    cevm_bytes a;
    cevm_bytes list = {NULL, 0};
    bool ok = cevm_rlp_next_list(&record, &a) &&
              cevm_rlp_next_exact(&a, change.address.bytes, sizeof change.address.bytes) &&
              cevm_rlp_next_u64(&a, &change.nonce) == CEVM_RLP_NUMBER_OK &&
              cevm_rlp_next_u256(&a, &change.balance) == CEVM_RLP_NUMBER_OK && cevm_rlp_next_string(&a, &change.code) &&
              cevm_rlp_next_list(&a, &list) && a.size == 0;
    if (!ok) {
        return false;
    }
    cevm_slot_change *slots = take_slots(&ok, &change.slot_count, list);
    change.slots = slots;
    cevm_keccak256(&change.code_hash, change.code.data, change.code.size);
    ok = ok && store.vtable->commit(store.ctx, &diff) == CEVM_OK;
    free(slots);
    return ok;
}

static bool say(const cevm_block_reader *reader, const char *command, const char *what)
{
    (void)fprintf(stderr, "%s: %s: byte %ju: %s\n", command, reader->name, (uintmax_t)reader->offset, what);
    return false;
}

static bool read_records(cevm_import_point *out, cevm_memdb *db, cevm_block_reader *reader, const char *command)
{
    cevm_bytes rlp;
    for (bool first = true;; first = false) {
        const cevm_block_read got = cevm_block_reader_next(reader, &rlp);
        if (got != CEVM_READ_BLOCK) {
            return say(reader, command, got == CEVM_READ_FAILED ? reader->error : "the file is cut off here");
        }
        if (rlp.size == 1 && !first) {
            return true; /* the empty list at the end */
        }
        if (!(first ? take_point(out, rlp) : take_account(db, rlp))) {
            return say(reader, command, "this is no record of a chain's state, or memory ran out");
        }
    }
}

bool cevm_import_state_load(cevm_import_point *out, cevm_memdb *db, const char *command, const char *path)
{
    cevm_block_reader reader;
    *out = (cevm_import_point){.head = {.number = 0}};
    if (!cevm_block_reader_open(&reader, path, "record")) {
        (void)fprintf(stderr, "%s: %s: %s\n", command, path, reader.error);
        return false;
    }
    bool ok = cevm_block_reader_skip(&reader, magic);
    if (!ok) {
        (void)fprintf(stderr, "%s: %s: is not a chain state this version wrote\n", command, path);
    }
    ok = ok && read_records(out, db, &reader, command);
    cevm_block_reader_close(&reader);
    if (!ok) {
        cevm_import_point_free(out);
    }
    return ok;
}
