/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/scan.h: JSON (RFC 8259) read where it lies: nothing is allocated or copied, so an answer of a stranger's node costs
 * no more memory than its bytes, and nothing recurses.
 *
 * A value is checked as a whole before anything of it is handed out. Strings are left as they are written, escapes
 * included; whether their bytes are UTF-8 is not looked at.
 */
#ifndef CEVM_STATE_SCAN_H
#define CEVM_STATE_SCAN_H

#include <cevm/types.h>

/** How deep arrays and objects may be nested. */
enum { CEVM_SCAN_MAX_DEPTH = 64 };

typedef enum cevm_scan_type {
    CEVM_SCAN_NULL,
    CEVM_SCAN_FALSE,
    CEVM_SCAN_TRUE,
    CEVM_SCAN_NUMBER,
    CEVM_SCAN_STRING,
    CEVM_SCAN_ARRAY,
    CEVM_SCAN_OBJECT
} cevm_scan_type;

/** A value of a document that was checked. */
typedef struct cevm_scan_value {
    cevm_scan_type type;
    const char *text; /* of a string what stands between its quotes */
    size_t size;
} cevm_scan_value;

/** The one value of a document. False when it is not JSON, or nested too deep. */
bool cevm_scan_document(cevm_scan_value *out, cevm_bytes document);

/** A walk over the items of an array or the members of an object. */
typedef struct cevm_scan_walk {
    const char *at;
    const char *end;
    bool is_object;
} cevm_scan_walk;

/** Any other value has no items. */
cevm_scan_walk cevm_scan_items(const cevm_scan_value *value);
/** The next one; false at the end. key (may be NULL) is its name in an object. */
bool cevm_scan_next(cevm_scan_walk *walk, cevm_scan_value *key, cevm_scan_value *value);
/** A member by name (the first); false when there is none. */
bool cevm_scan_member(cevm_scan_value *out, const cevm_scan_value *object, const char *name);

/** Whether a string, without escapes, is this text. */
bool cevm_scan_equals(const cevm_scan_value *value, const char *text);
/** A number that is an integer of at most 18 digits. */
bool cevm_scan_int64(int64_t *out, const cevm_scan_value *value);
/** A string "0x…" of 1 to 64 hex digits ("0x" counts as zero: some nodes write that). */
bool cevm_scan_quantity(cevm_u256 *out, const cevm_scan_value *value);
bool cevm_scan_u64(uint64_t *out, const cevm_scan_value *value);
/** A string "0x…" of exactly 2 * size digits. */
bool cevm_scan_fixed(uint8_t *out, size_t size, const cevm_scan_value *value);

#endif
