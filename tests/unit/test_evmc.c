/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcevm-evmc12.so and libcevm-evmc18.so, loaded as EVMC's loader loads them, over a host that answers what a test
 * wants. Prices are those of the EIPs named; the meaning of EVMC's fields is that of its header.
 */
#include "evmc_mock.h"

#include <cevm/hex.h>

enum { GAS = 100000 };

/*
 * CALL with all gas, to 0xab, no value, input or output: five PUSH0, PUSH1, GAS and the call cost 115, and of 6400
 * that are left then one 64th stays (EIP-150).
 */
static const char plain_call[] = "5f5f5f5f5f60ab5af1";
enum { PLAIN_CALL = 115 };

static const cevm_address self = {{[0] = 0xde, 0xad, 0xbe, 0xef}}; /* of EIP-1014's examples */
static const cevm_address caller = {{[19] = 0xca}};

static evmc_message_head message(int64_t gas)
{
    return (evmc_message_head){.kind = EVMC_CALL, .gas = gas, .recipient = self, .sender = caller};
}

static void run_message(mock *m, const evmc_message_head *head, const char *hex)
{
    uint8_t code[512];
    size_t size = 0;
    assert_true(strlen(hex) <= 2 * sizeof code);
    assert_true(cevm_hex_decode(code, &size, hex, strlen(hex)));
    mock_execute(m, head, (cevm_bytes){code, size});
}

static void run(mock *m, int64_t gas, const char *hex)
{
    const evmc_message_head head = message(gas);
    run_message(m, &head, hex);
}

static void set_revision(mock *m, evmc12_revision of12, evmc18_revision of18)
{
    m->revision = m->abi == 12 ? (int)of12 : (int)of18;
}

/** The revision of a name in the ABI of the machine. */
#define SET_REVISION(m, name) set_revision(m, EVMC12_##name, EVMC18_##name)

static int open12(void **state)
{
    *state = calloc(1, sizeof(mock));
    mock_open(*state, 12);
    return 0;
}

static int open18(void **state)
{
    *state = calloc(1, sizeof(mock));
    mock_open(*state, 18);
    return 0;
}

static int close_machine(void **state)
{
    mock_close(*state);
    free(*state);
    return 0;
}

static void test_what_the_loader_looks_at(void **state)
{
    const mock *m = *state;
    assert_int_equal(*(const int *)m->vm, m->abi);
    if (m->abi == 12) {
        evmc12_vm *vm = m->vm;
        assert_string_equal(vm->name, "cevm");
        assert_int_equal(vm->get_capabilities(vm), 1);
        assert_true(vm->version[0] != '\0');
    } else {
        const evmc18_vm *vm = m->vm;
        assert_string_equal(vm->name, "cevm");
        assert_true(vm->version[0] != '\0');
    }
}

static void test_how_frames_end(void **state)
{
    static const struct {
        const char *code;
        int status;
        int64_t gas_left; /* of 100 */
    } cases[] = {
        {"", EVMC_SUCCESS, 100},
        {"00", EVMC_SUCCESS, 100},
        {"fe", EVMC_INVALID_INSTRUCTION, 0},
        {"0c", EVMC_UNDEFINED_INSTRUCTION, 0},
        {"01", EVMC_STACK_UNDERFLOW, 0},
        {"5f56", EVMC_BAD_JUMP_DESTINATION, 0},
        {"5b5f56", EVMC_OUT_OF_GAS, 0},
        {"60015f5f3e", EVMC_INVALID_MEMORY_ACCESS, 0}, /* EIP-211: one byte of no return data */
        {"60ff5f5360015ff3", EVMC_SUCCESS, 100 - 3 - 2 - 3 - 3 - 3 - 2},
        {"60ff5f5360015ffd", EVMC_REVERT, 100 - 3 - 2 - 3 - 3 - 3 - 2},
    };
    mock *m = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        run(m, 100, cases[i].code);
        assert_int_equal(m->result.status_code, cases[i].status);
        assert_int_equal(m->result.gas_left, cases[i].gas_left);
    }
    assert_int_equal(m->result.output_size, 1);
    assert_int_equal(m->output[0], 0xff);
    evmc_message_head head = message(GAS);
    head.flags = EVMC_STATIC;
    run_message(m, &head, "5f5f55"); /* EIP-214 */
    assert_int_equal(m->result.status_code, EVMC_STATIC_MODE_VIOLATION);
    run_message(m, &head, "5f5fa0");
    assert_int_equal(m->result.status_code, EVMC_STATIC_MODE_VIOLATION);
}

