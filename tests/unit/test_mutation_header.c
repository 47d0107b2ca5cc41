/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every field of a valid block's header, of its ommers' headers and of its withdrawals, changed one at a time: the block is
 * refused with the reason that names the field, or accepted where the field is free.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/mutation.h"

static const subject subjects[] = {
    {"tests/HomesteadOverrideFrontier.json", "FrontierToHomesteadAt5", 2, USUAL_KEY},
    {"legacy/uncleHeaderAtBlock2Byzantium.json", "Byzantium", 1, USUAL_KEY},
    {"legacy/mergeExample.json", "London", 0, USUAL_KEY},
    {"legacy/mergeExample.json", "Paris", 0, USUAL_KEY},
    {"legacy/shanghaiExample.json", "Shanghai", 0, USUAL_KEY},
    {"tests/blockWithAllTransactionTypes.json", "Cancun", 0, USUAL_KEY},
    {"eest/test_tx_into_self_delegating_set_code.json", "Prague", 0, NULL},
    {"eest/test_tx_into_self_delegating_set_code.json", "Osaka", 0, NULL},
};
enum { SUBJECTS = sizeof subjects / sizeof subjects[0] };

/* ---- The header ---------------------------------------------------------------------------------------------------- */

/** What is done to a field. */
typedef enum action {
    FLIP_FIRST, /* the lowest bit of the first of `size` bytes */
    FLIP_LAST,
    CLEAR, /* all of `size` bytes */
    ADD,   /* `operand` to a number of 64 bits, or to the lowest limb of one of 256 */
    SET,
    HALVE
} action;

typedef struct change {
    const char *what;
    action action;
    size_t offset, size;
    uint64_t operand;
    const char *pow, *pos; /* before and after the merge; NULL: see `pow` */
    const char *beacon;    /* from Cancun on; NULL: see `pos` */
} change;

#define BYTES(field)           offsetof(cevm_header, field), sizeof(((cevm_header *)0)->field), 0
#define NUMBER(field, operand) offsetof(cevm_header, field), 8, (uint64_t)(operand)

