/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The journaled state (cevm/state.h) and the host over it (cevm/host.h). Tests named regression_… are of bugs that have
 * split real clients.
 */
#include <cevm/crypto.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/state_fixture.h"

static const cevm_address alice = {{0xaa, [19] = 1}};
static const cevm_address bob = {{0xbb, [19] = 2}};
static const cevm_address carol = {{0xcc, [19] = 3}};
static const cevm_address ripemd = {{[19] = 3}};
static const cevm_bytes no_code = {NULL, 0};
static const cevm_bytes some_code = {(const uint8_t *)"\x60\x01\x60\x02", 4};

/* ---- Regressions ------------------------------------------------------------------------------------------------- */

/** CVE-2020-26265: what reaches an account after its SELFDESTRUCT, in the same transaction, is gone with it. */
static void regression_03_balance_after_selfdestruct(void **unused)
{
    fixture *f = fixture_make();
    (void)unused;
    store_account(f, &alice, 100, 1, some_code);
    store_account(f, &bob, 50, 1, no_code);
    begin(f, CEVM_BERLIN);
    assert_true(selfdestruct(f, &alice, &carol));
    assert_true(peek(f, &alice).balance.w[0] == 0);
    transfer(f, &bob, &alice, 20);
    assert_true(peek(f, &alice).balance.w[0] == 20);
    end(f);
    assert_false(peek(f, &alice).exists);
    assert_true(peek(f, &alice).balance.w[0] == 0);
    assert_true(peek(f, &bob).balance.w[0] == 30);
    assert_true(peek(f, &carol).balance.w[0] == 100);
    /* In the next transaction it begins at zero. */
    begin(f, CEVM_BERLIN);
    transfer(f, &bob, &alice, 1);
    end(f);
    assert_true(peek(f, &alice).balance.w[0] == 1);
    assert_int_equal(load_code(f, &alice).bytes.size, 0);
    commit_state(f);
    cevm_db_account stored;
    bool exists;
    assert_int_equal(f->under.vtable->account(f->under.ctx, &stored, &exists, &alice), CEVM_OK);
    assert_true(exists && stored.balance.w[0] == 1 && stored.nonce == 0);
    fixture_free(f);
}

/** besu 2024: create, SELFDESTRUCT, CREATE2 at the same address again, all in one block (one commit). */
static void regression_09_create_again_in_one_block(void **unused)
{
    fixture *f = fixture_make();
    (void)unused;
    store_account(f, &bob, 50, 1, no_code);
    for (uint64_t round = 1; round <= 3; ++round) {
        begin(f, CEVM_BERLIN);
        assert_false(load(f, &alice, false).has_storage);
        create(f, &alice);
        assert_int_equal(sload(f, &alice, 1, false).value.w[0], 0);
        const cevm_sstore_info info = sstore(f, &alice, 1, round);
        assert_int_equal(info.original.w[0], 0);
        assert_int_equal(info.current.w[0], 0);
        sstore(f, &alice, 1 + round, 7);
        set_code(f, &alice, round % 2 == 0 ? "even" : "odd");
        end(f);
        begin(f, CEVM_BERLIN);
        assert_int_equal(sload(f, &alice, 1, false).value.w[0], round);
        if (round != 3) {
            assert_true(selfdestruct(f, &alice, &bob));
            assert_int_equal(sload(f, &alice, 1, false).value.w[0], round); /* until the transaction ends */
        }
        end(f);
    }
    for (int pass = 0; pass < 2; ++pass) {
        assert_int_equal(slot_now(f, &alice, 1), 3);
        assert_int_equal(slot_now(f, &alice, 2), 0);
        assert_int_equal(slot_now(f, &alice, 3), 0);
        assert_int_equal(slot_now(f, &alice, 4), 7);
        if (pass == 0) {
            commit_state(f);
            cevm_state_discard(f->state); /* the second pass reads the backend */
        }
    }
    fixture_free(f);
}

