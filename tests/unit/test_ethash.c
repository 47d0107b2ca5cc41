/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ethash, verified the light way: the official PoWTests, two blocks of mainnet from later epochs, and what makes a seal
 * invalid.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cevm/hex.h>

#include "chain/encoding.h"
#include "chain/ethash.h"
#include "chain/header_codec.h"

/* ---- PoWTests, "first" and "second" ------------------------------------------------------------------------------ */

static const char first_header[] =
    "f901f3a00000000000000000000000000000000000000000000000000000000000000000a01dcc4de8dec75d7aab85b567b6"
    "ccd41ad312451b948a7413f0a142fd40d49347940000000000000000000000000000000000000000a09178d0f23c965d81f0"
    "834a4c72c6253ce6830f4022b1359aaebfc1ecba442d4ea056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc00162"
    "2fb5e363b421a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421b901000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000008302"
    "000080830f4240808080a058f759ede17a706c93f13030328bcea40c1d1341fb26f2facd21ceb0dae5701788424242424242"
    "4242";

static const char second_header[] =
    "f901f7a01bef91439a3e070a6586851c11e6fd79bbbea074b2b836727b8e75c7d4a6b698a01dcc4de8dec75d7aab85b567b6"
    "ccd41ad312451b948a7413f0a142fd40d4934794ea3cb5f94fa2ddd52ec6dd6eb75cf824f4058ca1a00c6e51346be0670ce6"
    "3ac5f05324e27d20b180146269c5aab844d09a2b108c64a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc00162"
    "2fb5e363b421a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421b901000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000008302"
    "004002832fefd880845511ed2a80a0e55d02c555a7969361cf74a9ec6211d8c14e4517930a00442f171bdb1698d175883076"
    "92cf71b12f6d";

/* ---- Block 1 of the official BlockchainTest wrongMixHash_Byzantium, which was mined ----------------------------------- */

static const char mined_header[] =
    "f901f9a06d991da1db456d86ca4438279b25d771e8e8d4fd288be2f2bc3a49d6b04f29eea01dcc4de8dec75d7aab85b567b6"
    "ccd41ad312451b948a7413f0a142fd40d49347948888f1f195afa192cfee860698584c030f4c9db1a05c2e5a51a79da58791"
    "cdfe572bcfa3dfe9c860bf7fad7d9738a1aace56ef9332a05c9151c2413d1cd25c51ffb4ac38948acc1359bf08c6b49f2836"
    "60e9bcf0f516a0056b23fbba480696b65fe5a59b8f2148a1299103c4f57df839233af2cf4ca2d2b901000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000008303"
    "5b5001832fefba825208845db6fdd080a0e9b9564f87516a3b1c2c3e4b0c3701c0af18560478d9dcd692a9dd58375eb7b088"
    "86d7aa85c25caf9a";

typedef struct seal_case {
    const char *header;
    const char *nonce, *mix_hash, *header_hash, *result;
} seal_case;

static const seal_case seals[] = {
    {first_header, "4242424242424242", "58f759ede17a706c93f13030328bcea40c1d1341fb26f2facd21ceb0dae57017",
     "2a8de2adf89af77358250bf908bf04ba94a6e8c3ba87775564a41d269a05e4ce",
     "dd47fd2d98db51078356852d7c4014e6a5d6c387c35f40e2875b74a256ed7906"},
    {second_header, "307692cf71b12f6d", "e55d02c555a7969361cf74a9ec6211d8c14e4517930a00442f171bdb1698d175",
     "100cbec5e5ef82991290d0d93d758f19082e71f234cf479192a8b94df6da6bfe",
     "ab9b13423cface72cbec8424221651bc2e384ef0f7a560e038fc68c8d8684829"},
};

static cevm_header header_of(uint8_t raw[1024], const char *hex)
{
    cevm_header header;
    cevm_block_error reason;
    size_t size = 0;
    assert_true(strlen(hex) <= 2 * 1024 && cevm_hex_decode(raw, &size, hex, strlen(hex)));
    assert_int_equal(cevm_header_decode(&header, &reason, (cevm_bytes){raw, size}), CEVM_OK);
    return header;
}

static void assert_hash(const cevm_hash *actual, const char *expected)
{
    char text[2 * sizeof actual->bytes + 1];
    cevm_hex_encode(text, actual->bytes, sizeof actual->bytes);
    assert_string_equal(text, expected);
}

static void test_pow_vectors(void **state)
{
    (void)state;
    cevm_ethash *ethash;
    assert_int_equal(cevm_ethash_create(&ethash, NULL), CEVM_OK);
    for (size_t i = 0; i < sizeof seals / sizeof seals[0]; ++i) {
        const seal_case *c = &seals[i];
        uint8_t raw[1024], nonce[8];
        cevm_hash sealed, digest, result;
        cevm_buf buf;
        bool valid = true;
        const cevm_header header = header_of(raw, c->header);
        cevm_buf_init(&buf, NULL);
        cevm_header_put(&buf, &header, false);
        assert_int_equal(cevm_hash_finish(&sealed, &buf), CEVM_OK);
        assert_hash(&sealed, c->header_hash);
        assert_true(cevm_hex_decode_exact(nonce, sizeof nonce, c->nonce));
        assert_int_equal(cevm_ethash_hash(ethash, &digest, &result, header.number, &sealed, nonce), CEVM_OK);
        assert_hash(&digest, c->mix_hash);
        assert_hash(&result, c->result);
        assert_int_equal(cevm_ethash_verify(ethash, &valid, &header), CEVM_OK);
        assert_false(valid); /* the right mix hash, but these nonces were not searched for the difficulty */
    }
    cevm_ethash_destroy(ethash);
}