static const change changes[] = {
    {"parent_hash", FLIP_FIRST, BYTES(parent_hash), "UNKNOWN_PARENT", NULL, NULL},
    {"parent_hash", FLIP_LAST, BYTES(parent_hash), "UNKNOWN_PARENT", NULL, NULL},
    {"parent_hash = 0", CLEAR, BYTES(parent_hash), "UNKNOWN_PARENT_ZERO", NULL, NULL},
    {"ommers_hash", FLIP_FIRST, BYTES(ommers_hash), "INVALID_UNCLES_HASH", "IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS", NULL},
    {"ommers_hash", FLIP_LAST, BYTES(ommers_hash), "INVALID_UNCLES_HASH", "IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS", NULL},
    {"state_root", FLIP_FIRST, BYTES(state_root), "INVALID_STATE_ROOT", NULL, NULL},
    {"state_root", FLIP_LAST, BYTES(state_root), "INVALID_STATE_ROOT", NULL, NULL},
    {"transactions_root", FLIP_FIRST, BYTES(transactions_root), "INVALID_TRANSACTIONS_ROOT", NULL, NULL},
    {"transactions_root", FLIP_LAST, BYTES(transactions_root), "INVALID_TRANSACTIONS_ROOT", NULL, NULL},
    {"receipts_root", FLIP_FIRST, BYTES(receipts_root), "INVALID_RECEIPTS_ROOT", NULL, NULL},
    {"receipts_root", FLIP_LAST, BYTES(receipts_root), "INVALID_RECEIPTS_ROOT", NULL, NULL},
    {"logs_bloom", FLIP_FIRST, BYTES(logs_bloom), "INVALID_LOG_BLOOM", NULL, NULL},
    {"logs_bloom", FLIP_LAST, BYTES(logs_bloom), "INVALID_LOG_BLOOM", NULL, NULL},
    {"difficulty + 1", ADD, NUMBER(difficulty, 1), "INVALID_DIFFICULTY", "IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS",
     NULL},
    {"difficulty = 0", CLEAR, BYTES(difficulty), "IMPORT_IMPOSSIBLE_PARIS_WRONG_POS", NULL, NULL},
    {"number + 1", ADD, NUMBER(number, 1), "INVALID_BLOCK_NUMBER", NULL, NULL},
    {"number - 1", ADD, NUMBER(number, -1), "INVALID_BLOCK_NUMBER", NULL, NULL},
    {"number = 2^64 - 1", SET, NUMBER(number, -1), "INVALID_BLOCK_NUMBER", NULL, NULL},
    {"gas_limit - 1", ADD, NUMBER(gas_limit, -1), "accepted", NULL, NULL},
    {"gas_limit / 2", HALVE, NUMBER(gas_limit, 0), "INVALID_GASLIMIT", NULL, NULL},
    {"gas_limit = 0", SET, NUMBER(gas_limit, 0), "GASLIMIT_BELOW_GAS_USED", NULL, NULL},
    {"gas_limit = 2^63", SET, NUMBER(gas_limit, UINT64_C(1) << 63), "GASLIMIT_TOO_BIG", NULL, NULL},
    {"gas_used + 1", ADD, NUMBER(gas_used, 1), "INVALID_GAS_USED", NULL, NULL},
    {"gas_used - 1", ADD, NUMBER(gas_used, -1), "INVALID_GAS_USED", NULL, NULL},
    {"gas_used = 2^64 - 1", SET, NUMBER(gas_used, -1), "GAS_USED_OVERFLOW", NULL, NULL},
    {"timestamp = 0", SET, NUMBER(timestamp, 0), "INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT", NULL, NULL},
    /* No seal is checked here. */
    {"nonce", FLIP_FIRST, BYTES(nonce), "accepted", "INVALID_NONCE", NULL},
    {"nonce", FLIP_LAST, BYTES(nonce), "accepted", "INVALID_NONCE", NULL},
    {"base_fee + 1", ADD, NUMBER(base_fee, 1), "INVALID_BASEFEE_PER_GAS", NULL, NULL},
    {"base_fee - 1", ADD, NUMBER(base_fee, -1), "INVALID_BASEFEE_PER_GAS", NULL, NULL},
    {"withdrawals_root", FLIP_FIRST, BYTES(withdrawals_root), NULL, "INVALID_WITHDRAWALS_ROOT", NULL},
    {"withdrawals_root", FLIP_LAST, BYTES(withdrawals_root), NULL, "INVALID_WITHDRAWALS_ROOT", NULL},
    {"blob_gas_used + 1", ADD, NUMBER(blob_gas_used, 1), NULL, NULL, "INCORRECT_BLOB_GAS_USED"},
    {"blob_gas_used + a blob", ADD, NUMBER(blob_gas_used, 1 << 17), NULL, NULL, "INCORRECT_BLOB_GAS_USED"},
    {"blob_gas_used = 2^64 - 1", SET, NUMBER(blob_gas_used, -1), NULL, NULL, "BLOB_GAS_USED_ABOVE_LIMIT"},
    {"excess_blob_gas + 1", ADD, NUMBER(excess_blob_gas, 1), NULL, NULL, "INCORRECT_EXCESS_BLOB_GAS"},
    {"parent_beacon_root", FLIP_FIRST, BYTES(parent_beacon_root), NULL, NULL, "INVALID_STATE_ROOT"},
    {"parent_beacon_root", FLIP_LAST, BYTES(parent_beacon_root), NULL, NULL, "INVALID_STATE_ROOT"},
    {"requests_hash", FLIP_FIRST, BYTES(requests_hash), NULL, NULL, "INVALID_REQUESTS"},
    {"requests_hash", FLIP_LAST, BYTES(requests_hash), NULL, NULL, "INVALID_REQUESTS"},
};

static void apply(cevm_header *header, const change *c)
{
    uint8_t *bytes = (uint8_t *)header + c->offset;
    uint64_t number;
    memcpy(&number, bytes, sizeof number);
    switch (c->action) {
    case FLIP_FIRST: bytes[0] ^= 1; return;
    case FLIP_LAST: bytes[c->size - 1] ^= 1; return;
    case CLEAR: memset(bytes, 0, c->size); return;
    case ADD: number += c->operand; break;
    case SET: number = c->operand; break;
    case HALVE: number /= 2; break;
    }
    memcpy(bytes, &number, sizeof number);
}

static const char *expected_of(const change *c, cevm_fork fork)
{
    if (fork >= CEVM_CANCUN && c->beacon != NULL) {
        return c->beacon;
    }
    return fork >= CEVM_PARIS && c->pos != NULL ? c->pos : c->pow;
}

