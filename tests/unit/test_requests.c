/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EIP-7685 requests: their hash, deposits out of logs (EIP-6110), and what the contracts of EIP-7002 and EIP-7251 hand out,
 * running the code of those EIPs.
 */
#include "execution_support.h"

#include "chain/requests.h"

#include <stdio.h>

#define DEPOSIT_CONTRACT "00000000219ab540356cbb839cbe05303d7705fa"
#define DEPOSIT_EVENT    "649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5"

static void assert_hash(const cevm_hash *hash, const char *expected)
{
    char hex[65];
    cevm_hex_encode(hex, hash->bytes, sizeof hash->bytes);
    assert_string_equal(hex, expected);
}

/** The expected hashes are those of another implementation of SHA-256. */
static void test_eip7685_hash(void **state)
{
    (void)state;
    static const uint8_t deposits[] = {0, 0xaa}, consolidations[] = {2, 0xbb, 0xcc};
    cevm_requests requests = {.count = 0};
    cevm_hash hash;
    cevm_requests_hash(&hash, &requests);
    assert_hash(&hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    requests.items[0] = (cevm_bytes){deposits, sizeof deposits};
    requests.items[1] = (cevm_bytes){consolidations, sizeof consolidations};
    requests.count = 2;
    cevm_requests_hash(&hash, &requests);
    assert_hash(&hash, "3a6828ccf5d0289a015948aece59df1ff29bf8f949846d6f5f6f94ff1120a014");
}

/* ---- EIP-6110 ---------------------------------------------------------------------------------------------------- */

enum { EVENT_SIZE = 576, REQUEST_SIZE = 192 };

/** The event as the ABI of Solidity lays out five byte strings; byte n of the request is first + n. */
static void make_event(uint8_t event[EVENT_SIZE], uint8_t first)
{
    static const unsigned sizes[5] = {48, 32, 8, 96, 8};
    unsigned offset = 5 * 32;
    memset(event, 0, EVENT_SIZE);
    for (unsigned i = 0; i < 5; ++i) {
        event[32 * i + 30] = (uint8_t)(offset >> 8);
        event[32 * i + 31] = (uint8_t)offset;
        event[offset + 31] = (uint8_t)sizes[i];
        for (unsigned n = 0; n < sizes[i]; ++n) {
            event[offset + 32 + n] = first++;
        }
        offset += 32 + (sizes[i] + 31) / 32 * 32;
    }
    assert_int_equal(offset, EVENT_SIZE);
}

static cevm_log deposit_log(const uint8_t *event, size_t size)
{
    cevm_log log = {.address = address_from(DEPOSIT_CONTRACT), .topic_count = 1, .data = {event, size}};
    log.topics[0] = hash_from(DEPOSIT_EVENT);
    return log;
}

typedef struct collector {
    cevm_requests requests;
    cevm_arena arena;
    cevm_buf scratch;
} collector;

static cevm_block_error collect(collector *c, const cevm_block_receipt *receipts, size_t count)
{
    const cevm_address contract = address_from(DEPOSIT_CONTRACT);
    cevm_block_error reason = CEVM_BLOCK_ERROR_COUNT;
    *c = (collector){.requests = {.count = 0}};
    cevm_buf_init(&c->scratch, NULL);
    assert_int_equal(
        cevm_requests_add_deposits(&c->requests, &reason, &contract, receipts, count, &c->arena, &c->scratch), CEVM_OK);
    return reason;
}

static void collector_close(collector *c)
{
    cevm_arena_destroy(&c->arena);
    cevm_buf_free(&c->scratch);
}

static cevm_block_error judge(const cevm_log *log)
{
    const cevm_block_receipt receipt = {.logs = log, .log_count = 1};
    collector c;
    const cevm_block_error reason = collect(&c, &receipt, 1);
    collector_close(&c);
    return reason;
}

static void test_eip6110_deposits_in_order(void **state)
{
    (void)state;
    uint8_t events[3][EVENT_SIZE];
    cevm_log logs[5];
    for (uint8_t i = 0; i < 3; ++i) {
        make_event(events[i], (uint8_t)(i * 7));
    }
    logs[0] = deposit_log(events[0], EVENT_SIZE);
    logs[1] = deposit_log(events[2], 3); /* another contract's log with this topic is nothing to us */
    logs[1].address.bytes[0] = 1;
    logs[2] = deposit_log(events[2], 3); /* nor is another event of the contract, */
    logs[2].topics[0].bytes[31] ^= 1;
    logs[3] = deposit_log(events[2], EVENT_SIZE); /* or one without a topic, even over a topic of an earlier log */
    logs[3].topic_count = 0;
    logs[4] = deposit_log(events[1], EVENT_SIZE);
    const cevm_block_receipt receipts[] = {
        {.logs = logs, .log_count = 3}, {.log_count = 0}, {.logs = logs + 3, .log_count = 2}};
    collector c;
    assert_int_equal(collect(&c, receipts, 3), CEVM_BLOCK_NONE);
    assert_int_equal(c.requests.count, 1);
    assert_int_equal(c.requests.items[0].size, 1 + 2 * REQUEST_SIZE);
    assert_int_equal(c.requests.items[0].data[0], 0);
    for (size_t n = 0; n < REQUEST_SIZE; ++n) {
        assert_int_equal(c.requests.items[0].data[1 + n], (uint8_t)n);
        assert_int_equal(c.requests.items[0].data[1 + REQUEST_SIZE + n], (uint8_t)(7 + n));
    }
    collector_close(&c);
    assert_int_equal(collect(&c, receipts + 1, 1), CEVM_BLOCK_NONE);
    assert_int_equal(c.requests.count, 0);
    collector_close(&c);
}

static void test_eip6110_every_other_layout_is_invalid(void **state)
{
    (void)state;
    static const unsigned words[10] = {0, 32, 64, 96, 128, 160, 256, 320, 384, 512};
    uint8_t event[EVENT_SIZE + 32];
    memset(event, 0, sizeof event);
    for (size_t i = 0; i < 10; ++i) {
        for (unsigned byte = 0; byte < 32; ++byte) {
            make_event(event, 0);
            event[words[i] + byte] ^= byte == 31 ? 8 : 1;
            const cevm_log log = deposit_log(event, EVENT_SIZE);
            assert_int_equal(judge(&log), CEVM_BLOCK_INVALID_DEPOSIT_EVENT_LAYOUT);
        }
    }
    make_event(event, 0);
    static const size_t sizes[] = {0, 1, 31, 32, 192, 544, 575, 577, 608};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
        const cevm_log log = deposit_log(event, sizes[i]);
        assert_int_equal(judge(&log), CEVM_BLOCK_INVALID_DEPOSIT_EVENT_LAYOUT);
    }
    const cevm_log log = deposit_log(event, EVENT_SIZE);
    assert_int_equal(judge(&log), CEVM_BLOCK_NONE);
    event[160 + 32 + 48] = 1; /* padding is not looked at */
    assert_int_equal(judge(&log), CEVM_BLOCK_NONE);
}

