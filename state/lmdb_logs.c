/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/lmdb_logs.c: logs found in the backend on disk. The records of the index (lmdb_index.c) say for 256 blocks at a time
 * which may hold one; only those are read, and each of their logs is compared.
 */
#include <cevm/alloc.h>
#include <cevm/crypto.h>

#include "state/lmdb_internal.h"

enum { TOPICS = 4, CRITERIA = 1 + TOPICS, BITS = LMDB_SECTION / 8 };

/** What a log must have one of. */
typedef struct criterion {
    const uint8_t (*marks)[LMDB_MARK];
    size_t count;
} criterion;

typedef struct search {
    cevm_lmdb *db;
    const cevm_lmdb_filter *filter;
    cevm_lmdb_visit_log visit;
    void *user;
    uint8_t (*marks)[LMDB_MARK];
    criterion criteria[CRITERIA];
    size_t criterion_count;
    MDB_cursor *cursor; /* of logs; of receipts when there are no criteria */
    bool stopped;
} search;

/* ---- Which blocks ---------------------------------------------------------------------------------------------------- */

static cevm_err make_criteria(search *s)
{
    const cevm_lmdb_filter *f = s->filter;
    size_t count = f->address_count;
    for (size_t i = 0; i < f->topic_count; ++i) {
        if (f->topics[i].count > SIZE_MAX / LMDB_MARK - count) {
            return CEVM_ERR_ARGUMENT;
        }
        count += f->topics[i].count;
    }
    if (count == 0) {
        return CEVM_OK;
    }
    s->marks = cevm_resize_array(s->db->allocator, NULL, count, LMDB_MARK);
    if (s->marks == NULL) {
        return CEVM_ERR_NOMEM;
    }
    uint8_t(*next)[LMDB_MARK] = s->marks;
    for (size_t i = 0; i <= f->topic_count; ++i) {
        const size_t values = i == 0 ? f->address_count : f->topics[i - 1].count;
        for (size_t j = 0; j < values; ++j) {
            const void *value = i == 0 ? (const void *)f->addresses[j].bytes : f->topics[i - 1].hashes[j].bytes;
            cevm_lmdb_mark(next[j], (unsigned)i, value, i == 0 ? sizeof f->addresses[j].bytes : LMDB_HASH);
        }
        if (values != 0) {
            s->criteria[s->criterion_count++] = (criterion){(const uint8_t(*)[LMDB_MARK])next, values};
            next += values;
        }
    }
    return CEVM_OK;
}

/** The first record of a mark at or after a section. */
static cevm_err find_record(search *s, bool *found, uint64_t *section, cevm_bytes *record,
                            const uint8_t mark[LMDB_MARK], uint64_t from)
{
    uint8_t key[LMDB_MARK + LMDB_NUMBER];
    MDB_val k;
    MDB_val v;
    memcpy(key, mark, LMDB_MARK);
    cevm_store_be64(key + LMDB_MARK, from);
    const cevm_err err = cevm_lmdb_seek(s->db, s->cursor, found, &k, &v, key, sizeof key, LMDB_MARK);
    if (err != CEVM_OK || !*found) {
        return err;
    }
    if (k.mv_size != sizeof key || v.mv_size == 0 || v.mv_size > LMDB_SECTION) {
        return cevm_lmdb_corrupt(s->db, "a record of logs is damaged (%zu bytes)", v.mv_size);
    }
    *section = cevm_load_be64((const uint8_t *)k.mv_data + LMDB_MARK);
    *record = (cevm_bytes){v.mv_data, v.mv_size};
    return CEVM_OK;
}

/**
 * The blocks of the first section at or after `from` of which a criterion knows any; *found is false when there is none.
 */
static cevm_err look_up(search *s, bool *found, uint64_t *section, uint8_t bits[BITS], const criterion *c,
                        uint64_t from)
{
    *found = false;
    for (size_t i = 0; i < c->count; ++i) {
        uint64_t at = 0;
        cevm_bytes record = {NULL, 0};
        bool there = false;
        const cevm_err err = find_record(s, &there, &at, &record, c->marks[i], from);
        if (err != CEVM_OK) {
            return err;
        }
        if (!there || (*found && at > *section)) {
            continue;
        }
        if (!*found || at < *section) {
            memset(bits, 0, BITS);
        }
        *found = true;
        *section = at;
        for (size_t b = 0; b < record.size; ++b) {
            bits[record.data[b] / 8] |= (uint8_t)(1u << (record.data[b] % 8));
        }
    }
    return CEVM_OK;
}

/**
 * The blocks of the first section at or after *section that every criterion, of which there are some, may hold for. *found
 * is false at the end.
 */
static cevm_err next_section(search *s, bool *found, uint64_t *section, uint8_t bits[BITS])
{
    size_t agreed = 0; /* criteria in a row that know of this section */
    memset(bits, 0xff, BITS);
    *found = true;
    for (size_t i = 0; agreed < s->criterion_count; i = (i + 1) % s->criterion_count) {
        uint8_t own[BITS] = {0};
        uint64_t at = 0;
        const cevm_err err = look_up(s, found, &at, own, &s->criteria[i], *section);
        if (err != CEVM_OK || !*found) {
            return err;
        }
        if (at != *section) {
            *section = at;
            agreed = 0;
            memset(bits, 0xff, BITS);
        }
        for (size_t b = 0; b < BITS; ++b) {
            bits[b] &= own[b];
        }
        ++agreed;
    }
    return CEVM_OK;
}

/* ---- Which logs ------------------------------------------------------------------------------------------------------ */

