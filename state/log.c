/* SPDX-License-Identifier: Apache-2.0 */
#include "state/log.h"

#include <stdarg.h>
#include <stdio.h>

const char *cevm_log_level_string(cevm_log_level level)
{
    switch (level) {
    case CEVM_LOG_DEBUG: return "debug";
    case CEVM_LOG_INFO: return "info";
    case CEVM_LOG_WARN: return "warn";
    default: return "unknown level";
    }
}

void cevm_log_write(const cevm_log_sink *sink, cevm_log_level level, const char *format, ...)
{
    char text[512];
    va_list arguments;
    if (sink->write == NULL) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    sink->write(sink->ctx, level, text);
}
