/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/remote_cache.c: the file of the remote backend. It begins with its name and version; after that records are only
 * ever added. All numbers are big-endian, so the file may go to any machine.
 *
 *   record   size of the payload (4 bytes), kind (1), keccak256 of those five bytes (its first 3), payload,
 *            keccak256 of the payload (its first 8 bytes)
 *   block    chain id, hash, header: which states there are
 *   state    hash of the block, then accounts ('A', address, nonce, balance, code hash) and slots ('S', address, key, value)
 *   code     the code; its hash is its name
 *   hashes   chain id, then numbers and hashes of blocks
 *
 * State is filed under the hash of its block: what another branch had at the same number is never taken for it. Code and
 * block hashes serve all blocks.
 *
 * Several processes may share a file: each locks it while it reads what others have added, takes that over, and adds its
 * own. A record that was not written to its end is cut off by the next who adds; anything else that is not as it should be
 * is an error, and nothing is changed.
 */
#include "state/remote_internal.h"

#include <cevm/alloc.h>
#include <cevm/crypto.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[16] = "cevm-remote 1\n\n";

enum {
    RECORD_BLOCK = 1,
    RECORD_STATE = 2,
    RECORD_CODE = 3,
    RECORD_HASHES = 4,
    HEAD = 8,
    TAIL = 8,
    PIECE = 1 << 16,
    MAX_PAYLOAD = 1 << 25,
    FULL = 1 << 20 /* a record of state ends when it is so large */
};

/** What is done with a record; the payload is whole. */
typedef cevm_err (*visit_record)(cevm_remote *remote, void *user, int kind, cevm_bytes payload);

static cevm_err damaged(cevm_remote *remote, uint64_t at)
{
    return cevm_remote_fail(remote, CEVM_ERR_BACKEND, "%s is damaged at byte %" PRIu64, remote->cache.path, at);
}

static cevm_err io_failed(cevm_remote *remote, const char *what)
{
    const int why = errno;
    char text[96] = "";
    const char *reason = strerror_r(why, text, sizeof text); /* GNU's, which need not use the buffer */
    return cevm_remote_fail(remote, CEVM_ERR_IO, "cannot %s %s: %s", what, remote->cache.path, reason);
}

/* ---- Payloads --------------------------------------------------------------------------------------------------------- */

static void put_u64(cevm_buf *buf, uint64_t number)
{
    uint8_t bytes[8];
    cevm_store_be64(bytes, number);
    cevm_buf_append(buf, bytes, sizeof bytes);
}

static void put_word(cevm_buf *buf, const cevm_u256 *word)
{
    uint8_t bytes[32];
    cevm_u256_to_be(bytes, word);
    cevm_buf_append(buf, bytes, sizeof bytes);
}

/** Takes bytes off the front; false when there are too few. */
static bool take(cevm_bytes *from, void *out, size_t size)
{
    if (from->size < size) {
        return false;
    }
    memcpy(out, from->data, size);
    from->data += size;
    from->size -= size;
    return true;
}

static bool take_u64(cevm_bytes *from, uint64_t *out)
{
    uint8_t bytes[8];
    const bool ok = take(from, bytes, sizeof bytes);
    *out = ok ? cevm_load_be64(bytes) : 0;
    return ok;
}

static bool take_word(cevm_bytes *from, cevm_u256 *out)
{
    uint8_t bytes[32];
    const bool ok = take(from, bytes, sizeof bytes);
    if (ok) {
        *out = cevm_u256_from_be(bytes);
    }
    return ok;
}

static void put_block(cevm_buf *buf, const cevm_remote_block *block)
{
    const cevm_header *h = &block->header;
    const uint8_t has[5] = {h->has_base_fee, h->has_withdrawals_root, h->has_blob_gas, h->has_parent_beacon_root,
                            h->has_requests_hash};
    put_u64(buf, block->chain_id);
    cevm_buf_append(buf, block->hash.bytes, 32);
    put_u64(buf, h->number);
    put_u64(buf, h->timestamp);
    put_u64(buf, h->gas_limit);
    put_u64(buf, h->gas_used);
    put_u64(buf, h->blob_gas_used);
    put_u64(buf, h->excess_blob_gas);
    put_word(buf, &h->difficulty);
    put_word(buf, &h->base_fee);
    cevm_buf_append(buf, h->coinbase.bytes, 20);
    cevm_buf_append(buf, h->nonce, 8);
    cevm_buf_append(buf, h->parent_hash.bytes, 32);
    cevm_buf_append(buf, h->ommers_hash.bytes, 32);
    cevm_buf_append(buf, h->state_root.bytes, 32);
    cevm_buf_append(buf, h->transactions_root.bytes, 32);
    cevm_buf_append(buf, h->receipts_root.bytes, 32);
    cevm_buf_append(buf, h->mix_hash.bytes, 32);
    cevm_buf_append(buf, h->withdrawals_root.bytes, 32);
    cevm_buf_append(buf, h->parent_beacon_root.bytes, 32);
    cevm_buf_append(buf, h->requests_hash.bytes, 32);
    cevm_buf_append(buf, h->logs_bloom.bytes, sizeof h->logs_bloom.bytes);
    cevm_buf_append(buf, has, sizeof has);
    cevm_buf_append(buf, h->extra_data.data, h->extra_data.size);
}