/** The same where the backend has the first contract, and the state is committed in between. */
static void regression_09_stored_contract_created_again(void **unused)
{
    fixture *f = fixture_make();
    (void)unused;
    store_account(f, &alice, 5, 1, some_code);
    store_slot(f, &alice, 1, 11);
    store_slot(f, &alice, 2, 22);
    begin(f, CEVM_SHANGHAI);
    assert_int_equal(sload(f, &alice, 1, false).value.w[0], 11);
    selfdestruct(f, &alice, &bob);
    end(f);
    begin(f, CEVM_SHANGHAI);
    assert_false(load(f, &alice, false).has_storage);
    create(f, &alice);
    assert_int_equal(sload(f, &alice, 1, false).value.w[0], 0);
    assert_int_equal(sload(f, &alice, 2, false).value.w[0], 0);
    sstore(f, &alice, 3, 33);
    end(f);
    commit_state(f);
    for (int pass = 0; pass < 2; ++pass) {
        assert_int_equal(slot_now(f, &alice, 1), 0);
        assert_int_equal(slot_now(f, &alice, 2), 0);
        assert_int_equal(slot_now(f, &alice, 3), 33);
        assert_true(peek(f, &alice).nonce == 1);
        cevm_state_discard(f->state);
    }
    fixture_free(f);
}

/** Mainnet block 2675119: the touch of RIPEMD-160 outlives the revert, that of any other account does not. */
static void regression_14_ripemd_touch_survives_revert(void **unused)
{
    fixture *f = fixture_make();
    (void)unused;
    store_account(f, &ripemd, 0, 0, no_code);
    store_account(f, &bob, 0, 0, no_code);
    store_account(f, &alice, 10, 1, no_code);
    begin(f, CEVM_SPURIOUS_DRAGON);
    const cevm_checkpoint frame = mark(f);
    transfer(f, &alice, &ripemd, 0);
    transfer(f, &alice, &bob, 0);
    revert_to(f, frame);
    assert_true(peek(f, &ripemd).exists);
    end(f);
    assert_false(peek(f, &ripemd).exists);
    assert_true(peek(f, &bob).exists);
    commit_state(f);
    assert_int_equal(f->last.account_count, 1);
    /* One transaction's touch is not the next one's. */
    store_account(f, &ripemd, 0, 0, no_code);
    cevm_state_discard(f->state);
    begin(f, CEVM_SPURIOUS_DRAGON);
    (void)load(f, &ripemd, false);
    end(f);
    assert_true(peek(f, &ripemd).exists);
    /* An account that was not there before the revert is not there after, and nothing comes of it. */
    fixture_free(f);
    f = fixture_make();
    store_account(f, &alice, 10, 1, no_code);
    begin(f, CEVM_SPURIOUS_DRAGON);
    const cevm_checkpoint again = mark(f);
    transfer(f, &alice, &ripemd, 3);
    revert_to(f, again);
    end(f);
    assert_false(peek(f, &ripemd).exists);
    assert_true(peek(f, &alice).balance.w[0] == 10);
    commit_state(f);
    assert_int_equal(f->commits, 0);
    fixture_free(f);
}

/** 2016: an empty account touched in a frame that ran out of gas is not deleted. */
static void regression_15_empty_account_after_out_of_gas(void **unused)
{
    fixture *f = fixture_make();
    (void)unused;
    store_account(f, &alice, 10, 1, no_code);
    store_account(f, &bob, 0, 0, no_code);
    store_account(f, &carol, 0, 0, no_code);
    begin(f, CEVM_SPURIOUS_DRAGON);
    transfer(f, &alice, &carol, 0);
    const cevm_checkpoint frame = mark(f);
    transfer(f, &alice, &bob, 0);
    transfer(f, &alice, &carol, 0);
    revert_to(f, frame);
    end(f);
    assert_true(peek(f, &bob).exists);
    assert_false(peek(f, &carol).exists); /* its first touch stands */
    fixture_free(f);
}

/** parity 2018: the original value is that of the transaction's start, not of the frame's. */
static void regression_16_original_is_per_transaction(void **unused)
{
    fixture *f = fixture_make();
    (void)unused;
    store_account(f, &alice, 1, 1, some_code);
    store_slot(f, &alice, 5, 50);
    begin(f, CEVM_CONSTANTINOPLE);
    cevm_sstore_info info = sstore(f, &alice, 5, 51);
    assert_true(info.original.w[0] == 50 && info.current.w[0] == 50);
    const cevm_checkpoint frame = mark(f);
    info = sstore(f, &alice, 5, 52);
    assert_true(info.original.w[0] == 50 && info.current.w[0] == 51);
    revert_to(f, frame);
    info = sstore(f, &alice, 5, 53);
    assert_true(info.original.w[0] == 50 && info.current.w[0] == 51);
    end(f);
    begin(f, CEVM_CONSTANTINOPLE);
    info = sstore(f, &alice, 5, 54);
    assert_true(info.original.w[0] == 53 && info.current.w[0] == 53);
    end(f);
    /* First written in a frame that is reverted. */
    begin(f, CEVM_ISTANBUL);
    const cevm_checkpoint other = mark(f);
    sstore(f, &alice, 5, 1);
    revert_to(f, other);
    info = sstore(f, &alice, 5, 2);
    assert_true(info.original.w[0] == 54 && info.current.w[0] == 54);
    end(f);
    fixture_free(f);
}