static void test_stack_overflow(void **state)
{
    mock *m = *state;
    uint8_t bytes[1025];
    memset(bytes, 0x5f, sizeof bytes);
    const evmc_message_head head = message(GAS);
    mock_execute(m, &head, (cevm_bytes){bytes, 1024});
    assert_int_equal(m->result.status_code, EVMC_SUCCESS);
    mock_execute(m, &head, (cevm_bytes){bytes, 1025});
    assert_int_equal(m->result.status_code, EVMC_STACK_OVERFLOW);
}

/** Runs code that leaves one word: these bytes, right-aligned. */
static void expect_word(mock *m, const char *ops, const uint8_t *bytes, size_t size)
{
    char hex[256];
    uint8_t expected[32] = {0};
    (void)snprintf(hex, sizeof hex, "%s60005260206000f3", ops);
    run(m, GAS, hex);
    assert_int_equal(m->result.status_code, EVMC_SUCCESS);
    assert_int_equal(m->result.output_size, 32);
    if (size != 0) {
        memcpy(expected + 32 - size, bytes, size);
    }
    assert_memory_equal(m->output, expected, 32);
}

static void test_environment(void **state)
{
    mock *m = *state;
    const cevm_hash hashes[] = {{{1, 2, 3}}, {{4, 5, 6}}};
    m->tx = (evmc_tx_context_head){
        .tx_gas_price = {{[0] = 0x11, [31] = 0x12}},
        .tx_origin = {{0x21, [19] = 0x22}},
        .block_coinbase = {{0x31, [19] = 0x32}},
        .block_number = 0x1122334455667788,
        .block_timestamp = 0x0102030405060708,
        .block_gas_limit = 0x1223344556677889,
        .block_prev_randao = {{[0] = 0x41, [31] = 0x42}},
        .chain_id = {{[24] = 0xf1, [31] = 0x52}},
        .block_base_fee = {{[0] = 0x61, [31] = 0x62}},
        .blob_base_fee = {{[0] = 0x71, [31] = 0x72}},
        .blob_hashes = hashes,
        .blob_hashes_count = 2,
    };
    expect_word(m, "3a", m->tx.tx_gas_price.bytes, 32);
    expect_word(m, "32", m->tx.tx_origin.bytes, 20);
    expect_word(m, "41", m->tx.block_coinbase.bytes, 20);
    expect_word(m, "43", (const uint8_t[]){0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}, 8);
    expect_word(m, "42", (const uint8_t[]){1, 2, 3, 4, 5, 6, 7, 8}, 8);
    expect_word(m, "45", (const uint8_t[]){0x12, 0x23, 0x34, 0x45, 0x56, 0x67, 0x78, 0x89}, 8);
    expect_word(m, "44", m->tx.block_prev_randao.bytes, 32);
    expect_word(m, "46", m->tx.chain_id.bytes, 32);
    expect_word(m, "48", m->tx.block_base_fee.bytes, 32);
    expect_word(m, "4a", m->tx.blob_base_fee.bytes, 32);
    expect_word(m, "600149", hashes[1].bytes, 32);
    expect_word(m, "600249", NULL, 0);
    expect_word(m, "30", self.bytes, 20);
    expect_word(m, "33", caller.bytes, 20);
    SET_REVISION(m, LONDON); /* until EIP-4399 the same field is the difficulty */
    run(m, GAS, "4460005260206000f3");
    assert_memory_equal(m->output, m->tx.block_prev_randao.bytes, 32);
    m->tx.chain_id.bytes[23] = 1; /* 65 bits */
    run(m, GAS, "46");
    assert_int_equal(m->result.status_code, EVMC_REJECTED);
    run(m, GAS, "00"); /* which does not ask */
    assert_int_equal(m->result.status_code, EVMC_SUCCESS);
}

static void test_block_hash(void **state)
{
    mock *m = *state;
    m->tx.block_number = 1000;
    m->block_hash = (cevm_hash){{[31] = 7}};
    cevm_hash expected = m->block_hash;
    expected.bytes[0] = (uint8_t)999;
    expect_word(m, "6103e740", expected.bytes, 32); /* 999 */
    expect_word(m, "6103e840", NULL, 0);            /* 1000: not yet */
    expect_word(m, "6102e740", NULL, 0);            /* 743: too old */
}