/** The rest of the payload is the extra data. */
static bool take_block(cevm_bytes from, cevm_remote_block *out)
{
    cevm_header *h = &out->header;
    uint8_t has[5] = {0};
    memset(out, 0, sizeof *out);
    const bool ok = take_u64(&from, &out->chain_id) && take(&from, out->hash.bytes, 32) &&
                    take_u64(&from, &h->number) && take_u64(&from, &h->timestamp) && take_u64(&from, &h->gas_limit) &&
                    take_u64(&from, &h->gas_used) && take_u64(&from, &h->blob_gas_used) &&
                    take_u64(&from, &h->excess_blob_gas) && take_word(&from, &h->difficulty) &&
                    take_word(&from, &h->base_fee) && take(&from, h->coinbase.bytes, 20) && take(&from, h->nonce, 8) &&
                    take(&from, h->parent_hash.bytes, 32) && take(&from, h->ommers_hash.bytes, 32) &&
                    take(&from, h->state_root.bytes, 32) && take(&from, h->transactions_root.bytes, 32) &&
                    take(&from, h->receipts_root.bytes, 32) && take(&from, h->mix_hash.bytes, 32) &&
                    take(&from, h->withdrawals_root.bytes, 32) && take(&from, h->parent_beacon_root.bytes, 32) &&
                    take(&from, h->requests_hash.bytes, 32) &&
                    take(&from, h->logs_bloom.bytes, sizeof h->logs_bloom.bytes) && take(&from, has, sizeof has);
    h->has_base_fee = has[0] != 0;
    h->has_withdrawals_root = has[1] != 0;
    h->has_blob_gas = has[2] != 0;
    h->has_parent_beacon_root = has[3] != 0;
    h->has_requests_hash = has[4] != 0;
    h->extra_data = from;
    return ok;
}

/* ---- Taking over what a record says ------------------------------------------------------------------------------------ */

static cevm_err keep_code(cevm_remote *remote, cevm_bytes code)
{
    cevm_hash hash;
    cevm_keccak256(&hash, code.data, code.size);
    remote_code *known = cevm_remote_find_code(remote, &hash);
    if (known != NULL) {
        known->is_saved = true;
        return CEVM_OK;
    }
    uint8_t *copy = cevm_alloc(remote->allocator, code.size);
    if (copy == NULL) {
        return CEVM_ERR_NOMEM;
    }
    if (code.size != 0) {
        memcpy(copy, code.data, code.size);
    }
    return cevm_remote_keep_code(remote, &hash, copy, code.size, true);
}

static cevm_err keep_account(cevm_remote *remote, cevm_bytes *from)
{
    remote_account read = {.mark = REMOTE_KNOWN};
    if (!take(from, read.address.bytes, 20) || !take_u64(from, &read.nonce) || !take_word(from, &read.balance) ||
        !take(from, read.code_hash.bytes, 32)) {
        return CEVM_ERR_ENCODING;
    }
    const bool has_code = !cevm_hash_equal(&read.code_hash, &cevm_empty_code_hash);
    if (has_code && cevm_remote_find_code(remote, &read.code_hash) == NULL) {
        return CEVM_ERR_ENCODING; /* code stands before the accounts that have it */
    }
    remote_account *account = cevm_remote_account_entry(remote, &read.address);
    if (account == NULL) {
        return CEVM_ERR_NOMEM;
    }
    *account = read;
    return CEVM_OK;
}