/** In a block: a contract that logs its calldata stands where the deposit contract is. A bad event ends the block. */
static void test_eip6110_in_a_block(void **state)
{
    (void)state;
    for (int bad = 0; bad < 2; ++bad) {
        world w;
        world_open(&w, CEVM_PRAGUE);
        put_system_contracts(&w);
        put_contract(&w, DEPOSIT_CONTRACT,
                     "365f5f37"
                     "7f" DEPOSIT_EVENT "365fa100"); /* LOG1(calldata, event) */
        cevm_execution_input input = input_of(&w);
        input.deposit_contract = address_from(DEPOSIT_CONTRACT);
        cevm_execution *execution = execution_open(&w, &input);
        uint8_t event[EVENT_SIZE];
        cevm_tx tx = plain_tx();
        make_event(event, 1);
        tx.to = address_from(DEPOSIT_CONTRACT);
        tx.data = (cevm_bytes){event, bad ? EVENT_SIZE - 1 : EVENT_SIZE};
        (void)execute_tx(execution, &tx);
        cevm_execution_output out;
        const cevm_block_error reason = execution_finish(execution, &out);
        if (bad) {
            assert_int_equal(reason, CEVM_BLOCK_INVALID_DEPOSIT_EVENT_LAYOUT);
        } else {
            assert_int_equal(reason, CEVM_BLOCK_NONE);
            assert_true(out.has_requests && out.request_count == 1 && out.requests[0].size == 1 + REQUEST_SIZE);
        }
        cevm_execution_destroy(execution);
        world_close(&w);
    }
}

