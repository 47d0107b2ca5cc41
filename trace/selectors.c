/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures most contracts share. */
#include "trace/selectors.h"

#include "evm/u256.h"
#include "trace/revert.h"

#include <cevm/hex.h>

#include <stdio.h>

typedef struct signature {
    uint32_t selector; /* first four bytes of keccak256(text) */
    const char *text;
} signature;

static const signature functions[] = {
    {0x18160ddd, "totalSupply()"},
    {0x70a08231, "balanceOf(address)"},
    {0xa9059cbb, "transfer(address,uint256)"},
    {0x23b872dd, "transferFrom(address,address,uint256)"},
    {0x095ea7b3, "approve(address,uint256)"},
    {0xdd62ed3e, "allowance(address,address)"},
    {0x06fdde03, "name()"},
    {0x95d89b41, "symbol()"},
    {0x313ce567, "decimals()"},
    {0x6352211e, "ownerOf(uint256)"},
    {0x42842e0e, "safeTransferFrom(address,address,uint256)"},
    {0xa22cb465, "setApprovalForAll(address,bool)"},
    {0x01ffc9a7, "supportsInterface(bytes4)"},
    {0x8da5cb5b, "owner()"},
    {0xf2fde38b, "transferOwnership(address)"},
    {0x40c10f19, "mint(address,uint256)"},
    {0x42966c68, "burn(uint256)"},
    {0xd0e30db0, "deposit()"},
    {0x2e1a7d4d, "withdraw(uint256)"},
};

static const signature errors[] = {
    {0x08c379a0, "Error(string)"},
    {0x4e487b71, "Panic(uint256)"},
    {0xe450d38c, "ERC20InsufficientBalance(address,uint256,uint256)"},
    {0x96c6fd1e, "ERC20InvalidSender(address)"},
    {0xec442f05, "ERC20InvalidReceiver(address)"},
    {0xfb8f41b2, "ERC20InsufficientAllowance(address,uint256,uint256)"},
    {0xe602df05, "ERC20InvalidApprover(address)"},
    {0x94280d62, "ERC20InvalidSpender(address)"},
    {0x89c62b64, "ERC721InvalidOwner(address)"},
    {0x7e273289, "ERC721NonexistentToken(uint256)"},
    {0x64283d7b, "ERC721IncorrectOwner(address,uint256,address)"},
    {0x73c6ac6e, "ERC721InvalidSender(address)"},
    {0x64a0ae92, "ERC721InvalidReceiver(address)"},
    {0x177e802f, "ERC721InsufficientApproval(address,uint256)"},
    {0x118cdaa7, "OwnableUnauthorizedAccount(address)"},
    {0x1e4fbdf7, "OwnableInvalidOwner(address)"},
    {0xe2517d3f, "AccessControlUnauthorizedAccount(address,bytes32)"},
    {0xd93c0665, "EnforcedPause()"},
    {0x8dfc202b, "ExpectedPause()"},
    {0x3ee5aeb5, "ReentrancyGuardReentrantCall()"},
    {0x5274afe7, "SafeERC20FailedOperation(address)"},
    {0xd6bda275, "FailedCall()"},
    {0xf92ee8a9, "InvalidInitialization()"},
    {0xd7e6bcf8, "NotInitializing()"},
};

static const signature events[] = {
    {0xddf252ad, "Transfer(address,address,uint256)"},
    {0x8c5be1e5, "Approval(address,address,uint256)"},
    {0x17307eab, "ApprovalForAll(address,address,bool)"},
    {0x8be0079c, "OwnershipTransferred(address,address)"},
    {0xe1fffcc4, "Deposit(address,uint256)"},
    {0x7fcf532c, "Withdrawal(address,uint256)"},
};

static const char *find(const signature *rows, size_t count, uint32_t selector)
{
    for (size_t i = 0; i < count; ++i) {
        if (rows[i].selector == selector) {
            return rows[i].text;
        }
    }
    return NULL;
}

const char *cevm_known_function(uint32_t selector)
{
    return find(functions, sizeof functions / sizeof functions[0], selector);
}

const char *cevm_known_error(uint32_t selector) { return find(errors, sizeof errors / sizeof errors[0], selector); }

const char *cevm_known_event(uint32_t topic_start)
{
    return find(events, sizeof events / sizeof events[0], topic_start);
}

/* Appends to a text of bounded size; what does not fit is dropped. */
static void append(char *out, size_t size, const char *text, size_t length)
{
    size_t used = strlen(out);
    size_t room = size - 1 - used;
    size_t n = length < room ? length : room;
    memcpy(out + used, text, n);
    out[used + n] = '\0';
}

static bool type_is(const char *type, size_t length, const char *name)
{
    return strlen(name) == length && memcmp(type, name, length) == 0;
}