/* ---- Warmth (EIP-2929) ------------------------------------------------------------------------------------------- */

static void eip2929_account_warmth(void **unused)
{
    fixture *f = fixture_make();
    (void)unused;
    store_account(f, &alice, 1, 1, no_code);
    begin(f, CEVM_BERLIN);
    cevm_account_info info = load(f, &alice, true);
    assert_true(info.cold && info.skipped);
    assert_int_equal(f->account_reads, 0);
    const cevm_checkpoint frame = mark(f);
    info = load(f, &alice, false);
    assert_true(info.cold && !info.skipped && info.balance.w[0] == 1);
    info = load(f, &alice, true);
    assert_true(!info.cold && !info.skipped && info.balance.w[0] == 1);
    revert_to(f, frame);
    assert_true(load(f, &alice, true).cold);
    assert_true(load(f, &alice, false).cold);
    assert_int_equal(f->account_reads, 1);
    assert_int_equal(f->host.vtable->warm_account(f->host.ctx, &bob), CEVM_OK);
    assert_int_equal(f->account_reads, 1); /* warming does not read */
    assert_false(load(f, &bob, true).cold);
    assert_int_equal(f->account_reads, 2);
    end(f);
    begin(f, CEVM_BERLIN);
    assert_true(load(f, &alice, true).cold);
    assert_true(load(f, &bob, true).cold);
    end(f);
    fixture_free(f);
}

static void eip2929_slot_warmth(void **unused)
{
    fixture *f = fixture_make();
    const cevm_u256 nine = num(9);
    cevm_sstore_info written;
    (void)unused;
    store_account(f, &alice, 1, 1, no_code);
    store_slot(f, &alice, 1, 11);
    begin(f, CEVM_BERLIN);
    cevm_slot_info info = sload(f, &alice, 1, true);
    assert_true(info.cold && info.skipped);
    assert_int_equal(f->storage_reads, 0);
    assert_int_equal(f->host.vtable->sstore(f->host.ctx, &written, &alice, &nine, &nine, true), CEVM_OK);
    assert_true(written.cold && written.skipped);
    assert_int_equal(slot_now(f, &alice, 9), 0);
    const cevm_checkpoint frame = mark(f);
    info = sload(f, &alice, 1, false);
    assert_true(info.cold && !info.skipped && info.value.w[0] == 11);
    info = sload(f, &alice, 1, true);
    assert_true(!info.cold && !info.skipped && info.value.w[0] == 11);
    assert_true(sstore(f, &alice, 2, 5).cold);
    assert_false(sstore(f, &alice, 2, 6).cold);
    revert_to(f, frame);
    assert_true(sload(f, &alice, 1, false).cold);
    assert_true(sload(f, &alice, 2, false).cold);
    assert_int_equal(slot_now(f, &alice, 2), 0);
    const cevm_u256 key = num(77);
    const size_t reads = f->storage_reads;
    assert_int_equal(cevm_state_warm_slot(f->state, &alice, &key), CEVM_OK);
    assert_int_equal(f->storage_reads, reads);
    assert_false(sload(f, &alice, 77, true).cold);
    end(f);
    begin(f, CEVM_BERLIN);
    assert_true(sload(f, &alice, 1, true).cold);
    end(f);
    fixture_free(f);
}