static void test_accounts(void **state)
{
    mock *m = *state;
    static const uint8_t code[] = {0xaa, 0xbb, 0xcc};
    m->code_there = (cevm_bytes){code, sizeof code};
    m->balance = (cevm_hash){{[0] = 0x81, [31] = 0x82}};
    m->code_hash = (cevm_hash){{[0] = 0x91, [31] = 0x92}};
    expect_word(m, "60ab31", m->balance.bytes, 32);
    expect_word(m, "47", m->balance.bytes, 32);
    expect_word(m, "60ab3f", m->code_hash.bytes, 32);
    expect_word(m, "60ab3b", (const uint8_t[]){3}, 1);
    run(m, GAS, "60026001600060ab3c60026000f3"); /* EXTCODECOPY from 1 */
    assert_memory_equal(m->output, code + 1, 2);
    m->exists = false;
    m->code_hash = (cevm_hash){{0}};
    expect_word(m, "60ab3f", NULL, 0); /* EIP-1052 */
    /* EIP-2929: 2600 when cold, 100 when warm. */
    for (int warm = 0; warm < 2; ++warm) {
        m->warm = warm != 0;
        run(m, GAS, "60ab31");
        assert_int_equal(GAS - m->result.gas_left, 3 + (warm != 0 ? 100 : 2600));
        assert_int_equal(m->accessed.bytes[19], 0xab);
        run(m, GAS, "60ab3b");
        assert_int_equal(GAS - m->result.gas_left, 3 + (warm != 0 ? 100 : 2600));
    }
}

/*
 * No opcode asks for more than it needs by the execution specs: e existence, b balance, h code hash, s code size, c code,
 * a warmth (EIP-2929), x the transaction context, d SELFDESTRUCT, l a call, n nonce.
 */
static void test_what_is_asked(void **state)
{
    mock *m = *state;
    static const uint8_t code[] = {0xaa};
    static const struct {
        const char *code;
        const char *asked;
        const char *of_abi12; /* NULL: the same */
    } cases[] = {
        {"6001600201", "", NULL},
        {"3233", "x", NULL},
        {"32413a424344454648", "x", NULL}, /* once */
        {"600040", "x", NULL},
        {"60ab31", "ab", NULL},
        {"47", "b", NULL},
        {"60ab3b", "as", NULL},
        {"60ab3f", "ah", NULL},
        {"5f5f5f60ab3c", "a", NULL},
        {"60015f5f60ab3c", "ac", NULL},
        {"60015f5f60ab3c60ab3b60015f5f60ab3c", "acaa", NULL}, /* the last code is remembered */
        {"5f5f5f5f5f60ab5af1", "al", NULL},
        {"5f5f5f5f600160ab5af1", "aebl", NULL},
        {"5f5f5f5f600160ab5af2", "abl", NULL},
        {"5f5f5f5f60ab5af4", "al", NULL},
        {"5f5f5f5f60ab5afa", "al", NULL},
        {"5f5f5ff0", "nal", "l"},
        {"60abff", "abed", NULL},
    };
    m->code_there = (cevm_bytes){code, sizeof code};
    m->balance = (cevm_hash){{[31] = 5}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        m->asked[0] = '\0';
        run(m, GAS, cases[i].code);
        assert_int_equal(m->result.status_code, EVMC_SUCCESS);
        const bool differs = m->abi == 12 && cases[i].of_abi12 != NULL;
        assert_string_equal(m->asked, differs ? cases[i].of_abi12 : cases[i].asked);
    }
    m->balance = (cevm_hash){{0}}; /* EIP-161: nothing to bring the beneficiary to life with */
    m->asked[0] = '\0';
    run(m, GAS, "60abff");
    assert_string_equal(m->asked, "abd");
    SET_REVISION(m, PRAGUE); /* EIP-7702: is it a delegation? */
    m->asked[0] = '\0';
    run(m, GAS, plain_call);
    assert_string_equal(m->asked, "acl");
    SET_REVISION(m, TANGERINE_WHISTLE); /* existence alone counts, whatever the value (EIP-150) */
    m->asked[0] = '\0';
    run(m, GAS, "6000600060006000600060ab6000f1");
    assert_string_equal(m->asked, "el");
    m->asked[0] = '\0';
    run(m, GAS, "60abff");
    assert_string_equal(m->asked, "ed");
    SET_REVISION(m, HOMESTEAD); /* SELFDESTRUCT costs nothing */
    m->asked[0] = '\0';
    run(m, GAS, "60abff");
    assert_string_equal(m->asked, "d");
}