static cevm_err keep_slot(cevm_remote *remote, cevm_bytes *from)
{
    cevm_address address;
    cevm_u256 key = {{0}};
    cevm_u256 value = {{0}};
    if (!take(from, address.bytes, 20) || !take_word(from, &key) || !take_word(from, &value)) {
        return CEVM_ERR_ENCODING;
    }
    remote_slot *slot = cevm_remote_slot_entry(remote, &address, &key);
    if (slot == NULL) {
        return CEVM_ERR_NOMEM;
    }
    slot->mark = REMOTE_KNOWN;
    slot->value = value;
    return CEVM_OK;
}

static cevm_err keep_state(cevm_remote *remote, cevm_bytes from)
{
    cevm_hash hash;
    if (!take(&from, hash.bytes, 32)) {
        return CEVM_ERR_ENCODING;
    }
    if (!cevm_hash_equal(&hash, &remote->block.hash)) {
        return CEVM_OK;
    }
    cevm_err err = CEVM_OK;
    uint8_t kind;
    while (err == CEVM_OK && take(&from, &kind, 1)) {
        err = kind == 'A' ? keep_account(remote, &from) : kind == 'S' ? keep_slot(remote, &from) : CEVM_ERR_ENCODING;
    }
    return err;
}

static cevm_err keep_hashes(cevm_remote *remote, cevm_bytes from)
{
    uint64_t number;
    cevm_hash hash;
    if (!take_u64(&from, &number)) {
        return CEVM_ERR_ENCODING;
    }
    if (number != remote->block.chain_id) {
        return CEVM_OK;
    }
    while (from.size != 0) {
        if (!take_u64(&from, &number) || !take(&from, hash.bytes, 32)) {
            return CEVM_ERR_ENCODING;
        }
        remote_hash *entry = cevm_remote_hash_entry(remote, number);
        if (entry == NULL) {
            return CEVM_ERR_NOMEM;
        }
        if (entry->mark != REMOTE_KNOWN) { /* the block's own parent is known better */
            *entry = (remote_hash){.number = number, .mark = REMOTE_KNOWN, .hash = hash};
        }
    }
    return CEVM_OK;
}

static cevm_err take_over(cevm_remote *remote, void *user, int kind, cevm_bytes payload)
{
    (void)user;
    switch (kind) {
    case RECORD_BLOCK:
        remote->cache.is_last = payload.size >= 40 && memcmp(payload.data + 8, remote->block.hash.bytes, 32) == 0;
        return CEVM_OK;
    case RECORD_STATE: return keep_state(remote, payload);
    case RECORD_CODE: return keep_code(remote, payload);
    case RECORD_HASHES: return keep_hashes(remote, payload);
    default: return CEVM_ERR_ENCODING;
    }
}

/* ---- Reading the file --------------------------------------------------------------------------------------------------- */

static void make_head(uint8_t head[HEAD], size_t size, int kind)
{
    cevm_hash check;
    cevm_store_be32(head, (uint32_t)size);
    head[4] = (uint8_t)kind;
    cevm_keccak256(&check, head, 5);
    memcpy(head + 5, check.bytes, 3);
}

/** A part of the file in memory. */
typedef struct window {
    cevm_buf buf;
    uint64_t at; /* of its first byte */
    bool is_end; /* the file ends with it */
} window;

/** Reads until the window has `size` bytes or the file ends. */
static cevm_err widen(cevm_remote *remote, window *w, size_t size)
{
    uint8_t piece[PIECE / 8];
    while (w->buf.size < size && !w->is_end) {
        const ssize_t got = pread(remote->cache.file, piece, sizeof piece, (off_t)(w->at + w->buf.size));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return io_failed(remote, "read");
        }
        w->is_end = got == 0;
        cevm_buf_append(&w->buf, piece, (size_t)got);
        if (w->buf.failed) {
            return CEVM_ERR_NOMEM;
        }
    }
    return CEVM_OK;
}

static void drop_front(window *w, size_t size)
{
    memmove(w->buf.data, w->buf.data + size, w->buf.size - size);
    w->buf.size -= size;
    w->at += size;
}

/** Whether there is nothing but zeros from here on: what a file system leaves of an end that did not reach the disk. */
static cevm_err rest_is_zero(cevm_remote *remote, window *w, bool *is_zero)
{
    cevm_err err = CEVM_OK;
    *is_zero = true;
    do {
        err = widen(remote, w, PIECE);
        for (size_t i = 0; err == CEVM_OK && *is_zero && i < w->buf.size; ++i) {
            *is_zero = w->buf.data[i] == 0;
        }
        if (err == CEVM_OK) {
            drop_front(w, w->buf.size);
        }
    } while (err == CEVM_OK && *is_zero && !w->is_end);
    return err;
}

