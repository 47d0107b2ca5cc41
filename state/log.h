/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/log.h: saying something to a host (cevm/log.h).
 */
#ifndef CEVM_STATE_LOG_H
#define CEVM_STATE_LOG_H

#include <cevm/log.h>

/** Formats a message, cut to what a host is promised, and hands it over; cheap when nobody listens. */
__attribute__((format(printf, 3, 4))) void cevm_log_write(const cevm_log_sink *sink, cevm_log_level level,
                                                          const char *format, ...);

#endif