/* EIP-170's limit is not everyone's, and was not there before. */
static void test_long_code(void **state)
{
    mock *m = *state;
    const size_t sizes[] = {24575, 24576, 24577, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
        uint8_t *code = calloc(sizes[i], 1);
        assert_non_null(code);
        code[sizes[i] - 1] = 0x77;
        m->code_there = (cevm_bytes){code, sizes[i]};
        char hex[64];
        (void)snprintf(hex, sizeof hex, "600263%08x5f60ab3c60206000f3", (unsigned)sizes[i] - 1);
        run(m, GAS, hex);
        assert_int_equal(m->result.status_code, EVMC_SUCCESS);
        assert_int_equal(m->output[0], 0x77);
        assert_int_equal(m->output[1], 0);
        expect_word(m, "60ab3b",
                    (const uint8_t[]){(uint8_t)(sizes[i] >> 16), (uint8_t)(sizes[i] >> 8), (uint8_t)sizes[i]}, 3);
        free(code);
    }
}

static void test_transient_storage(void **state)
{
    mock *m = *state;
    expect_word(m, "602a60015d60015c", (const uint8_t[]){42}, 1); /* EIP-1153 */
}

static void test_logs(void **state)
{
    mock *m = *state;
    run(m, GAS, "6001600260036004600560a06000a4");
    assert_int_equal(m->result.status_code, EVMC_SUCCESS);
    assert_int_equal(m->logs, 1);
    assert_int_equal(m->log_topics, 4);
    assert_int_equal(m->log_size, 0xa0);
}

/** What a write costs and refunds by EVMC's word for it. */
static const struct {
    int status;
    const char *value;
    int64_t london, london_refund;     /* EIP-2929, EIP-3529 */
    int64_t berlin, berlin_refund;     /* EIP-2929 */
    int64_t istanbul, istanbul_refund; /* EIP-2200 */
    int64_t older, older_refund;       /* Yellow Paper */
} writes[] = {
    {EVMC_STORAGE_ASSIGNED, "01", 100, 0, 100, 0, 800, 0, 5000, 0},
    {EVMC_STORAGE_ADDED, "01", 20000, 0, 20000, 0, 20000, 0, 20000, 0},
    {EVMC_STORAGE_DELETED, "00", 2900, 4800, 2900, 15000, 5000, 15000, 5000, 15000},
    {EVMC_STORAGE_MODIFIED, "01", 2900, 0, 2900, 0, 5000, 0, 5000, 0},
    {EVMC_STORAGE_DELETED_ADDED, "01", 100, -4800, 100, -15000, 800, -15000, 20000, 0},
    {EVMC_STORAGE_MODIFIED_DELETED, "00", 100, 4800, 100, 15000, 800, 15000, 5000, 15000},
    {EVMC_STORAGE_DELETED_RESTORED, "01", 100, -2000, 100, -12200, 800, -10800, 20000, 0},
    {EVMC_STORAGE_ADDED_DELETED, "00", 100, 19900, 100, 19900, 800, 19200, 5000, 15000},
    {EVMC_STORAGE_MODIFIED_RESTORED, "01", 100, 2800, 100, 2800, 800, 4200, 5000, 0},
};

static void expect_write(mock *m, size_t i, int64_t gas, int64_t refund)
{
    char code[32];
    (void)snprintf(code, sizeof code, "60%s600055", writes[i].value);
    m->storage_status = writes[i].status;
    run(m, GAS, code);
    assert_int_equal(m->result.status_code, EVMC_SUCCESS);
    assert_int_equal(GAS - m->result.gas_left - 6, gas);
    assert_int_equal(m->result.gas_refund, refund);
}

static void test_storage_prices(void **state)
{
    mock *m = *state;
    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; ++i) {
        SET_REVISION(m, LONDON);
        expect_write(m, i, writes[i].london, writes[i].london_refund);
        m->warm = false; /* EIP-2929 */
        expect_write(m, i, writes[i].london + 2100, writes[i].london_refund);
        m->warm = true;
        SET_REVISION(m, BERLIN);
        expect_write(m, i, writes[i].berlin, writes[i].berlin_refund);
        SET_REVISION(m, ISTANBUL);
        expect_write(m, i, writes[i].istanbul, writes[i].istanbul_refund);
        SET_REVISION(m, PETERSBURG);
        expect_write(m, i, writes[i].older, writes[i].older_refund);
        SET_REVISION(m, FRONTIER);
        expect_write(m, i, writes[i].older, writes[i].older_refund);
    }
    m->storage = (cevm_hash){{[31] = 9}};
    SET_REVISION(m, CANCUN);
    expect_word(m, "5f54", (const uint8_t[]){9}, 1);
    m->warm = false;
    run(m, GAS, "5f54");
    assert_int_equal(GAS - m->result.gas_left, 2 + 2100);
}