/** One record at the front of the window. *is_whole is false at the end of what is whole. */
static cevm_err next_record(cevm_remote *remote, window *w, bool *is_whole, int *kind, cevm_bytes *payload)
{
    uint8_t head[HEAD];
    cevm_hash check;
    const uint64_t at = w->at;
    *is_whole = false;
    cevm_err err = widen(remote, w, HEAD);
    if (err != CEVM_OK || w->buf.size < HEAD) {
        return err;
    }
    const uint8_t *p = w->buf.data;
    const size_t size = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    make_head(head, size, p[4]);
    if (memcmp(head, p, HEAD) != 0 || size > MAX_PAYLOAD) {
        bool is_zero = false;
        drop_front(w, HEAD); /* which may have reached the disk in part */
        err = rest_is_zero(remote, w, &is_zero);
        return err != CEVM_OK || is_zero ? err : damaged(remote, at);
    }
    err = widen(remote, w, HEAD + size + TAIL + 1); /* one more tells whether it is the last */
    if (err != CEVM_OK || w->buf.size < HEAD + size + TAIL) {
        return err;
    }
    *kind = head[4];
    *payload = (cevm_bytes){w->buf.data + HEAD, size};
    cevm_keccak256(&check, payload->data, size);
    *is_whole = memcmp(check.bytes, payload->data + size, TAIL) == 0;
    return *is_whole || w->buf.size == HEAD + size + TAIL ? CEVM_OK : damaged(remote, at);
}

/** Shows each record from *from on, and moves *from behind the last whole one. */
static cevm_err read_records(cevm_remote *remote, uint64_t *from, visit_record visit, void *user)
{
    window w = {.at = *from};
    cevm_err err = CEVM_OK;
    bool is_whole = true;
    cevm_buf_init(&w.buf, remote->allocator);
    while (err == CEVM_OK && is_whole) {
        int kind = 0;
        cevm_bytes payload = {NULL, 0};
        err = next_record(remote, &w, &is_whole, &kind, &payload);
        if (err == CEVM_OK && is_whole) {
            err = visit(remote, user, kind, payload);
            err = err == CEVM_ERR_ENCODING ? damaged(remote, w.at) : err;
            drop_front(&w, HEAD + payload.size + TAIL);
            *from = w.at;
        }
    }
    cevm_buf_free(&w.buf);
    return err;
}

static cevm_err lock_file(cevm_remote *remote, int how)
{
    while (flock(remote->cache.file, how) != 0) {
        if (errno != EINTR) {
            return io_failed(remote, "lock");
        }
    }
    return CEVM_OK;
}

/* ---- Writing ------------------------------------------------------------------------------------------------------------- */

static void put_record(cevm_buf *buf, int kind, cevm_bytes payload)
{
    uint8_t head[HEAD];
    cevm_hash check;
    make_head(head, payload.size, kind);
    cevm_keccak256(&check, payload.data, payload.size);
    cevm_buf_append(buf, head, HEAD);
    cevm_buf_append(buf, payload.data, payload.size);
    cevm_buf_append(buf, check.bytes, TAIL);
}

/** Writes at the end of what is whole; what it could not write to its end is cut off again. */
static cevm_err write_at_end(cevm_remote *remote, cevm_bytes bytes)
{
    remote_cache *cache = &remote->cache;
    size_t done = 0;
    bool ok = ftruncate(cache->file, (off_t)cache->end) == 0;
    while (ok && done < bytes.size) {
        const ssize_t n = pwrite(cache->file, bytes.data + done, bytes.size - done, (off_t)(cache->end + done));
        ok = n >= 0 || errno == EINTR;
        done += n > 0 ? (size_t)n : 0;
    }
    if (!ok) {
        const cevm_err err = io_failed(remote, "write");
        const int rc = ftruncate(cache->file, (off_t)cache->end);
        (void)rc; /* the next one cuts it off */
        return err;
    }
    cache->end += bytes.size;
    return CEVM_OK;
}

/** Takes over what others have added, then adds. */
static cevm_err append(cevm_remote *remote, const cevm_buf *records)
{
    if (records->failed) {
        return CEVM_ERR_NOMEM;
    }
    if (records->size == 0) {
        return CEVM_OK;
    }
    cevm_err err = lock_file(remote, LOCK_EX);
    if (err != CEVM_OK) {
        return err;
    }
    err = read_records(remote, &remote->cache.end, take_over, NULL);
    if (err == CEVM_OK) {
        err = write_at_end(remote, (cevm_bytes){records->data, records->size});
    }
    const cevm_err unlocked = lock_file(remote, LOCK_UN);
    return err != CEVM_OK ? err : unlocked;
}