/* ---- EIP-7002 and EIP-7251 --------------------------------------------------------------------------------------- */

/** The first block switches the contracts on: their constructors leave them inhibited until a system call. */
static void first_block(world *w)
{
    const cevm_execution_input input = input_of(w);
    assert_int_equal(execute_empty(w, &input), CEVM_BLOCK_NONE);
}

static void call_system_contract(cevm_execution *execution, const char *to, uint64_t nonce, const uint8_t *data,
                                 size_t size)
{
    cevm_tx tx = plain_tx();
    tx.nonce = nonce;
    tx.gas_limit = 300000;
    tx.to = address_from(to);
    tx.value = cevm_u256_from_u64(1); /* the least fee */
    tx.data = (cevm_bytes){data, size};
    assert_int_equal(execute_tx(execution, &tx).status, CEVM_STATUS_STOP);
}

/** Data goes in as public keys and an amount, big-endian; it comes out with the sender before it, little-endian. */
static void test_requests_of_the_system_contracts(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_PRAGUE);
    put_system_contracts(&w);
    first_block(&w);
    uint8_t keys[96], withdrawal[56];
    for (uint8_t i = 0; i < 96; ++i) {
        keys[i] = (uint8_t)(i + 1);
    }
    memcpy(withdrawal, keys, 48);
    cevm_store_be64(withdrawal + 48, 0x0102030405060708);
    const cevm_execution_input input = input_of(&w);
    cevm_execution *execution = execution_open(&w, &input);
    call_system_contract(execution, CONSOLIDATIONS, 0, keys, sizeof keys);
    call_system_contract(execution, WITHDRAWALS, 1, withdrawal, sizeof withdrawal);
    call_system_contract(execution, WITHDRAWALS, 2, withdrawal, sizeof withdrawal);
    const cevm_block_usage before = cevm_execution_usage(execution);
    cevm_execution_output out;
    assert_int_equal(execution_finish(execution, &out), CEVM_BLOCK_NONE);
    assert_true(out.gas_used == before.gas_used); /* system calls cost nobody anything */
    assert_true(out.has_requests);
    assert_int_equal(out.request_count, 2);
    const cevm_address sender = account_of(SENDER_KEY);
    const uint8_t *data = out.requests[0].data;
    assert_int_equal(out.requests[0].size, 1 + 2 * 76);
    assert_int_equal(data[0], 1);
    for (size_t i = 0; i < 2; ++i) {
        assert_memory_equal(data + 1 + 76 * i, sender.bytes, 20);
        assert_memory_equal(data + 21 + 76 * i, keys, 48);
        assert_memory_equal(data + 69 + 76 * i, ((const uint8_t[]){8, 7, 6, 5, 4, 3, 2, 1}), 8);
    }
    assert_int_equal(out.requests[1].size, 1 + 116);
    assert_int_equal(out.requests[1].data[0], 2);
    assert_memory_equal(out.requests[1].data + 1, sender.bytes, 20);
    assert_memory_equal(out.requests[1].data + 21, keys, 96);
    cevm_requests requests = {.items = {out.requests[0], out.requests[1]}, .count = 2};
    cevm_hash hash;
    cevm_requests_hash(&hash, &requests);
    assert_memory_equal(hash.bytes, out.requests_hash.bytes, 32);
    cevm_execution_destroy(execution);
    first_block(&w); /* the queues are empty now */
    world_close(&w);
}