static void test_selfdestruct(void **state)
{
    mock *m = *state;
    m->balance = (cevm_hash){{[31] = 1}};
    SET_REVISION(m, BERLIN);
    run(m, GAS, "60abff");
    assert_int_equal(m->result.status_code, EVMC_SUCCESS);
    assert_int_equal(GAS - m->result.gas_left, 3 + 5000);
    assert_int_equal(m->result.gas_refund, 24000);
    run(m, GAS, "60abff"); /* the second time there is nothing to refund */
    assert_int_equal(m->result.gas_refund, 0);
    m->destroyed = 0;
    m->exists = false; /* EIP-161: the balance brings it to life */
    SET_REVISION(m, CANCUN);
    run(m, GAS, "60abff");
    assert_int_equal(GAS - m->result.gas_left, 3 + 5000 + 25000);
    assert_int_equal(m->result.gas_refund, 0); /* EIP-3529 */
}

/* ---- Calls ------------------------------------------------------------------------------------------------------- */

static void test_call(void **state)
{
    mock *m = *state;
    m->call_result = (evmc_result_head){.status_code = EVMC_SUCCESS, .gas_left = 1300, .gas_refund = 17};
    evmc_message_head head = message(6400 + PLAIN_CALL);
    head.depth = 5;
    run_message(m, &head, plain_call);
    assert_int_equal(m->result.status_code, EVMC_SUCCESS);
    assert_int_equal(m->result.gas_left, 100 + 1300);
    assert_int_equal(m->result.gas_refund, 17);
    assert_int_equal(m->message.kind, EVMC_CALL);
    assert_int_equal(m->message.flags, 0);
    assert_int_equal(m->message.depth, 6);
    assert_int_equal(m->message.gas, 6300);
    assert_int_equal(m->message.recipient.bytes[19], 0xab);
    assert_int_equal(m->code_address.bytes[19], 0xab);
    assert_memory_equal(&m->message.sender, &self, sizeof self);
    m->warm = false; /* EIP-2929 */
    head.gas += 2500;
    run_message(m, &head, plain_call);
    assert_int_equal(m->result.gas_left, 100 + 1300);
    head.flags = EVMC_STATIC; /* goes on to the callee */
    run_message(m, &head, plain_call);
    assert_int_equal(m->message.flags, EVMC_STATIC);
}

static void test_kinds_of_call(void **state)
{
    mock *m = *state;
    evmc_message_head head = message(GAS);
    head.value = (cevm_hash){{[31] = 9}};
    m->balance = (cevm_hash){{[31] = 5}};
    run_message(m, &head, "5f5f5f5f60ab5af4"); /* DELEGATECALL */
    assert_int_equal(m->message.kind, EVMC_DELEGATECALL);
    assert_memory_equal(&m->message.recipient, &self, sizeof self);
    assert_memory_equal(&m->message.sender, &caller, sizeof caller);
    assert_int_equal(m->message.value.bytes[31], 9);
    assert_int_equal(m->code_address.bytes[19], 0xab);
    run_message(m, &head, "5f5f5f5f60ab5afa"); /* STATICCALL */
    assert_int_equal(m->message.kind, EVMC_CALL);
    assert_int_equal(m->message.flags, EVMC_STATIC);
    assert_int_equal(m->message.value.bytes[31], 0);
    run_message(m, &head, "5f5f5f5f600460ab6107d0f2"); /* CALLCODE of 4 wei with 2000 gas and the stipend */
    assert_int_equal(m->message.kind, EVMC_CALLCODE);
    assert_memory_equal(&m->message.recipient, &self, sizeof self);
    assert_memory_equal(&m->message.sender, &self, sizeof self);
    assert_int_equal(m->message.value.bytes[31], 4);
    assert_int_equal(m->message.gas, 2000 + 2300);
    assert_int_equal(m->calls, 3);
}