/** Within one state a key is asked for once. */
static void backend_is_asked_once(void **unused)
{
    fixture *f = fixture_make();
    (void)unused;
    store_account(f, &alice, 1, 1, some_code);
    store_account(f, &bob, 1, 1, some_code);
    store_slot(f, &alice, 1, 11);
    for (int tx = 0; tx < 3; ++tx) {
        begin(f, CEVM_CANCUN);
        (void)load(f, &alice, false);
        (void)load(f, &bob, false);
        (void)load(f, &carol, false);
        assert_int_equal(load_code(f, &alice).bytes.size, 4);
        assert_int_equal(load_code(f, &bob).bytes.size, 4); /* the same hash */
        (void)sload(f, &alice, 1, false);
        (void)sload(f, &alice, 2, false);
        (void)sload(f, &carol, 1, false); /* no account, no slot: not even asked */
        end(f);
        commit_state(f);
    }
    assert_int_equal(f->account_reads, 3);
    assert_int_equal(f->storage_reads, 2);
    assert_int_equal(f->code_reads, 1);
    assert_int_equal(f->commits, 0);
    /* What was written is known without asking, also after the commit. */
    begin(f, CEVM_CANCUN);
    create(f, &carol);
    sstore(f, &carol, 5, 55);
    end(f);
    commit_state(f);
    begin(f, CEVM_CANCUN);
    assert_int_equal(sload(f, &carol, 5, false).value.w[0], 55);
    end(f);
    assert_int_equal(f->storage_reads, 2);
    fixture_free(f);
}

static void backend_failure_is_not_zero(void **unused)
{
    fixture *f = fixture_make();
    cevm_account_info info;
    cevm_slot_info slot;
    cevm_code code;
    cevm_hash hash;
    const cevm_u256 one = num(1);
    (void)unused;
    store_account(f, &alice, 1, 1, some_code);
    store_slot(f, &alice, 1, 11);
    begin(f, CEVM_CANCUN);
    f->fail = true;
    assert_int_equal(f->host.vtable->load_account(f->host.ctx, &info, &alice, false), CEVM_ERR_BACKEND);
    assert_int_equal(f->host.vtable->sload(f->host.ctx, &slot, &alice, &one, false), CEVM_ERR_BACKEND);
    assert_int_equal(f->host.vtable->block_hash(f->host.ctx, &hash, 1), CEVM_ERR_BACKEND);
    f->fail = false;
    assert_true(load(f, &alice, false).cold);
    f->fail = true;
    assert_int_equal(f->host.vtable->load_code(f->host.ctx, &code, &alice), CEVM_ERR_BACKEND);
    assert_int_equal(f->host.vtable->transfer(f->host.ctx, &alice, &bob, &one), CEVM_ERR_BACKEND);
    assert_true(peek(f, &alice).balance.w[0] == 1);
    f->fail = false;
    assert_int_equal(sload(f, &alice, 1, false).value.w[0], 11);
    transfer(f, &alice, &bob, 1);
    end(f);
    f->fail = true;
    assert_int_equal(cevm_state_commit(f->state), CEVM_ERR_BACKEND);
    f->fail = false;
    commit_state(f);
    assert_int_equal(f->last.account_count, 2);
    fixture_free(f);
}

/* ---- Existence and emptiness (EIP-161) --------------------------------------------------------------------------- */

static void eip161_touch_creates_before(void **unused)
{
    fixture *f = fixture_make();
    (void)unused;
    store_account(f, &alice, 10, 1, no_code);
    begin(f, CEVM_TANGERINE_WHISTLE);
    const cevm_checkpoint frame = mark(f);
    transfer(f, &alice, &bob, 0);
    assert_true(peek(f, &bob).exists);
    revert_to(f, frame);
    assert_false(peek(f, &bob).exists);
    transfer(f, &alice, &bob, 0);
    end(f);
    assert_true(peek(f, &bob).exists);
    commit_state(f);
    assert_int_equal(f->last.account_count, 1);
    /* From EIP-161 on the next touch removes it. */
    begin(f, CEVM_SPURIOUS_DRAGON);
    transfer(f, &alice, &bob, 0);
    transfer(f, &alice, &carol, 0);
    end(f);
    assert_false(peek(f, &bob).exists);
    assert_false(peek(f, &carol).exists);
    commit_state(f);
    assert_int_equal(f->last.account_count, 1);
    fixture_free(f);
}