static void change_header(bed *b)
{
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; ++i) {
        const char *expected = expected_of(&changes[i], b->fork);
        cevm_block changed = *b->block;
        apply(&changed.header, &changes[i]);
        /* A field that the fork does not have is not encoded either, and nothing has changed. */
        const bool has_changed = import_block(b, &changed, changes[i].what, expected != NULL ? expected : "no field");
        const bool is_zero_already = changes[i].action == CLEAR && b->fork >= CEVM_PARIS;
        assert_true(has_changed || changes[i].offset >= offsetof(cevm_header, base_fee) || is_zero_already);
    }
    assert_in_range(b->refused, 20, SIZE_MAX);
}

static void test_every_header_field(void **state)
{
    (void)state;
    size_t refused = 0, accepted = 0;
    for (size_t i = 0; i < SUBJECTS; ++i) {
        refused += with_subject(&subjects[i], change_header, &accepted);
    }
    print_message("%zu changes refused, %zu accepted\n", refused, accepted);
    assert_true(refused >= 220);
    assert_int_equal(accepted, SUBJECTS + 2 * 3); /* gas_limit, and two ends of the nonce before the merge */
}

/*
 * The coinbase is paid before the merge (and before EIP-658 receipts hold the state after each transaction); after it only
 * when a transaction leaves a tip, which those of the last two do not.
 */
static void change_coinbase(bed *b)
{
    cevm_block changed = *b->block;
    const char *expected = b->fork < CEVM_BYZANTIUM ? "INVALID_RECEIPTS_ROOT"
                           : b->fork < CEVM_PRAGUE  ? "INVALID_STATE_ROOT"
                                                    : "accepted";
    changed.header.coinbase.bytes[0] ^= 1;
    import_block(b, &changed, "coinbase", expected);
}

static void test_coinbase(void **state)
{
    (void)state;
    size_t refused = 0, accepted = 0;
    for (size_t i = 0; i < SUBJECTS; ++i) {
        refused += with_subject(&subjects[i], change_coinbase, &accepted);
    }
    assert_int_equal(refused, SUBJECTS - 2);
    assert_int_equal(accepted, 2);
}

/*
 * A later time is free before EIP-4788 keeps it in the state, but for the difficulty: Byzantium's is a few seconds from its
 * parent, Frontier's and London's are so far from theirs that the difficulty stays.
 */
static void change_timestamp(bed *b)
{
    cevm_block changed = *b->block;
    const char *expected = b->fork == CEVM_BYZANTIUM ? "INVALID_DIFFICULTY"
                           : b->fork < CEVM_CANCUN   ? "accepted"
                                                     : "INVALID_STATE_ROOT";
    changed.header.timestamp += 100000;
    import_block(b, &changed, "timestamp + 100000", expected);
}

static void test_timestamp(void **state)
{
    (void)state;
    size_t refused = 0, accepted = 0;
    for (size_t i = 0; i < SUBJECTS; ++i) {
        refused += with_subject(&subjects[i], change_timestamp, &accepted);
    }
    assert_int_equal(refused, 4);
    assert_int_equal(accepted, 4);
}

/* EIP-4399: free, but for a transaction that reads PREVRANDAO; the one in Paris does. No seal is checked before. */
static void change_mix_hash(bed *b)
{
    cevm_block changed = *b->block;
    changed.header.mix_hash.bytes[31] ^= 1;
    import_block(b, &changed, "mix_hash", b->fork == CEVM_PARIS ? "INVALID_STATE_ROOT" : "accepted");
}

static void test_mix_hash(void **state)
{
    (void)state;
    size_t refused = 0, accepted = 0;
    for (size_t i = 0; i < SUBJECTS; ++i) {
        refused += with_subject(&subjects[i], change_mix_hash, &accepted);
    }
    assert_int_equal(refused, 1);
    assert_int_equal(accepted, SUBJECTS - 1);
}

static void change_extra_data(bed *b)
{
    static const uint8_t extra[33] = {0xee};
    cevm_block changed = *b->block;
    changed.header.extra_data = (cevm_bytes){extra, 32};
    import_block(b, &changed, "extra_data of 32 bytes", "accepted");
    changed.header.extra_data = (cevm_bytes){extra, 1};
    import_block(b, &changed, "extra_data of one byte", "accepted");
    changed.header.extra_data = (cevm_bytes){extra, 33};
    import_block(b, &changed, "extra_data of 33 bytes", "EXTRA_DATA_TOO_BIG");
}

static void test_extra_data(void **state)
{
    (void)state;
    size_t refused = 0, accepted = 0;
    for (size_t i = 0; i < SUBJECTS; ++i) {
        refused += with_subject(&subjects[i], change_extra_data, &accepted);
    }
    assert_int_equal(refused, SUBJECTS);
    assert_int_equal(accepted, 2 * SUBJECTS);
}