/* A mined header is valid; its seal is broken by another nonce, another mix hash, or any other change of the header. */
static void test_broken_seals(void **state)
{
    (void)state;
    uint8_t raw[1024];
    const cevm_header good = header_of(raw, mined_header);
    cevm_header bad[4] = {good, good, good, good};
    bad[0].nonce[7] ^= 1;
    bad[1].mix_hash.bytes[31] ^= 1;
    bad[2].timestamp += 1;
    bad[3].difficulty = (cevm_u256){{0}};
    cevm_ethash *ethash;
    bool valid = false;
    assert_int_equal(cevm_ethash_create(&ethash, NULL), CEVM_OK);
    assert_int_equal(cevm_ethash_verify(ethash, &valid, &good), CEVM_OK);
    assert_true(valid);
    for (size_t i = 0; i < 4; ++i) {
        valid = true;
        assert_int_equal(cevm_ethash_verify(ethash, &valid, &bad[i]), CEVM_OK);
        assert_false(valid);
    }
    cevm_ethash_destroy(ethash);
}

/** A header whose mix hash is right, and how its result stands to its difficulty. */
static bool is_valid_at(cevm_ethash *ethash, cevm_header header, cevm_u256 difficulty)
{
    cevm_hash sealed, result;
    cevm_buf buf;
    bool valid;
    header.difficulty = difficulty;
    cevm_buf_init(&buf, NULL);
    cevm_header_put(&buf, &header, false);
    assert_int_equal(cevm_hash_finish(&sealed, &buf), CEVM_OK);
    assert_int_equal(cevm_ethash_hash(ethash, &header.mix_hash, &result, header.number, &sealed, header.nonce),
                     CEVM_OK);
    assert_int_equal(cevm_ethash_verify(ethash, &valid, &header), CEVM_OK);
    /* What the result says itself: at most 2^256 / 2 is a first bit of 0 (or a one and nothing more), and so on. */
    if (difficulty.w[0] == 2) {
        assert_int_equal(valid, result.bytes[0] < 0x80);
    }
    if (difficulty.w[0] == 256) {
        assert_int_equal(valid, result.bytes[0] == 0);
    }
    return valid;
}

/* Of many nonces half do for difficulty 2, all for difficulty 1, none for none. */
static void test_difficulty_bounds(void **state)
{
    (void)state;
    uint8_t raw[1024];
    cevm_header header = header_of(raw, second_header);
    cevm_ethash *ethash;
    size_t valid[3] = {0};
    assert_int_equal(cevm_ethash_create(&ethash, NULL), CEVM_OK);
    for (unsigned i = 0; i < 64; ++i) {
        header.nonce[0] = (uint8_t)i;
        valid[0] += is_valid_at(ethash, header, cevm_u256_from_u64(0));
        valid[1] += is_valid_at(ethash, header, cevm_u256_from_u64(1));
        valid[2] += is_valid_at(ethash, header, cevm_u256_from_u64(2));
        (void)is_valid_at(ethash, header, cevm_u256_from_u64(256));
    }
    assert_int_equal(valid[0], 0);
    assert_int_equal(valid[1], 64);
    assert_in_range(valid[2], 1, 63);
    cevm_ethash_destroy(ethash);
}

/* Blocks 2,683,077 and 5,000,000 of mainnet: epochs 89 and 166. */
static void test_later_epochs(void **state)
{
    (void)state;
    static const struct {
        uint64_t number;
        const char *sealed, *nonce, *mix_hash, *result;
    } blocks[] = {
        {2683077, "0313d03c5ed78694c90ecb3d04190b82d5b222c75ba4cab83383dde4d11ed512", "8c5eaec000788d41",
         "93e85c97b34ccd8091e09ddb513fdc9e680fa8898d4a0737205e60af710a3dcb",
         "00000000000204882a6213f68fe89bc368df25c1ad999f82532a7433e99bc48e"},
        {5000000, "bc544c2baba832600013bd5d1983f592e9557d04b0fb5ef7a100434a5fc8d52a", "4617a20003ba3f25",
         "94cd4e844619ee20989578276a0a9046877d569d37ba076bf2e8e34f76189dea",
         "0000000000001a5b18ae31b7417b7c045bc6dd78cc3b694c4bebfaefef6b3c56"},
    };
    cevm_ethash *ethash;
    assert_int_equal(cevm_ethash_create(&ethash, NULL), CEVM_OK);
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; ++i) {
        cevm_hash sealed, digest, result;
        uint8_t nonce[8];
        assert_true(cevm_hex_decode_exact(sealed.bytes, sizeof sealed.bytes, blocks[i].sealed));
        assert_true(cevm_hex_decode_exact(nonce, sizeof nonce, blocks[i].nonce));
        assert_int_equal(cevm_ethash_hash(ethash, &digest, &result, blocks[i].number, &sealed, nonce), CEVM_OK);
        assert_hash(&digest, blocks[i].mix_hash);
        assert_hash(&result, blocks[i].result);
    }
    cevm_ethash_destroy(ethash);
}

static void test_limits(void **state)
{
    (void)state;
    cevm_header header = {.number = UINT64_C(61470000)};
    bool valid;
    assert_int_equal(cevm_ethash_check(&valid, &header, NULL), CEVM_ERR_LIMIT);
    header.number = UINT64_MAX;
    assert_int_equal(cevm_ethash_check(&valid, &header, NULL), CEVM_ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pow_vectors),
        cmocka_unit_test(test_broken_seals),
        cmocka_unit_test(test_difficulty_bounds),
        cmocka_unit_test(test_later_epochs),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