/* To an account that is not there value costs 9000 and 25000 (EIP-161); before EIP-161 existence alone counts. */
static void test_new_account(void **state)
{
    mock *m = *state;
    m->balance = (cevm_hash){{[31] = 5}};
    m->exists = false;
    run(m, GAS, "5f5f5f5f600160ab5ff1");
    assert_int_equal(GAS - m->result.gas_left, 2 * 5 + 3 * 2 + 100 + 9000 + 25000);
    run(m, GAS, "5f5f5f5f5f60ab5ff1");
    assert_int_equal(GAS - m->result.gas_left, 2 * 6 + 3 + 100);
    SET_REVISION(m, TANGERINE_WHISTLE);
    run(m, GAS, "6000600060006000600060ab6000f1");
    assert_int_equal(GAS - m->result.gas_left, 3 * 7 + 700 + 25000);
}

static void test_result_of_a_call(void **state)
{
    mock *m = *state;
    static const uint8_t answer[] = {0x77, 0x88};
    m->call_result = (evmc_result_head){.status_code = EVMC_SUCCESS, .output_data = answer, .output_size = 2};
    /* 4 bytes of output at 0, of which two come; then memory, whether it went well, and RETURNDATASIZE. */
    static const char code[] = "600460005f5f5f60ab5af16020523d60405260605ff3";
    run(m, GAS, code);
    assert_int_equal(m->result.status_code, EVMC_SUCCESS);
    assert_memory_equal(m->output, answer, 2);
    assert_int_equal(m->output[63], 1);
    assert_int_equal(m->result.output_size, 96);
    m->call_result.status_code = EVMC_REVERT;
    run(m, GAS, code);
    assert_memory_equal(m->output, answer, 2);
    assert_int_equal(m->output[63], 0);
    m->call_result = (evmc_result_head){.status_code = EVMC_FAILURE};
    run(m, GAS, code);
    assert_int_equal(m->output[0], 0);
    assert_int_equal(m->output[63], 0);
    /* What is no way for a call to end ends the execution. */
    m->call_result = (evmc_result_head){.status_code = EVMC_OUT_OF_MEMORY};
    run(m, GAS, code);
    assert_int_equal(m->result.status_code, EVMC_OUT_OF_MEMORY);
    assert_int_equal(m->result.gas_left, 0);
    m->call_result = (evmc_result_head){.status_code = EVMC_SUCCESS, .gas_left = GAS + 1};
    run(m, GAS, code);
    assert_int_equal(m->result.status_code, EVMC_INTERNAL_ERROR);
}

static void test_calls_that_do_not_begin(void **state)
{
    mock *m = *state;
    evmc_message_head head = message(GAS);
    head.depth = 1024; /* the callee would be one deeper than is allowed */
    run_message(m, &head, plain_call);
    assert_int_equal(m->result.status_code, EVMC_SUCCESS);
    assert_int_equal(GAS - m->result.gas_left, PLAIN_CALL);
    run_message(m, &head, "5f5f5ff0");
    assert_int_equal(GAS - m->result.gas_left, 2 * 3 + 32000);
    m->balance = (cevm_hash){{[31] = 5}};
    run(m, GAS, "5f5f5f5f600660ab5ff1"); /* 6 wei of 5; the stipend comes back */
    assert_int_equal(m->result.status_code, EVMC_SUCCESS);
    assert_int_equal(GAS - m->result.gas_left, 2 * 5 + 3 * 2 + 100 + 9000 - 2300);
    run(m, GAS, "5f5f6006f0");
    assert_int_equal(GAS - m->result.gas_left, 2 * 2 + 3 + 32000);
    assert_int_equal(m->calls, 0);
}

static void test_delegation(void **state)
{
    mock *m = *state;
    uint8_t designation[23] = {0xef, 0x01, 0x00, [3] = 0xd0, [22] = 0xd1}; /* EIP-7702 */
    SET_REVISION(m, PRAGUE);
    m->code_there = (cevm_bytes){designation, sizeof designation};
    m->warm = false;
    run(m, GAS, plain_call);
    assert_int_equal(m->result.status_code, EVMC_SUCCESS);
    assert_int_equal(m->message.flags, EVMC_DELEGATED);
    assert_int_equal(m->message.recipient.bytes[19], 0xab);
    assert_memory_equal(m->code_address.bytes, designation + 3, 20);
    const int64_t left = GAS - 15 - 2 * 2600; /* the delegate is cold too */
    assert_int_equal(m->message.gas, left - left / 64);
    SET_REVISION(m, CANCUN);
    run(m, GAS, plain_call);
    assert_int_equal(m->message.flags, 0);
    assert_int_equal(m->code_address.bytes[19], 0xab);
}

/* ---- Creations --------------------------------------------------------------------------------------------------- */