/** A field too many or too few at the end of the header; the body goes with it. */
static void change_fields(bed *b)
{
    static const struct {
        cevm_fork fork;
        size_t flag;
        const char *expected;
    } flags[] = {
        {CEVM_FRONTIER, offsetof(cevm_header, has_base_fee), "IMPORT_IMPOSSIBLE_LONDON_WRONG_PARENT"},
        {CEVM_BYZANTIUM, offsetof(cevm_header, has_base_fee), "IMPORT_IMPOSSIBLE_LONDON_WRONG_PARENT"},
        {CEVM_LONDON, offsetof(cevm_header, has_base_fee), "IMPORT_IMPOSSIBLE_LEGACY_WRONG_PARENT"},
        {CEVM_LONDON, offsetof(cevm_header, has_withdrawals_root), "IMPORT_IMPOSSIBLE_SHANGHAI"},
        {CEVM_PARIS, offsetof(cevm_header, has_base_fee), "IMPORT_IMPOSSIBLE_LEGACY_WRONG_PARENT"},
        {CEVM_PARIS, offsetof(cevm_header, has_withdrawals_root), "IMPORT_IMPOSSIBLE_SHANGHAI"},
        {CEVM_SHANGHAI, offsetof(cevm_header, has_withdrawals_root), "IMPORT_IMPOSSIBLE_PARIS_OVER_SHANGHAI"},
        {CEVM_SHANGHAI, offsetof(cevm_header, has_blob_gas), "INCORRECT_BLOCK_FORMAT"},
        {CEVM_CANCUN, offsetof(cevm_header, has_blob_gas), "INCORRECT_BLOCK_FORMAT"},
        {CEVM_CANCUN, offsetof(cevm_header, has_parent_beacon_root), "INCORRECT_BLOCK_FORMAT"},
        {CEVM_CANCUN, offsetof(cevm_header, has_requests_hash), "INCORRECT_BLOCK_FORMAT"},
        {CEVM_PRAGUE, offsetof(cevm_header, has_requests_hash), "INCORRECT_BLOCK_FORMAT"},
        {CEVM_OSAKA, offsetof(cevm_header, has_requests_hash), "INCORRECT_BLOCK_FORMAT"},
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; ++i) {
        if (flags[i].fork != b->fork) {
            continue;
        }
        cevm_block changed = *b->block;
        bool *flag = (bool *)(void *)((uint8_t *)&changed.header + flags[i].flag);
        *flag = !*flag;
        changed.has_withdrawals = changed.header.has_withdrawals_root;
        assert_true(import_block(b, &changed, "a field more or less", flags[i].expected));
    }
    assert_true(b->refused != 0);
}

static void test_missing_and_added_fields(void **state)
{
    (void)state;
    size_t refused = 0, accepted = 0;
    for (size_t i = 0; i < SUBJECTS; ++i) {
        refused += with_subject(&subjects[i], change_fields, &accepted);
    }
    assert_int_equal(refused, 13);
    assert_int_equal(accepted, 0);
}

/* ---- Ommers -------------------------------------------------------------------------------------------------------- */

/** Of an ommer's header only what its own rules say is checked: what it did to a state is not known. */
static const change ommer_changes[] = {
    {"parent_hash", FLIP_FIRST, BYTES(parent_hash), "UNCLE_PARENT_INCORRECT", NULL, NULL},
    {"ommers_hash", FLIP_FIRST, BYTES(ommers_hash), "accepted", NULL, NULL},
    {"coinbase", FLIP_FIRST, BYTES(coinbase), "INVALID_STATE_ROOT", NULL, NULL}, /* it is paid */
    {"state_root", FLIP_FIRST, BYTES(state_root), "accepted", NULL, NULL},
    {"transactions_root", FLIP_FIRST, BYTES(transactions_root), "accepted", NULL, NULL},
    {"receipts_root", FLIP_FIRST, BYTES(receipts_root), "accepted", NULL, NULL},
    {"logs_bloom", FLIP_FIRST, BYTES(logs_bloom), "accepted", NULL, NULL},
    {"difficulty + 1", ADD, NUMBER(difficulty, 1), "INVALID_DIFFICULTY", NULL, NULL},
    {"number + 1", ADD, NUMBER(number, 1), "INVALID_BLOCK_NUMBER", NULL, NULL},
    {"number - 1", ADD, NUMBER(number, -1), "INVALID_BLOCK_NUMBER", NULL, NULL},
    {"gas_limit - 1", ADD, NUMBER(gas_limit, -1), "accepted", NULL, NULL},
    {"gas_limit / 2", HALVE, NUMBER(gas_limit, 0), "INVALID_GASLIMIT", NULL, NULL},
    {"gas_used + 1", ADD, NUMBER(gas_used, 1), "accepted", NULL, NULL},
    {"gas_used = 2^64 - 1", SET, NUMBER(gas_used, -1), "GAS_USED_OVERFLOW", NULL, NULL},
    {"timestamp = 0", SET, NUMBER(timestamp, 0), "INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT", NULL, NULL},
    {"mix_hash", FLIP_FIRST, BYTES(mix_hash), "accepted", NULL, NULL},
    {"nonce", FLIP_FIRST, BYTES(nonce), "accepted", NULL, NULL},
};