static void eip161_only_empty_is_deleted(void **unused)
{
    fixture *f = fixture_make();
    const cevm_u256 zero = num(0);
    (void)unused;
    store_account(f, &alice, 10, 1, no_code);
    store_account(f, &bob, 0, 0, some_code);
    store_account(f, &carol, 0, 0, no_code);
    begin(f, CEVM_BERLIN);
    transfer(f, &alice, &bob, 0);   /* has code */
    transfer(f, &alice, &carol, 4); /* has a balance then */
    assert_int_equal(cevm_state_add_balance(f->state, &ripemd, &zero), CEVM_OK);
    end(f);
    assert_true(peek(f, &bob).exists);
    assert_true(peek(f, &carol).exists);
    assert_false(peek(f, &ripemd).exists);
    fixture_free(f);
}

static void balances(void **unused)
{
    fixture *f = fixture_make();
    const cevm_u256 five = num(5);
    const cevm_u256 six = num(6);
    const cevm_u256 zero = num(0);
    (void)unused;
    store_account(f, &alice, 5, 1, no_code);
    begin(f, CEVM_PRAGUE);
    assert_int_equal(cevm_state_sub_balance(f->state, &alice, &six), CEVM_ERR_ARGUMENT);
    assert_true(peek(f, &alice).balance.w[0] == 5);
    assert_int_equal(cevm_state_sub_balance(f->state, &alice, &five), CEVM_OK);
    assert_int_equal(cevm_state_sub_balance(f->state, &bob, &zero), CEVM_OK);
    assert_false(peek(f, &bob).exists);
    assert_int_equal(cevm_state_add_balance(f->state, &bob, &six), CEVM_OK);
    transfer(f, &bob, &bob, 6); /* to itself: nothing moves */
    assert_true(peek(f, &bob).balance.w[0] == 6);
    assert_int_equal(cevm_state_set_nonce(f->state, &carol, 8), CEVM_OK);
    assert_int_equal(f->host.vtable->increment_nonce(f->host.ctx, &carol), CEVM_OK);
    end(f);
    assert_true(peek(f, &alice).balance.w[0] == 0 && peek(f, &alice).exists);
    assert_true(peek(f, &carol).nonce == 9);
    fixture_free(f);
}

/* ---- Creation ---------------------------------------------------------------------------------------------------- */

static void create_keeps_balance_and_sets_nonce(void **unused)
{
    fixture *f = fixture_make();
    (void)unused;
    store_account(f, &alice, 7, 0, no_code);
    begin(f, CEVM_TANGERINE_WHISTLE);
    create(f, &bob);
    assert_true(peek(f, &bob).nonce == 0 && peek(f, &bob).exists);
    end(f);
    begin(f, CEVM_SPURIOUS_DRAGON);
    const cevm_checkpoint frame = mark(f);
    create(f, &alice);
    assert_true(peek(f, &alice).nonce == 1);
    assert_true(peek(f, &alice).balance.w[0] == 7);
    revert_to(f, frame);
    assert_true(peek(f, &alice).nonce == 0);
    end(f);
    fixture_free(f);
}

/** An account with storage, no nonce and no code (EIP-7610), overwritten; all of it comes back on revert. */
static void eip7610_storage_of_a_bare_account(void **unused)
{
    fixture *f = fixture_make();
    (void)unused;
    store_account(f, &alice, 7, 0, no_code);
    store_slot(f, &alice, 1, 11);
    store_slot(f, &alice, 2, 22);
    begin(f, CEVM_PARIS);
    assert_true(load(f, &alice, false).has_storage);
    assert_int_equal(sload(f, &alice, 1, false).value.w[0], 11);
    const cevm_checkpoint frame = mark(f);
    create(f, &alice);
    const size_t reads = f->storage_reads;
    assert_int_equal(sload(f, &alice, 1, false).value.w[0], 0);
    assert_int_equal(sload(f, &alice, 2, false).value.w[0], 0); /* never read before, nor now */
    assert_int_equal(f->storage_reads, reads);
    cevm_sstore_info info = sstore(f, &alice, 1, 5);
    assert_true(info.original.w[0] == 0 && info.current.w[0] == 0);
    sstore(f, &alice, 2, 6);
    sstore(f, &alice, 3, 7);
    revert_to(f, frame);
    assert_true(peek(f, &alice).has_storage);
    assert_int_equal(slot_now(f, &alice, 1), 11);
    assert_int_equal(slot_now(f, &alice, 2), 22);
    assert_int_equal(slot_now(f, &alice, 3), 0);
    info = sstore(f, &alice, 1, 12);
    assert_true(info.original.w[0] == 11 && info.current.w[0] == 11);
    info = sstore(f, &alice, 2, 23);
    assert_true(info.original.w[0] == 22 && info.current.w[0] == 22);
    end(f);
    commit_state(f);
    cevm_state_discard(f->state);
    assert_int_equal(slot_now(f, &alice, 1), 12);
    assert_int_equal(slot_now(f, &alice, 2), 23);
    assert_int_equal(slot_now(f, &alice, 3), 0);
    fixture_free(f);
}