/** At most 16 withdrawals and 2 consolidations a block; the rest wait. */
static void test_requests_that_wait(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_PRAGUE);
    put_system_contracts(&w);
    first_block(&w);
    static const uint8_t data[96] = {1};
    const cevm_execution_input input = input_of(&w);
    static const size_t withdrawals[3] = {16, 1, 0};
    static const size_t consolidations[3] = {2, 1, 0};
    for (size_t block = 0; block < 3; ++block) {
        cevm_execution *execution = execution_open(&w, &input);
        for (uint64_t i = 0; i < 20 && block == 0; ++i) {
            call_system_contract(execution, i < 17 ? WITHDRAWALS : CONSOLIDATIONS, i, data, i < 17 ? 56 : 96);
        }
        cevm_execution_output out;
        assert_int_equal(execution_finish(execution, &out), CEVM_BLOCK_NONE);
        assert_int_equal(out.request_count, block < 2 ? 2 : 0);
        if (block < 2) {
            assert_int_equal(out.requests[0].size, 1 + 76 * withdrawals[block]);
            assert_int_equal(out.requests[1].size, 1 + 116 * consolidations[block]);
        } else {
            assert_hash(&out.requests_hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        }
        cevm_execution_destroy(execution);
    }
    world_close(&w);
}

static void test_a_system_contract_must_be_there_and_answer(void **state)
{
    (void)state;
    static const struct {
        const char *withdrawals, *consolidations;
        cevm_block_error reason;
    } rows[] = {
        {"", "", CEVM_BLOCK_SYSTEM_CONTRACT_EMPTY},
        {"", CONSOLIDATIONS_CODE, CEVM_BLOCK_SYSTEM_CONTRACT_EMPTY},
        {WITHDRAWALS_CODE, "", CEVM_BLOCK_SYSTEM_CONTRACT_EMPTY},
        {WITHDRAWALS_CODE, CONSOLIDATIONS_CODE, CEVM_BLOCK_NONE},
        {"00", "00", CEVM_BLOCK_NONE},
        {"5f5ffd", "00", CEVM_BLOCK_SYSTEM_CONTRACT_CALL_FAILED}, /* REVERT */
        {"00", "fe", CEVM_BLOCK_SYSTEM_CONTRACT_CALL_FAILED},     /* INVALID */
        {"5b5f56", "00", CEVM_BLOCK_SYSTEM_CONTRACT_CALL_FAILED}, /* a loop: out of gas */
        {"fe", "", CEVM_BLOCK_SYSTEM_CONTRACT_CALL_FAILED},       /* the first one counts */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        world w;
        world_open(&w, CEVM_PRAGUE);
        put_contract(&w, WITHDRAWALS, rows[i].withdrawals);
        put_contract(&w, CONSOLIDATIONS, rows[i].consolidations);
        const cevm_execution_input input = input_of(&w);
        assert_string_equal(cevm_block_error_name(execute_empty(&w, &input)), cevm_block_error_name(rows[i].reason));
        world_close(&w);
    }
}

static void test_no_requests_before_prague(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_CANCUN);
    const cevm_execution_input input = input_of(&w);
    cevm_execution *execution = execution_open(&w, &input);
    cevm_execution_output out;
    assert_int_equal(execution_finish(execution, &out), CEVM_BLOCK_NONE);
    assert_false(out.has_requests);
    assert_int_equal(out.request_count, 0);
    cevm_execution_destroy(execution);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eip7685_hash),
        cmocka_unit_test(test_eip6110_deposits_in_order),
        cmocka_unit_test(test_eip6110_every_other_layout_is_invalid),
        cmocka_unit_test(test_eip6110_in_a_block),
        cmocka_unit_test(test_requests_of_the_system_contracts),
        cmocka_unit_test(test_requests_that_wait),
        cmocka_unit_test(test_a_system_contract_must_be_there_and_answer),
        cmocka_unit_test(test_no_requests_before_prague),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