cevm_err cevm_remote_cache_put_block(cevm_remote *remote)
{
    cevm_buf payload;
    cevm_buf records;
    if (!remote->cache.is_writable || remote->cache.is_last) {
        return CEVM_OK;
    }
    cevm_buf_init(&payload, remote->allocator);
    cevm_buf_init(&records, remote->allocator);
    put_block(&payload, &remote->block);
    put_record(&records, RECORD_BLOCK, (cevm_bytes){payload.data, payload.size});
    const cevm_err err = payload.failed ? CEVM_ERR_NOMEM : append(remote, &records);
    cevm_buf_free(&payload);
    cevm_buf_free(&records);
    return err;
}

/** Ends the record that is being filled, if it holds more than what it began with. */
static void flush(cevm_buf *records, cevm_buf *payload, int kind, size_t beginning)
{
    if (payload->size > beginning && !payload->failed) {
        put_record(records, kind, (cevm_bytes){payload->data, payload->size});
        payload->size = beginning;
    }
}

static void put_state(cevm_buf *records, cevm_buf *payload, const cevm_remote *remote, const remote_want *wants,
                      size_t count)
{
    cevm_buf_clear(payload);
    cevm_buf_append(payload, remote->block.hash.bytes, 32);
    for (size_t i = 0; i < count; ++i) {
        const remote_want *want = &wants[i];
        if (want->left != 0 || want->is_known || (want->kind != REMOTE_ACCOUNT && want->kind != REMOTE_SLOT)) {
            continue;
        }
        cevm_buf_append(payload, want->kind == REMOTE_ACCOUNT ? "A" : "S", 1);
        cevm_buf_append(payload, want->address.bytes, 20);
        if (want->kind == REMOTE_ACCOUNT) {
            put_u64(payload, want->nonce);
            put_word(payload, &want->value);
            cevm_buf_append(payload, want->hash.bytes, 32);
        } else {
            put_word(payload, &want->key);
            put_word(payload, &want->value);
        }
        if (payload->size > FULL) {
            flush(records, payload, RECORD_STATE, 32);
        }
    }
    flush(records, payload, RECORD_STATE, 32);
    records->failed = records->failed || payload->failed;
}

static void put_hashes(cevm_buf *records, cevm_buf *payload, const cevm_remote *remote, const remote_want *wants,
                       size_t count)
{
    cevm_buf_clear(payload);
    put_u64(payload, remote->block.chain_id);
    for (size_t i = 0; i < count; ++i) {
        if (wants[i].left == 0 && !wants[i].is_known && wants[i].kind == REMOTE_HASH) {
            put_u64(payload, wants[i].key.w[0]);
            cevm_buf_append(payload, wants[i].hash.bytes, 32);
        }
    }
    flush(records, payload, RECORD_HASHES, 8);
    records->failed = records->failed || payload->failed;
}

cevm_err cevm_remote_cache_put(cevm_remote *remote, const remote_want *wants, size_t count)
{
    cevm_buf payload;
    cevm_buf records;
    const size_t codes = remote->code_count;
    if (!remote->cache.is_writable) {
        return CEVM_OK;
    }
    cevm_buf_init(&payload, remote->allocator);
    cevm_buf_init(&records, remote->allocator);
    for (size_t i = 0; i < codes; ++i) {
        if (!remote->codes[i].is_saved) {
            put_record(&records, RECORD_CODE, (cevm_bytes){remote->codes[i].data, remote->codes[i].size});
        }
    }
    put_state(&records, &payload, remote, wants, count);
    put_hashes(&records, &payload, remote, wants, count);
    const cevm_err err = append(remote, &records);
    for (size_t i = 0; err == CEVM_OK && i < codes; ++i) {
        remote->codes[i].is_saved = true;
    }
    cevm_buf_free(&payload);
    cevm_buf_free(&records);
    return err;
}

/* ---- Opening ------------------------------------------------------------------------------------------------------------- */

