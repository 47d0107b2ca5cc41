/* SPDX-License-Identifier: Apache-2.0 */
#include "state/journal_internal.h"

cevm_err cevm_state_prefetch(cevm_state *state, const cevm_db_key *keys, size_t count)
{
    const cevm_db *db = &state->db;
    return db->vtable->prefetch != NULL && count != 0 ? db->vtable->prefetch(db->ctx, keys, count) : CEVM_OK;
}
