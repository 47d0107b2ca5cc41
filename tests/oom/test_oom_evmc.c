/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machines for EVMC when memory runs out: each allocation fails in turn, once and for good, while a machine is made and
 * while it runs a frame. evmc_create then gives NULL and execute EVMC_OUT_OF_MEMORY, without output; what was made is
 * freed, and the next execution succeeds. EVMC has no allocators, so the machines call realloc; the linker puts the
 * functions below in its place (and in free's) for the objects of the machines and the library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "evm/evmc/abi12.h"
#include "evm/evmc/abi18.h"

#include <string.h>

#include <cevm/hex.h>

evmc12_vm *evmc_create_cevm_evmc12(void);
evmc18_vm *evmc_create_cevm_evmc18(void);

/* ---- Memory that runs out ---------------------------------------------------------------------------------------- */

static struct {
    bool on;
    size_t calls;
    size_t fail_at; /* counted from 1; 0 = never */
    bool for_good;
    size_t live;
} memory;

void *__real_realloc(void *ptr, size_t size);
void __real_free(void *ptr);
void *__wrap_realloc(void *ptr, size_t size);
void __wrap_free(void *ptr);

void *__wrap_realloc(void *ptr, size_t size)
{
    if (!memory.on) {
        return __real_realloc(ptr, size);
    }
    memory.calls += 1;
    if (memory.fail_at != 0 && (memory.calls == memory.fail_at || (memory.for_good && memory.calls > memory.fail_at))) {
        return NULL;
    }
    void *out = __real_realloc(ptr, size);
    assert_non_null(out);
    memory.live += ptr == NULL;
    return out;
}

void __wrap_free(void *ptr)
{
    memory.live -= memory.on && ptr != NULL;
    __real_free(ptr);
}

static void fail_at(size_t at, bool for_good)
{
    memory.calls = 0;
    memory.fail_at = at;
    memory.for_good = for_good;
}

/* ---- A host ------------------------------------------------------------------------------------------------------ */

/** 4 KiB; longer than what EIP-170 allows when asked about the account 0xcc. */
static size_t code_size(evmc_host_context *context, const cevm_address *address)
{
    (void)context;
    return address->bytes[19] == 0xcc ? 60000 : 4096;
}

static size_t copy_code(evmc_host_context *context, const cevm_address *address, size_t offset, uint8_t *buffer,
                        size_t size)
{
    const size_t all = code_size(context, address);
    const size_t left = offset < all ? all - offset : 0;
    const size_t n = left < size ? left : size;
    memset(buffer, 0x5b, n);
    return n;
}

static cevm_hash word(evmc_host_context *context, const cevm_address *address)
{
    (void)context;
    (void)address;
    return (cevm_hash){{[31] = 1}};
}

static uint64_t nonce(evmc_host_context *context, const cevm_address *address)
{
    (void)context;
    (void)address;
    return 1;
}

static int access_account12(evmc_host_context *context, const cevm_address *address)
{
    (void)context;
    (void)address;
    return 1;
}

static bool access_account18(evmc_host_context *context, const cevm_address *address)
{
    return access_account12(context, address) != 0;
}

static evmc12_tx_context tx12(evmc_host_context *context)
{
    (void)context;
    return (evmc12_tx_context){.head = {.block_number = 1}};
}

static evmc18_tx_context tx18(evmc_host_context *context) { return (evmc18_tx_context){.head = tx12(context).head}; }

/** Each call gives 5000 bytes back, which are the host's own. */
static evmc_result_head answer(void)
{
    static const uint8_t output[5000] = {1};
    return (evmc_result_head){.status_code = EVMC_SUCCESS, .output_data = output, .output_size = sizeof output};
}

static evmc12_result call12(evmc_host_context *context, const evmc12_message *message)
{
    (void)context;
    (void)message;
    return (evmc12_result){.head = answer()};
}

static evmc18_result call18(evmc_host_context *context, const evmc18_message *message)
{
    (void)context;
    (void)message;
    return (evmc18_result){.head = answer()};
}

static const evmc12_host_interface host12 = {
    .get_balance = word,
    .get_code_size = code_size,
    .get_code_hash = word,
    .copy_code = copy_code,
    .call = call12,
    .get_tx_context = tx12,
    .access_account = access_account12,
};

static const evmc18_host_interface host18 = {
    .get_balance = word,
    .get_nonce = nonce,
    .get_code_size = code_size,
    .get_code_hash = word,
    .copy_code = copy_code,
    .call = call18,
    .get_tx_context = tx18,
    .access_account = access_account18,
};

/* ---- The tests --------------------------------------------------------------------------------------------------- */

static void *create(int abi)
{
    return abi == 12 ? (void *)evmc_create_cevm_evmc12() : (void *)evmc_create_cevm_evmc18();
}

static void destroy(int abi, void *vm)
{
    if (abi == 12) {
        ((evmc12_vm *)vm)->destroy(vm);
    } else {
        ((evmc18_vm *)vm)->destroy(vm);
    }
}

static void use_engine(int abi, void *vm, const char *engine)
{
    const int answer_of = abi == 12 ? ((evmc12_vm *)vm)->set_option(vm, "engine", engine)
                                    : ((evmc18_vm *)vm)->set_option(vm, "engine", engine);
    assert_int_equal(answer_of, EVMC_SET_OPTION_SUCCESS);
}

/*
 * Memory, a loop of jumps, the code of two accounts (one of them long), the context, a call, a creation, and 64 bytes of
 * output.
 */
static const char program[] = "615000515060205b600190038060075750"   /* MLOAD at 20480; 32 times round */
                              "60205f5f60bb3c60205f5f60cc3c60bb3b50" /* EXTCODECOPY twice, EXTCODESIZE */
                              "43505f5f5f5f60ab5afa505f5f5ff050"     /* NUMBER, STATICCALL, CREATE */
                              "60405ff3";

/** Runs it once; the status. Output comes with success and with nothing else. */
static int execute(int abi, void *vm)
{
    uint8_t code[128];
    size_t size = 0;
    assert_true(strlen(program) <= 2 * sizeof code);
    assert_true(cevm_hex_decode(code, &size, program, strlen(program)));
    const evmc_message_head head = {.kind = EVMC_CALL, .gas = 10000000, .recipient = {{[19] = 1}}};
    evmc_result_head out;
    if (abi == 12) {
        const evmc12_message message = {.head = head};
        const evmc12_result result = ((evmc12_vm *)vm)->execute(vm, &host12, NULL, EVMC12_OSAKA, &message, code, size);
        out = result.head;
    } else {
        const evmc18_message message = {.head = head};
        const evmc18_result result = ((evmc18_vm *)vm)->execute(vm, &host18, NULL, EVMC18_OSAKA, &message, code, size);
        out = result.head;
    }
    assert_int_equal(out.output_size, out.status_code == EVMC_SUCCESS ? 64 : 0);
    assert_true(out.status_code == EVMC_SUCCESS || out.gas_left == 0);
    if (out.release != NULL) {
        out.release(&out);
    }
    return out.status_code;
}

static void create_without_memory(int abi)
{
    memory.on = true;
    for (size_t at = 1;; ++at) {
        fail_at(at, false);
        void *vm = create(abi);
        if (vm != NULL) {
            destroy(abi, vm);
            assert_int_equal(memory.live, 0);
            assert_true(at > 2); /* the machine, its cache of code */
            break;
        }
        assert_int_equal(memory.live, 0);
    }
    memory.on = false;
}

static void test_create(void **state)
{
    (void)state;
    create_without_memory(12);
    create_without_memory(18);
}

/** Every allocation of the first execution of a machine fails, then the machine has to work. Returns how many there are. */
static size_t execute_without_memory(int abi, const char *engine, bool for_good)
{
    for (size_t at = 1;; ++at) {
        fail_at(0, false);
        memory.on = true;
        void *vm = create(abi);
        assert_non_null(vm);
        use_engine(abi, vm, engine);
        const size_t before = memory.live;
        fail_at(at, for_good);
        const int status = execute(abi, vm);
        const bool reached = memory.calls >= at;
        fail_at(0, false);
        /* What only makes things faster may do without, and the frame succeeds all the same. */
        assert_true(status == EVMC_OUT_OF_MEMORY || status == EVMC_SUCCESS);
        assert_true(status == EVMC_SUCCESS || memory.live >= before);
        assert_int_equal(execute(abi, vm), EVMC_SUCCESS);
        destroy(abi, vm);
        assert_int_equal(memory.live, 0);
        memory.on = false;
        if (!reached) {
            assert_int_equal(status, EVMC_SUCCESS);
            return at - 1;
        }
        if (for_good && at == 1) {
            assert_int_equal(status, EVMC_OUT_OF_MEMORY);
        }
    }
}

static void test_execute(void **state)
{
    (void)state;
    static const char *const engines[] = {"exact", "block", "auto"};
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; ++i) {
        for (int good = 0; good < 2; ++good) {
            assert_true(execute_without_memory(12, engines[i], good != 0) > 5);
            assert_true(execute_without_memory(18, engines[i], good != 0) > 5);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_create), cmocka_unit_test(test_execute)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
