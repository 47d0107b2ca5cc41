/* SPDX-License-Identifier: Apache-2.0 */
/* --dump: a state as JSON, in the shape of geth's dump. */
#include <cevm/crypto.h>
#include <cevm/hex.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/dump.h"
#include "state/rlp.h"
#include "state/trie.h"

typedef struct dump {
    cevm_memdb *db;
    FILE *out;
    const char *comma;
    cevm_trie storage; /* of the account that is written */
    bool ok;
} dump;

static void write_hex(FILE *out, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        (void)fprintf(out, "%02x", data[i]);
    }
}

/* A number as its shortest big-endian bytes; *size receives how many. */
static const uint8_t *shortest(uint8_t word[32], size_t *size, const cevm_u256 *value)
{
    cevm_u256_to_be(word, value);
    size_t skip = 0;
    while (skip < 32 && word[skip] == 0) {
        skip++;
    }
    *size = 32 - skip;
    return word + skip;
}

static bool put_slot(void *user, const cevm_u256 *key, const cevm_u256 *value)
{
    dump *d = user;
    uint8_t key_word[32], word[32], item[33];
    size_t size = 0;
    cevm_hash path;
    cevm_u256_to_be(key_word, key);
    cevm_keccak256(&path, key_word, sizeof key_word);
    const uint8_t *bytes = shortest(word, &size, value);
    size_t length = 0;
    if (size != 1 || bytes[0] >= 0x80) {
        item[length++] = (uint8_t)(0x80 + size);
    }
    memcpy(item + length, bytes, size);
    const cevm_bytes k = {path.bytes, sizeof path.bytes}, v = {item, length + size};
    d->ok = cevm_trie_put(&d->storage, k, v) == CEVM_OK;
    return d->ok;
}

static bool write_slot(void *user, const cevm_u256 *key, const cevm_u256 *value)
{
    dump *d = user;
    uint8_t word[32];
    size_t size = 0;
    cevm_u256_to_be(word, key);
    (void)fprintf(d->out, "%s\n            \"0x", d->comma);
    write_hex(d->out, word, sizeof word);
    const uint8_t *bytes = shortest(word, &size, value);
    (void)fputs("\": \"", d->out);
    write_hex(d->out, bytes, size);
    (void)fputc('"', d->out);
    d->comma = ",";
    return true;
}

static bool storage_root(dump *d, cevm_hash *out, const cevm_address *address)
{
    cevm_buf scratch = {0};
    cevm_trie_init(&d->storage, NULL);
    d->ok = cevm_memdb_for_each_slot(d->db, address, put_slot, d) == CEVM_OK && d->ok;
    d->ok = d->ok && cevm_trie_root(&d->storage, out, &scratch) == CEVM_OK;
    cevm_buf_free(&scratch);
    cevm_trie_clear(&d->storage);
    return d->ok;
}

/* The address with the upper case digits of EIP-55, as geth writes the keys of its dump. */
static void checksum_address(char out[41], const cevm_address *address)
{
    cevm_hash hash;
    cevm_hex_encode(out, address->bytes, sizeof address->bytes);
    cevm_keccak256(&hash, out, 40);
    for (size_t i = 0; i < 40; i++) {
        unsigned nibble = i % 2 == 0 ? hash.bytes[i / 2] >> 4 : hash.bytes[i / 2] & 15u;
        if (nibble >= 8 && out[i] >= 'a') {
            out[i] = (char)(out[i] - 'a' + 'A');
        }
    }
}

static bool write_account(void *user, const cevm_address *address, const cevm_db_account *account, cevm_bytes code)
{
    dump *d = user;
    char checksum[41], hex[41], balance[79];
    cevm_hash root, key;
    if (!storage_root(d, &root, address)) {
        return false;
    }
    cevm_hex_encode(hex, address->bytes, sizeof address->bytes);
    checksum_address(checksum, address);
    cevm_u256_to_decimal(balance, &account->balance);
    (void)fprintf(d->out, "%s\n        \"0x%s\": {\n          \"balance\": \"%s\",\n          \"nonce\": %" PRIu64,
                  d->comma, checksum, balance, account->nonce);
    (void)fputs(",\n          \"root\": \"0x", d->out);
    write_hex(d->out, root.bytes, sizeof root.bytes);
    (void)fputs("\",\n          \"codeHash\": \"0x", d->out);
    write_hex(d->out, account->code_hash.bytes, sizeof account->code_hash.bytes);
    if (code.size != 0) {
        (void)fputs("\",\n          \"code\": \"0x", d->out);
        write_hex(d->out, code.data, code.size);
    }
    (void)fputs("\",", d->out);
    if (account->has_storage) {
        (void)fputs("\n          \"storage\": {", d->out);
        d->comma = "";
        d->ok = cevm_memdb_for_each_slot(d->db, address, write_slot, d) == CEVM_OK;
        (void)fputs("\n          },", d->out);
    }
    cevm_keccak256(&key, address->bytes, sizeof address->bytes);
    (void)fprintf(d->out, "\n          \"address\": \"0x%s\",\n          \"key\": \"0x", hex);
    write_hex(d->out, key.bytes, sizeof key.bytes);
    (void)fputs("\"\n        }", d->out);
    d->comma = ",";
    return d->ok;
}

char *cevm_cli_dump(cevm_memdb *db, const cevm_hash *root)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    dump d = {.db = db, .out = out, .comma = "", .ok = true};
    (void)fputs("{\n      \"root\": \"", out);
    write_hex(out, root->bytes, sizeof root->bytes);
    (void)fputs("\",\n      \"accounts\": {", out);
    bool ok = cevm_memdb_for_each_account(db, write_account, &d) == CEVM_OK && d.ok;
    (void)fputs("\n      }\n    }", out);
    ok = fclose(out) == 0 && ok;
    if (!ok) {
        free(text);
        return NULL;
    }
    return text;
}