/** CREATE2 with one byte 0x00 of initcode and salt 0, whose address EIP-1014 gives for `self`; returns the address. */
static const char create2_returns[] = "5f60015f5ff55f5260205ff3";
static const char example_address[] = "b928f69bb1d91cd65274e3c79d8986362984fda3";

static void test_create2(void **state)
{
    mock *m = *state;
    cevm_address expected;
    assert_true(cevm_hex_decode_exact(expected.bytes, sizeof expected.bytes, example_address));
    m->created = expected;
    m->nonce = 5;
    run(m, GAS, create2_returns);
    assert_int_equal(m->result.status_code, EVMC_SUCCESS);
    assert_memory_equal(m->output + 12, expected.bytes, 20);
    assert_int_equal(m->message.kind, EVMC_CREATE2);
    assert_int_equal(m->message.input_size, 1);
    assert_int_equal(m->message.depth, 1);
    assert_memory_equal(&m->message.sender, &self, sizeof self);
    if (m->abi == 12) { /* the host derives it, from the salt */
        const cevm_address zero = {{0}};
        assert_memory_equal(&m->message.recipient, &zero, sizeof zero);
        run(m, GAS, "63cafebabe60015f5ff5");
        assert_memory_equal(m->salt.bytes + 28, "\xca\xfe\xba\xbe", 4);
    } else { /* the machine derives and warms it */
        assert_memory_equal(&m->message.recipient, &expected, sizeof expected);
        assert_memory_equal(&m->accessed, &expected, sizeof expected);
    }
    m->call_result.status_code = EVMC_REVERT;
    run(m, GAS, create2_returns);
    assert_int_equal(m->output[12], 0);
}

/* The addresses are those of the first contracts of an account that every Ethereum test suite knows. */
static void test_create(void **state)
{
    mock *m = *state;
    static const char *const addresses[] = {"cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d",
                                            "343c43a37d37dff08ae8c4a11544c718abb4fcf8"};
    evmc_message_head head = message(GAS);
    assert_true(cevm_hex_decode_exact(head.recipient.bytes, 20, "6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"));
    for (uint64_t nonce = 0; nonce < 2; ++nonce) {
        cevm_address expected;
        assert_true(cevm_hex_decode_exact(expected.bytes, sizeof expected.bytes, addresses[nonce]));
        m->nonce = nonce;
        m->created = expected;
        run_message(m, &head, "60015f5ff05f5260205ff3");
        assert_int_equal(m->message.kind, EVMC_CREATE);
        assert_memory_equal(m->output + 12, expected.bytes, 20);
        assert_true(m->abi == 12 || cevm_address_equal(&m->message.recipient, &expected));
    }
    m->nonce = UINT64_MAX; /* EIP-2681: guarded by the machine in ABI 18, by the host in ABI 12 */
    run_message(m, &head, "60015f5ff05f5260205ff3");
    assert_int_equal(m->calls, m->abi == 12 ? 3 : 2);
    assert_int_equal(m->output[31], m->abi == 12 ? 0xf8 : 0);
}

/* The frame of a creation: no input, and its output is the host's to store. */
static void test_initcode(void **state)
{
    mock *m = *state;
    static const uint8_t input[] = {1, 2, 3};
    evmc_message_head head = message(GAS);
    head.kind = EVMC_CREATE;
    head.input_data = input;
    head.input_size = sizeof input;
    run_message(m, &head, "365f526103e85ff3"); /* 1000 bytes, the first word CALLDATASIZE */
    assert_int_equal(m->result.status_code, EVMC_SUCCESS);
    assert_int_equal(m->result.output_size, 1000);
    assert_int_equal(m->output[31], 0);
    assert_true(GAS - m->result.gas_left < 200); /* no deposit is charged here: that would be 200000 */
}

/* ---- The machine ------------------------------------------------------------------------------------------------- */

static void test_revisions(void **state)
{
    mock *m = *state;
    SET_REVISION(m, PARIS);
    run(m, GAS, "5f");
    assert_int_equal(m->result.status_code, EVMC_UNDEFINED_INSTRUCTION); /* EIP-3855 */
    SET_REVISION(m, SHANGHAI);
    run(m, GAS, "5f");
    assert_int_equal(m->result.status_code, EVMC_SUCCESS);
    SET_REVISION(m, PRAGUE);
    run(m, GAS, "60011e");
    assert_int_equal(m->result.status_code, EVMC_UNDEFINED_INSTRUCTION); /* EIP-7939 */
    SET_REVISION(m, OSAKA);
    run(m, GAS, "60011e");
    assert_int_equal(m->result.status_code, EVMC_SUCCESS);
    SET_REVISION(m, BYZANTIUM);
    run(m, GAS, "600160011b");
    assert_int_equal(m->result.status_code, EVMC_UNDEFINED_INSTRUCTION); /* EIP-145 */
    SET_REVISION(m, PETERSBURG);
    run(m, GAS, "600160011b");
    assert_int_equal(m->result.status_code, EVMC_SUCCESS);
    const int unknown[] = {-1, 99, m->abi == 12 ? 15 : 14};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; ++i) {
        m->revision = unknown[i];
        run(m, GAS, "00");
        assert_int_equal(m->result.status_code, EVMC_REJECTED);
        assert_int_equal(m->result.gas_left, 0);
    }
}