/* A number in decimal while it is below 2^128, else in hex. */
static void put_number(char *text, const cevm_u256 *v)
{
    if ((v->w[2] | v->w[3]) == 0) {
        cevm_u256_to_decimal(text, v);
    } else {
        cevm_u256_to_hex(text, v);
    }
}

static void put_signed(char *text, const cevm_u256 *v)
{
    const bool negative = u256_is_negative(v);
    const cevm_u256 magnitude = negative ? u256_neg(v) : *v;
    text[0] = '-';
    put_number(text + (negative ? 1 : 0), &magnitude);
}

static void put_bytes(char *text, size_t size, cevm_bytes data)
{
    enum { SHOWN = 32 };
    const size_t shown = data.size < SHOWN ? data.size : SHOWN;
    text[0] = '0';
    text[1] = 'x';
    cevm_hex_encode(text + 2, data.data, shown);
    if (shown < data.size) {
        append(text, size, "…", sizeof "…" - 1);
    }
}

static bool begins_with(const char *type, size_t length, const char *name)
{
    return length >= strlen(name) && memcmp(type, name, strlen(name)) == 0 && type[length - 1] != ']';
}

/* One argument, whose word begins at `at`. A text of ARGUMENT_SIZE holds the longest that is not cut. */
static void put_argument(char *text, size_t size, const char *type, size_t length, cevm_bytes arguments, size_t at)
{
    const uint8_t *word = arguments.data + at;
    const cevm_u256 v = cevm_u256_from_be(word);
    cevm_bytes data;
    if (type_is(type, length, "address")) {
        text[0] = '0';
        text[1] = 'x';
        cevm_hex_encode(text + 2, word + 12, 20);
    } else if (type_is(type, length, "bool")) {
        (void)snprintf(text, size, "%s", cevm_u256_is_zero(&v) ? "false" : "true");
    } else if (type_is(type, length, "string") && cevm_abi_bytes(&data, arguments, at)) {
        cevm_put_quoted(text, size, "", data, "");
    } else if (type_is(type, length, "bytes") && cevm_abi_bytes(&data, arguments, at)) {
        put_bytes(text, size, data);
    } else if (begins_with(type, length, "uint")) {
        put_number(text, &v);
    } else if (begins_with(type, length, "int")) {
        put_signed(text, &v);
    } else if (length > 5 && begins_with(type, length, "bytes")) {
        cevm_u256_to_hex(text, &v);
    } else {
        (void)snprintf(text, size, "…");
    }
}

/* Bytes of the first type of a list: to the comma or bracket behind it, over those inside of a tuple. */
static size_t type_length(const char *list)
{
    size_t depth = 0;
    size_t i = 0;
    for (; list[i] != '\0' && (depth != 0 || (list[i] != ',' && list[i] != ')')); ++i) {
        depth += list[i] == '(' ? 1 : 0;
        depth -= list[i] == ')' ? 1 : 0;
    }
    return i;
}

/* Whether it takes one word of the arguments. A tuple or an array of a fixed size may take more. */
static bool is_one_word(const char *type, size_t length)
{
    const bool is_array = length != 0 && type[length - 1] == ']';
    return is_array ? length >= 2 && type[length - 2] == '[' : length != 0 && type[0] != '(';
}

void cevm_describe_call(char *out, size_t size, const char *text, cevm_bytes arguments)
{
    enum { ARGUMENT_SIZE = 240 };
    const char *type = strchr(text, '(');
    size_t count = 0;
    out[0] = '\0';
    for (const char *p = type; p != NULL && *p != '\0' && p[1] != ')' && p[1] != '\0'; ++count) {
        p += 1 + type_length(p + 1);
        p = *p == ',' ? p : NULL;
    }
    if (type == NULL || arguments.size / 32 < count) {
        append(out, size, text, strlen(text));
        return;
    }
    append(out, size, text, (size_t)(type - text) + 1);
    for (size_t i = 0; i < count; ++i) {
        char argument[ARGUMENT_SIZE] = "…";
        ++type; /* over the bracket or the comma */
        const size_t length = type_length(type);
        const bool is_placed = is_one_word(type, length);
        if (is_placed) {
            put_argument(argument, sizeof argument, type, length, arguments, 32 * i);
        }
        append(out, size, ", ", i == 0 ? 0 : 2);
        append(out, size, argument, strlen(argument));
        if (!is_placed) {
            break; /* where those behind it lie would take the sizes of all its parts */
        }
        type += length;
    }
    append(out, size, ")", 1);
}

size_t cevm_wrap(const char *text, size_t width)
{
    size_t columns = 0;
    size_t fits = 0;
    for (size_t i = 0; text[i] != '\0'; ++i) {
        columns += ((unsigned char)text[i] & 0xc0U) != 0x80U ? 1 : 0;
        if (columns > width && fits != 0) {
            return fits;
        }
        if (text[i] == ',' && text[i + 1] == ' ') {
            fits = i + 2;
        }
    }
    return strlen(text);
}