static bool is_wanted(const cevm_lmdb_filter *f, const cevm_log *log)
{
    bool wanted = f->address_count == 0;
    for (size_t i = 0; !wanted && i < f->address_count; ++i) {
        wanted = cevm_address_equal(&f->addresses[i], &log->address);
    }
    wanted = wanted && log->topic_count >= f->topic_count;
    for (size_t t = 0; wanted && t < f->topic_count; ++t) {
        const cevm_lmdb_topics *topics = &f->topics[t];
        wanted = topics->count == 0;
        for (size_t i = 0; !wanted && i < topics->count; ++i) {
            wanted = cevm_hash_equal(&topics->hashes[i], &log->topics[t]);
        }
    }
    return wanted;
}

/** Hash of the transaction that `out` is of. */
static bool find_tx_hash(cevm_lmdb_log *out, cevm_bytes block)
{
    cevm_bytes txs;
    cevm_bytes tx = {NULL, 0};
    bool ok = cevm_lmdb_txs_of(&txs, block);
    for (uint32_t i = 0; ok && i <= out->tx_index; ++i) {
        ok = cevm_lmdb_next_tx(&txs, &tx);
    }
    if (ok) {
        cevm_keccak256(&out->tx_hash, tx.data, tx.size);
    }
    return ok;
}

/** The logs of one transaction. False when they are malformed. */
static bool visit_receipt(search *s, cevm_lmdb_log *found, cevm_bytes logs, cevm_bytes block)
{
    bool has_hash = block.size == 0;
    for (; !s->stopped && cevm_lmdb_next_log(&logs, &found->log); ++found->index) {
        if (!is_wanted(s->filter, &found->log)) {
            continue;
        }
        if (!has_hash && !find_tx_hash(found, block)) {
            return false;
        }
        has_hash = true;
        s->stopped = !s->visit(s->user, found);
    }
    return s->stopped || logs.size == 0;
}

static cevm_err visit_block(search *s, uint64_t number)
{
    cevm_db_block block;
    cevm_bytes cursor;
    cevm_lmdb_receipt receipt;
    bool found = false;
    const cevm_err err = cevm_lmdb_block(s->db, &found, &block, number);
    if (err != CEVM_OK || !found || block.receipts.size == 0) {
        return err;
    }
    cevm_lmdb_log log = {.block_number = number, .block_hash = block.hash};
    bool whole = cevm_lmdb_receipts_begin(&cursor, block.receipts);
    for (; whole && !s->stopped && cevm_lmdb_next_receipt(&cursor, &receipt); ++log.tx_index) {
        whole = visit_receipt(s, &log, receipt.logs, block.rlp);
    }
    return whole && (s->stopped || cursor.size == 0)
               ? CEVM_OK
               : cevm_lmdb_corrupt(s->db, "body or receipts of block %llu are damaged", (unsigned long long)number);
}

/* ---- The way --------------------------------------------------------------------------------------------------------- */

/** Every block whose receipts are there, when nothing in particular is wanted. */
static cevm_err walk_all(search *s, uint64_t from, uint64_t to)
{
    cevm_err err = CEVM_OK;
    for (uint64_t number = from; err == CEVM_OK && !s->stopped; ++number) {
        uint8_t key[LMDB_NUMBER];
        MDB_val k;
        MDB_val v;
        bool found = false;
        cevm_store_be64(key, number);
        err = cevm_lmdb_seek(s->db, s->cursor, &found, &k, &v, key, sizeof key, 0);
        if (err != CEVM_OK || !found) {
            break;
        }
        if (k.mv_size != sizeof key) {
            return cevm_lmdb_corrupt(s->db, "the key of a block has %zu bytes", k.mv_size);
        }
        number = cevm_load_be64(k.mv_data);
        if (number > to) {
            break;
        }
        err = visit_block(s, number);
        if (number == to) {
            break;
        }
    }
    return err;
}

static cevm_err walk(search *s, uint64_t from, uint64_t to)
{
    cevm_err err = CEVM_OK;
    uint64_t section = from / LMDB_SECTION;
    while (err == CEVM_OK && !s->stopped && section <= to / LMDB_SECTION) {
        uint8_t bits[BITS];
        bool found = false;
        err = next_section(s, &found, &section, bits);
        if (err != CEVM_OK || !found || section > to / LMDB_SECTION) {
            break;
        }
        for (unsigned b = 0; err == CEVM_OK && !s->stopped && b < LMDB_SECTION; ++b) {
            const uint64_t number = section * LMDB_SECTION + b;
            if (((unsigned)bits[b / 8] >> (b % 8) & 1u) != 0 && number >= from && number <= to) {
                err = visit_block(s, number);
            }
        }
        ++section;
    }
    return err;
}

cevm_err cevm_lmdb_for_each_log(cevm_lmdb *db, const cevm_lmdb_filter *filter, cevm_lmdb_visit_log visit, void *user)
{
    search s = {.db = db, .filter = filter, .visit = visit, .user = user};
    cevm_db_block head;
    uint64_t first = 0;
    bool found = false;
    if (filter->topic_count > TOPICS) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_err err = cevm_lmdb_first_receipts(db, &found, &first);
    if (err != CEVM_OK || !found) {
        return err;
    }
    err = cevm_lmdb_head(db, &found, &head);
    if (err == CEVM_OK) {
        err = make_criteria(&s);
    }
    if (err == CEVM_OK) {
        err = cevm_lmdb_cursor(db, &s.cursor, s.criterion_count != 0 ? LMDB_LOGS : LMDB_RECEIPTS);
    }
    if (err == CEVM_OK && found) {
        const uint64_t from = filter->from > first ? filter->from : first;
        const uint64_t to = filter->to < head.number ? filter->to : head.number;
        if (from <= to) {
            err = s.criterion_count != 0 ? walk(&s, from, to) : walk_all(&s, from, to);
        }
    }
    mdb_cursor_close(s.cursor);
    cevm_free(db->allocator, s.marks);
    return err;
}