static int set_option(mock *m, const char *name, const char *value)
{
    return m->abi == 12 ? ((evmc12_vm *)m->vm)->set_option(m->vm, name, value)
                        : ((evmc18_vm *)m->vm)->set_option(m->vm, name, value);
}

static void test_options(void **state)
{
    mock *m = *state;
    static const char grows[] = "60016201000052"; /* MSTORE at 65536 */
    assert_int_equal(set_option(m, "verbose", "1"), EVMC_SET_OPTION_INVALID_NAME);
    assert_int_equal(set_option(m, "verbose", NULL), EVMC_SET_OPTION_INVALID_NAME);
    assert_int_equal(set_option(m, "memory-limit", NULL), EVMC_SET_OPTION_INVALID_VALUE);
    assert_int_equal(set_option(m, "memory-limit", ""), EVMC_SET_OPTION_INVALID_VALUE);
    assert_int_equal(set_option(m, "memory-limit", "0"), EVMC_SET_OPTION_INVALID_VALUE);
    assert_int_equal(set_option(m, "memory-limit", "12k"), EVMC_SET_OPTION_INVALID_VALUE);
    assert_int_equal(set_option(m, "memory-limit", "99999999999999999999"), EVMC_SET_OPTION_INVALID_VALUE);
    assert_int_equal(set_option(m, "engine", "fast"), EVMC_SET_OPTION_INVALID_VALUE);
    run(m, GAS, grows);
    assert_int_equal(m->result.status_code, EVMC_SUCCESS);
    assert_int_equal(set_option(m, "memory-limit", "65536"), EVMC_SET_OPTION_SUCCESS);
    run(m, GAS, grows);
    assert_int_equal(m->result.status_code, EVMC_OUT_OF_MEMORY); /* and not out of gas */
    static const char *const engines[] = {"exact", "block", "auto"};
    for (size_t i = 0; i < 3; ++i) {
        assert_int_equal(set_option(m, "engine", engines[i]), EVMC_SET_OPTION_SUCCESS);
        expect_word(m, "6002602801", (const uint8_t[]){42}, 1);
    }
}

/* Each frame is an execution inside the execution of its caller. */
static void test_depth_1024(void **state)
{
    mock *m = *state;
    static const uint8_t calls_itself[] = {0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x30, 0x5a, 0xf1};
    m->recurse = (cevm_bytes){calls_itself, sizeof calls_itself};
    const evmc_message_head head = message(INT64_C(1) << 60);
    for (int i = 0; i < 2; ++i) {
        m->calls = 0;
        mock_execute(m, &head, m->recurse);
        assert_int_equal(m->result.status_code, EVMC_SUCCESS);
        assert_int_equal(m->calls, 1024);
        assert_int_equal(m->deepest, 1024);
    }
}

#define BOTH(name) \
    {#name " (ABI 12)", name, open12, close_machine, NULL}, { #name " (ABI 18)", name, open18, close_machine, NULL }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_what_the_loader_looks_at),
        BOTH(test_how_frames_end),
        BOTH(test_stack_overflow),
        BOTH(test_environment),
        BOTH(test_block_hash),
        BOTH(test_accounts),
        BOTH(test_what_is_asked),
        BOTH(test_long_code),
        BOTH(test_transient_storage),
        BOTH(test_logs),
        BOTH(test_storage_prices),
        BOTH(test_selfdestruct),
        BOTH(test_call),
        BOTH(test_kinds_of_call),
        BOTH(test_new_account),
        BOTH(test_result_of_a_call),
        BOTH(test_calls_that_do_not_begin),
        BOTH(test_delegation),
        BOTH(test_create2),
        BOTH(test_create),
        BOTH(test_initcode),
        BOTH(test_revisions),
        BOTH(test_options),
        BOTH(test_depth_1024),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