static void has_storage_follows_writes(void **unused)
{
    fixture *f = fixture_make();
    (void)unused;
    begin(f, CEVM_HOMESTEAD); /* nonce 0 after creation */
    create(f, &alice);
    assert_false(peek(f, &alice).has_storage);
    sstore(f, &alice, 1, 1);
    const cevm_checkpoint frame = mark(f);
    sstore(f, &alice, 2, 1);
    sstore(f, &alice, 1, 0);
    assert_true(peek(f, &alice).has_storage);
    sstore(f, &alice, 2, 0);
    assert_false(peek(f, &alice).has_storage);
    revert_to(f, frame);
    assert_true(peek(f, &alice).has_storage);
    end(f);
    assert_true(peek(f, &alice).has_storage);
    fixture_free(f);
}

static void code_outlives_revert_and_replacement(void **unused)
{
    fixture *f = fixture_make();
    cevm_hash hash;
    char text[] = "first";
    (void)unused;
    store_account(f, &alice, 1, 1, some_code);
    begin(f, CEVM_PRAGUE);
    const cevm_code old = load_code(f, &alice);
    const cevm_checkpoint frame = mark(f);
    set_code(f, &alice, text);
    text[0] = 'x'; /* it was copied */
    const cevm_code first = load_code(f, &alice);
    assert_memory_equal(first.bytes.data, "first", 5);
    cevm_keccak256(&hash, "first", 5);
    assert_true(cevm_hash_equal(&first.hash, &hash));
    set_code(f, &alice, "second");
    set_code(f, &alice, "");
    const cevm_code none = load_code(f, &alice);
    assert_true(none.bytes.size == 0 && cevm_hash_equal(&none.hash, &cevm_empty_code_hash));
    revert_to(f, frame);
    for (unsigned i = 0; i < 100; ++i) {
        const char another[] = {(char)('0' + i % 64), (char)('0' + i / 64), 0};
        set_code(f, &bob, another);
    }
    assert_memory_equal(first.bytes.data, "first", 5);
    assert_memory_equal(old.bytes.data, some_code.data, some_code.size);
    assert_memory_equal(load_code(f, &alice).bytes.data, some_code.data, some_code.size);
    end(f);
    commit_state(f);
    cevm_state_discard(f->state);
    assert_int_equal(load_code(f, &bob).bytes.size, 2);
    fixture_free(f);
}

/* ---- SELFDESTRUCT ------------------------------------------------------------------------------------------------ */

static void selfdestruct_before_eip6780(void **unused)
{
    fixture *f = fixture_make();
    (void)unused;
    store_account(f, &alice, 100, 1, some_code);
    store_account(f, &bob, 40, 1, some_code);
    store_slot(f, &alice, 1, 11);
    begin(f, CEVM_SHANGHAI);
    const cevm_checkpoint frame = mark(f);
    assert_true(selfdestruct(f, &alice, &carol));
    assert_false(selfdestruct(f, &alice, &carol));
    revert_to(f, frame);
    assert_true(peek(f, &alice).balance.w[0] == 100);
    assert_false(peek(f, &carol).exists);
    assert_true(selfdestruct(f, &alice, &carol));
    assert_true(selfdestruct(f, &bob, &bob)); /* to itself: burnt */
    assert_true(peek(f, &bob).balance.w[0] == 0);
    assert_int_equal(load_code(f, &alice).bytes.size, 4); /* still there until the end */
    assert_int_equal(slot_now(f, &alice, 1), 11);
    end(f);
    assert_false(peek(f, &alice).exists);
    assert_false(peek(f, &bob).exists);
    assert_int_equal(slot_now(f, &alice, 1), 0);
    assert_true(peek(f, &carol).balance.w[0] == 100);
    commit_state(f);
    assert_int_equal(f->last.account_count, 3);
    fixture_free(f);
}

