/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of requests while they come in, within a limit for each and a budget for all. */
#include <cevm/alloc.h>

#include "rpc/server_internal.h"

static bool grow(cevm_intake *intake, size_t wanted)
{
    cevm_server *s = intake->server;
    size_t more = wanted - intake->capacity;
    size_t before = atomic_fetch_add(&s->intake, more);
    char *grown = NULL;
    if (before <= s->options.max_intake && more <= s->options.max_intake - before) {
        grown = cevm_resize(NULL, intake->data, wanted);
    }
    if (grown == NULL) {
        atomic_fetch_sub(&s->intake, more);
        return false;
    }
    intake->data = grown;
    intake->capacity = wanted;
    return true;
}

cevm_intake_result cevm_intake_add(cevm_intake *intake, const char *data, size_t size)
{
    size_t limit = intake->server->options.limits.body;
    if (size == 0) {
        return CEVM_INTAKE_OK;
    }
    if (size > limit || intake->size > limit - size) {
        return CEVM_INTAKE_LARGE;
    }
    if (intake->capacity - intake->size < size) {
        size_t wanted = intake->capacity < 2048 ? 4096 : intake->capacity * 2;
        wanted = wanted < intake->size + size ? intake->size + size : wanted;
        if (!grow(intake, wanted)) {
            return CEVM_INTAKE_BUSY;
        }
    }
    memcpy(intake->data + intake->size, data, size);
    intake->size += size;
    return CEVM_INTAKE_OK;
}

void cevm_intake_drop(cevm_intake *intake, size_t size)
{
    intake->size -= size;
    if (intake->size == 0 && intake->capacity > 64 * 1024) {
        cevm_intake_clear(intake); /* a large request is seldom followed by another */
    } else if (intake->size != 0 && size != 0) {
        memmove(intake->data, intake->data + size, intake->size);
    }
}

void cevm_intake_clear(cevm_intake *intake)
{
    cevm_free(NULL, intake->data);
    atomic_fetch_sub(&intake->server->intake, intake->capacity);
    intake->data = NULL;
    intake->size = intake->capacity = 0;
}
