/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/session.h: a connection that lasts (WebSocket, IPC), as subscriptions need it: text can be sent to it at any time,
 * and one is told when it ends.
 *
 * The connection's own thread makes and frees it. A call (cevm_rpc_call.session) holds it for the length of the call; who
 * keeps it longer attaches something to it, and forgets it when that is told to close.
 */
#ifndef CEVM_RPC_SESSION_H
#define CEVM_RPC_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cevm_session cevm_session;

/**
 * Puts one JSON text into the session's queue, copied, and returns at once; it goes out after the answers that were there
 * before it. False when the session is ending, or ends by this: a reader that has let its queue fill up is dropped
 * (WebSocket close code 1008, "too slow"), so that it costs no more memory and delays nobody.
 *
 * Any thread, with any lock held: it takes only the queue's own lock, for the time of a copy.
 */
bool cevm_session_send(cevm_session *session, const char *json, size_t size);

/** Something that lives as long as a session at most. Embed it; the session keeps a pointer. */
typedef struct cevm_session_guest {
    const void *kind; /* the address of something of yours, to find it by */
    /**
     * The session ends: send nothing more to it once this returns; frees `self`. Called once, on the connection's thread,
     * no lock of the session held, so it may wait for the lock under which others send.
     */
    void (*closed)(struct cevm_session_guest *self, cevm_session *session);
    struct cevm_session_guest *next; /* the session's */
} cevm_session_guest;

/** Attaches a guest. Only during a call of the session (on its thread), as cevm_session_guest_of. */
void cevm_session_attach(cevm_session *session, cevm_session_guest *guest);
/** The guest of this kind, or NULL. */
cevm_session_guest *cevm_session_guest_of(const cevm_session *session, const void *kind);

#endif