static void selfdestruct_reverted_is_not_deleted(void **unused)
{
    fixture *f = fixture_make();
    (void)unused;
    store_account(f, &alice, 100, 1, some_code);
    begin(f, CEVM_BERLIN);
    const cevm_checkpoint frame = mark(f);
    assert_true(selfdestruct(f, &alice, &bob));
    revert_to(f, frame);
    end(f);
    assert_true(peek(f, &alice).exists && peek(f, &alice).balance.w[0] == 100);
    commit_state(f);
    assert_int_equal(f->commits, 0);
    fixture_free(f);
}

static void eip6780_selfdestruct(void **unused)
{
    fixture *f = fixture_make();
    (void)unused;
    store_account(f, &alice, 100, 1, some_code);
    begin(f, CEVM_CANCUN);
    assert_false(selfdestruct(f, &alice, &alice));
    assert_true(peek(f, &alice).balance.w[0] == 100); /* nothing happened */
    assert_false(selfdestruct(f, &alice, &bob));
    assert_true(peek(f, &alice).balance.w[0] == 0 && peek(f, &bob).balance.w[0] == 100);
    create(f, &carol);
    transfer(f, &bob, &carol, 10);
    assert_true(selfdestruct(f, &carol, &carol)); /* made here: burnt, and deleted */
    assert_true(peek(f, &carol).balance.w[0] == 0);
    transfer(f, &bob, &carol, 5);
    assert_false(selfdestruct(f, &carol, &bob));
    end(f);
    assert_true(peek(f, &alice).exists);
    assert_int_equal(load_code(f, &alice).bytes.size, 4);
    assert_false(peek(f, &carol).exists);
    assert_true(peek(f, &bob).balance.w[0] == 90);
    /* Made in an earlier transaction, or in a frame that was reverted: not "in this transaction". */
    begin(f, CEVM_CANCUN);
    create(f, &carol);
    set_code(f, &carol, "code");
    end(f);
    begin(f, CEVM_CANCUN);
    assert_false(selfdestruct(f, &carol, &bob));
    const cevm_checkpoint frame = mark(f);
    create(f, &ripemd);
    revert_to(f, frame);
    transfer(f, &bob, &ripemd, 1);
    assert_false(selfdestruct(f, &ripemd, &bob));
    end(f);
    assert_true(peek(f, &carol).exists);
    fixture_free(f);
}

/* ---- Transient storage, logs, commit ----------------------------------------------------------------------------- */

static void eip1153_transient_storage(void **unused)
{
    fixture *f = fixture_make();
    (void)unused;
    begin(f, CEVM_CANCUN);
    assert_int_equal(tload(f, &alice, 1), 0);
    tstore(f, &alice, 1, 5);
    tstore(f, &bob, 1, 6);
    const cevm_checkpoint frame = mark(f);
    tstore(f, &alice, 1, 7);
    tstore(f, &alice, 2, 8);
    for (uint64_t i = 100; i < 200; ++i) {
        tstore(f, &carol, i, i);
    }
    assert_int_equal(tload(f, &alice, 1), 7);
    assert_int_equal(tload(f, &carol, 150), 150);
    revert_to(f, frame);
    assert_int_equal(tload(f, &alice, 1), 5);
    assert_int_equal(tload(f, &alice, 2), 0);
    assert_int_equal(tload(f, &bob, 1), 6);
    assert_int_equal(tload(f, &carol, 150), 0);
    end(f);
    begin(f, CEVM_CANCUN);
    assert_int_equal(tload(f, &alice, 1), 0);
    assert_int_equal(f->storage_reads, 0);
    assert_int_equal(f->account_reads, 0);
    end(f);
    fixture_free(f);
}

static void logs_are_copied_and_dropped(void **unused)
{
    fixture *f = fixture_make();
    size_t count = 99;
    char data[] = "data one";
    (void)unused;
    begin(f, CEVM_CANCUN);
    add_log(f, &alice, 2, data);
    memset(data, 'x', sizeof data - 1);
    const cevm_checkpoint frame = mark(f);
    for (int i = 0; i < 50; ++i) {
        add_log(f, &bob, 4, "dropped");
    }
    revert_to(f, frame);
    add_log(f, &carol, 0, "");
    end(f);
    const cevm_log *logs = cevm_state_logs(f->state, &count);
    assert_int_equal(count, 2);
    assert_true(cevm_address_equal(&logs[0].address, &alice) && logs[0].topic_count == 2);
    assert_int_equal(logs[0].data.size, 8);
    assert_memory_equal(logs[0].data.data, "data one", 8);
    assert_true(cevm_address_equal(&logs[1].address, &carol) && logs[1].data.size == 0);
    begin(f, CEVM_CANCUN);
    (void)cevm_state_logs(f->state, &count);
    assert_int_equal(count, 0);
    end(f);
    fixture_free(f);
}