/** Reads the first bytes; an empty file that may be written gets them. */
static cevm_err check_magic(cevm_remote *remote)
{
    remote_cache *cache = &remote->cache;
    char found[sizeof magic];
    struct stat info;
    if (fstat(cache->file, &info) != 0) {
        return io_failed(remote, "look at");
    }
    const ssize_t got = pread(cache->file, found, sizeof found, 0);
    if (got < 0) {
        return io_failed(remote, "read");
    }
    const bool is_begun = info.st_size == got && got < (ssize_t)sizeof magic && memcmp(found, magic, (size_t)got) == 0;
    if (is_begun && cache->is_writable) { /* new, or its making was cut short */
        return write_at_end(remote, (cevm_bytes){(const uint8_t *)magic, sizeof magic});
    }
    if (got != (ssize_t)sizeof magic || memcmp(found, magic, sizeof magic) != 0) {
        return cevm_remote_fail(remote, CEVM_ERR_BACKEND, "%s is not a cache of this version", cache->path);
    }
    cache->end = sizeof magic;
    return CEVM_OK;
}

cevm_err cevm_remote_cache_open(cevm_remote *remote, const char *path)
{
    remote_cache *cache = &remote->cache;
    const size_t size = strlen(path) + 1;
    cache->path = cevm_alloc(remote->allocator, size);
    if (cache->path == NULL) {
        return CEVM_ERR_NOMEM;
    }
    memcpy(cache->path, path, size);
    cache->is_writable = !remote->is_offline;
    const int flags = cache->is_writable ? O_RDWR | O_CREAT : O_RDONLY;
    cache->file = open(path, flags | O_CLOEXEC, 0644);
    if (cache->file < 0) {
        return io_failed(remote, "open");
    }
    cevm_err err = lock_file(remote, cache->is_writable ? LOCK_EX : LOCK_SH);
    if (err == CEVM_OK) {
        err = check_magic(remote);
        const cevm_err unlocked = lock_file(remote, LOCK_UN);
        err = err != CEVM_OK ? err : unlocked;
    }
    return err;
}

void cevm_remote_cache_close(cevm_remote *remote)
{
    if (remote->cache.file >= 0) {
        (void)close(remote->cache.file);
    }
    cevm_free(remote->allocator, remote->cache.path);
}

/** What the block has to be. */
typedef struct search {
    const cevm_remote_options *options;
    bool found;
} search;

static cevm_err find_block(cevm_remote *remote, void *user, int kind, cevm_bytes payload)
{
    search *s = user;
    cevm_remote_block block;
    if (kind != RECORD_BLOCK) {
        return CEVM_OK;
    }
    if (!take_block(payload, &block)) {
        return CEVM_ERR_ENCODING;
    }
    if ((s->options->has_block && s->options->block != block.header.number) ||
        (s->options->has_chain_id && s->options->chain_id != block.chain_id)) {
        return CEVM_OK;
    }
    const cevm_bytes extra = block.header.extra_data;
    uint8_t *copy = cevm_alloc(remote->allocator, extra.size);
    if (copy == NULL) {
        return CEVM_ERR_NOMEM;
    }
    if (extra.size != 0) {
        memcpy(copy, extra.data, extra.size);
    }
    cevm_free(remote->allocator, remote->extra_data);
    remote->extra_data = copy;
    remote->block = block;
    remote->block.header.extra_data.data = copy;
    s->found = true;
    return CEVM_OK;
}

/** Reads what there is without writing. */
static cevm_err read_all(cevm_remote *remote, uint64_t *from, visit_record visit, void *user)
{
    cevm_err err = lock_file(remote, LOCK_SH);
    if (err == CEVM_OK) {
        err = read_records(remote, from, visit, user);
        const cevm_err unlocked = lock_file(remote, LOCK_UN);
        err = err != CEVM_OK ? err : unlocked;
    }
    return err;
}

cevm_err cevm_remote_cache_find_block(cevm_remote *remote, const cevm_remote_options *options)
{
    search s = {.options = options};
    uint64_t from = remote->cache.end;
    const cevm_err err = read_all(remote, &from, find_block, &s);
    if (err != CEVM_OK || s.found) {
        return err;
    }
    if (options->has_block) {
        return cevm_remote_fail(remote, CEVM_ERR_BACKEND, "offline, and %s has nothing of block %" PRIu64,
                                remote->cache.path, options->block);
    }
    return cevm_remote_fail(remote, CEVM_ERR_BACKEND, "offline, and %s has no block", remote->cache.path);
}

cevm_err cevm_remote_cache_load(cevm_remote *remote)
{
    return remote->cache.file >= 0 ? read_all(remote, &remote->cache.end, take_over, NULL) : CEVM_OK;
}