static void change_ommers(bed *b)
{
    cevm_header ommers[2];
    const size_t count = b->block->ommer_count;
    assert_in_range(count, 1, 2);
    for (size_t i = 0; i < sizeof ommer_changes / sizeof ommer_changes[0]; ++i) {
        for (size_t which = 0; which < count; ++which) {
            cevm_block changed = *b->block;
            memcpy(ommers, b->block->ommers, count * sizeof *ommers);
            changed.ommers = ommers;
            apply(&ommers[which], &ommer_changes[i]);
            assert_int_equal(cevm_ommers_hash(&changed.header.ommers_hash, ommers, count, NULL), CEVM_OK);
            assert_true(import_block(b, &changed, ommer_changes[i].what, ommer_changes[i].pow));
            /* What is free in itself is still bound by the hash in the header. */
            changed.header.ommers_hash = b->block->header.ommers_hash;
            const bool is_bound = strcmp(ommer_changes[i].pow, "accepted") == 0 ||
                                  strcmp(ommer_changes[i].pow, "INVALID_STATE_ROOT") == 0;
            assert_true(import_block(b, &changed, ommer_changes[i].what,
                                     is_bound ? "INVALID_UNCLES_HASH" : ommer_changes[i].pow));
        }
    }
}

static void test_every_ommer_field(void **state)
{
    (void)state;
    static const subject with_ommers[] = {
        {"tests/UncleFromFrontierInHomestead.json", "FrontierToHomesteadAt5", 5, USUAL_KEY},
        {"legacy/uncleHeaderAtBlock2Byzantium.json", "Byzantium", 1, USUAL_KEY},
    };
    size_t refused = 0, accepted = 0;
    for (size_t i = 0; i < 2; ++i) {
        refused += with_subject(&with_ommers[i], change_ommers, &accepted);
    }
    print_message("%zu changes refused, %zu accepted\n", refused, accepted);
}

/* ---- Withdrawals (EIP-4895) ---------------------------------------------------------------------------------------- */

static void change_withdrawals(bed *b)
{
    static const struct {
        const char *what, *expected;
    } fields[] = {{"index", "accepted"}, /* for the consensus layer to check */
                  {"validator_index", "accepted"},
                  {"address", "INVALID_STATE_ROOT"},
                  {"amount", "INVALID_STATE_ROOT"},
                  {"none", "INVALID_STATE_ROOT"}};
    assert_int_equal(b->block->withdrawal_count, 1);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; ++i) {
        cevm_block changed = *b->block;
        cevm_withdrawal one = b->block->withdrawals[0];
        one.index += i == 0;
        one.validator_index += i == 1;
        one.address.bytes[0] ^= i == 2;
        one.amount += i == 3;
        changed.withdrawals = &one;
        changed.withdrawal_count = i != 4;
        assert_true(import_block(b, &changed, fields[i].what, "INVALID_WITHDRAWALS_ROOT"));
        assert_int_equal(cevm_withdrawals_root(&changed.header.withdrawals_root, &one, changed.withdrawal_count, NULL),
                         CEVM_OK);
        assert_true(import_block(b, &changed, fields[i].what, fields[i].expected));
    }
}

static void test_every_withdrawal_field(void **state)
{
    (void)state;
    size_t accepted = 0;
    assert_int_equal(with_subject(&subjects[4], change_withdrawals, &accepted), 8);
    assert_int_equal(accepted, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_header_field), cmocka_unit_test(test_coinbase),
        cmocka_unit_test(test_timestamp),          cmocka_unit_test(test_mix_hash),
        cmocka_unit_test(test_extra_data),         cmocka_unit_test(test_missing_and_added_fields),
        cmocka_unit_test(test_every_ommer_field),  cmocka_unit_test(test_every_withdrawal_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