/** Only what differs from the backend goes into the diff, and the cache stays true after it. */
static void commit_says_what_differs(void **unused)
{
    fixture *f = fixture_make();
    (void)unused;
    store_account(f, &alice, 100, 1, some_code);
    store_account(f, &bob, 1, 1, no_code);
    store_slot(f, &alice, 1, 11);
    begin(f, CEVM_CANCUN);
    sstore(f, &alice, 1, 12);
    sstore(f, &alice, 1, 11);
    transfer(f, &alice, &bob, 3);
    transfer(f, &bob, &alice, 3);
    end(f);
    commit_state(f);
    assert_int_equal(f->commits, 0);
    begin(f, CEVM_CANCUN);
    for (uint64_t key = 40; key > 0; --key) {
        sstore(f, &alice, key, key * 3);
    }
    end(f);
    commit_state(f);
    assert_int_equal(f->last.account_count, 1);
    begin(f, CEVM_CANCUN);
    const cevm_sstore_info info = sstore(f, &alice, 7, 0);
    assert_true(info.original.w[0] == 21 && info.current.w[0] == 21);
    transfer(f, &alice, &bob, 3);
    end(f);
    commit_state(f);
    assert_int_equal(f->last.account_count, 2);
    commit_state(f);
    assert_int_equal(f->commits, 2);
    cevm_state_discard(f->state);
    assert_int_equal(slot_now(f, &alice, 7), 0);
    assert_int_equal(slot_now(f, &alice, 40), 120);
    assert_true(peek(f, &bob).balance.w[0] == 4);
    fixture_free(f);
}

static void discard_forgets(void **unused)
{
    fixture *f = fixture_make();
    (void)unused;
    store_account(f, &alice, 100, 1, some_code);
    begin(f, CEVM_CANCUN);
    transfer(f, &alice, &bob, 60);
    sstore(f, &alice, 1, 5);
    set_code(f, &bob, "code");
    tstore(f, &alice, 1, 5);
    cevm_state_discard(f->state);
    begin(f, CEVM_CANCUN);
    assert_true(load(f, &alice, false).balance.w[0] == 100);
    assert_false(load(f, &bob, false).exists);
    assert_int_equal(load_code(f, &bob).bytes.size, 0);
    assert_int_equal(sload(f, &alice, 1, false).value.w[0], 0);
    assert_int_equal(tload(f, &alice, 1), 0);
    end(f);
    commit_state(f);
    assert_int_equal(f->commits, 0);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regression_03_balance_after_selfdestruct),
        cmocka_unit_test(regression_09_create_again_in_one_block),
        cmocka_unit_test(regression_09_stored_contract_created_again),
        cmocka_unit_test(regression_14_ripemd_touch_survives_revert),
        cmocka_unit_test(regression_15_empty_account_after_out_of_gas),
        cmocka_unit_test(regression_16_original_is_per_transaction),
        cmocka_unit_test(eip2929_account_warmth),
        cmocka_unit_test(eip2929_slot_warmth),
        cmocka_unit_test(backend_is_asked_once),
        cmocka_unit_test(backend_failure_is_not_zero),
        cmocka_unit_test(eip161_touch_creates_before),
        cmocka_unit_test(eip161_only_empty_is_deleted),
        cmocka_unit_test(balances),
        cmocka_unit_test(create_keeps_balance_and_sets_nonce),
        cmocka_unit_test(eip7610_storage_of_a_bare_account),
        cmocka_unit_test(has_storage_follows_writes),
        cmocka_unit_test(code_outlives_revert_and_replacement),
        cmocka_unit_test(selfdestruct_before_eip6780),
        cmocka_unit_test(selfdestruct_reverted_is_not_deleted),
        cmocka_unit_test(eip6780_selfdestruct),
        cmocka_unit_test(eip1153_transient_storage),
        cmocka_unit_test(logs_are_copied_and_dropped),
        cmocka_unit_test(commit_says_what_differs),
        cmocka_unit_test(discard_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
