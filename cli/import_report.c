/* SPDX-License-Identifier: Apache-2.0 */
/* How an import goes, and how it went. */
#include <cevm/hex.h>

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "cli/import.h"

double cevm_import_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double rate(double amount, double seconds) { return seconds > 0 ? amount / seconds : 0; }

/* 1234567 as "1,234,567"; room for 32 bytes. */
static const char *group(char *out, uint64_t value)
{
    char digits[24];
    const size_t count = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, value);
    size_t used = 0;
    for (size_t i = 0; i < count; ++i) {
        if (i != 0 && (count - i) % 3 == 0) {
            out[used++] = ',';
        }
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}

/* "4m 05s"; room for 32 bytes. */
static const char *duration(char *out, double seconds)
{
    const uint64_t s = seconds < 0 ? 0 : seconds > 3.6e6 ? 3600000 : (uint64_t)(seconds + 0.5);
    if (s >= 3600) {
        (void)snprintf(out, 32, "%" PRIu64 "h %02" PRIu64 "m", s / 3600, s / 60 % 60);
    } else if (s >= 60) {
        (void)snprintf(out, 32, "%" PRIu64 "m %02" PRIu64 "s", s / 60, s % 60);
    } else {
        (void)snprintf(out, 32, "%" PRIu64 "s", s);
    }
    return out;
}

void cevm_import_show(cevm_import_progress *p, const cevm_term *term, uint64_t number)
{
    char line[160];
    char text[32];
    const double now = cevm_import_now();
    const double since = now - p->shown;
    if (!term->is_terminal || since < 1) {
        return;
    }
    size_t used = (size_t)snprintf(line, sizeof line, "block %s", group(text, number));
    used += (size_t)snprintf(line + used, sizeof line - used, "  %s blocks/s",
                             group(text, (uint64_t)rate((double)(p->blocks + p->known - p->shown_blocks), since)));
    used += (size_t)snprintf(line + used, sizeof line - used, "  %.1f Mgas/s",
                             rate((double)(p->gas - p->shown_gas), since) / 1e6);
    if (p->total_bytes != 0 && p->bytes != 0) {
        const double left = (double)(p->total_bytes - p->bytes) * ((now - p->start) / (double)p->bytes);
        used += (size_t)snprintf(line + used, sizeof line - used, "  %.1f %%  %s left",
                                 100 * (double)p->bytes / (double)p->total_bytes, duration(text, left));
    }
    (void)used;
    (void)fprintf(stderr, "\r\033[K%.*s", (int)term->width - 1, line);
    (void)fflush(stderr);
    p->has_line = true;
    p->shown = now;
    p->shown_blocks = p->blocks + p->known;
    p->shown_gas = p->gas;
}

void cevm_import_clear(cevm_import_progress *p)
{
    if (p->has_line) {
        (void)fputs("\r\033[K", stderr);
        p->has_line = false;
    }
}

void cevm_import_reason(char *out, size_t size, const cevm_block_verdict *v)
{
    if (v->error == CEVM_BLOCK_TRANSACTION) {
        (void)snprintf(out, size, "transaction %zu: %s: %s", v->tx_index, cevm_tx_error_name(v->tx_error),
                       cevm_tx_error_string(v->tx_error));
    } else {
        (void)snprintf(out, size, "%s: %s", cevm_block_error_name(v->error), cevm_block_error_string(v->error));
    }
}

/* ---- The summary ------------------------------------------------------------------------------------------------- */

static void write_text(const char *text)
{
    (void)putchar('"');
    for (const char *p = text; *p != '\0'; ++p) {
        const unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\') {
            (void)printf("\\%c", c);
        } else if (c < 0x20) {
            (void)printf("\\u%04x", c);
        } else {
            (void)putchar(c);
        }
    }
    (void)putchar('"');
}

static void write_stop(const cevm_import_stop *stop)
{
    char hex[65];
    (void)printf("{\"file\":");
    write_text(stop->file);
    (void)printf(",\"offset\":%" PRIu64 ",\"interrupted\":%s", stop->offset, stop->interrupted ? "true" : "false");
    if (stop->has_block) {
        cevm_hex_encode(hex, stop->hash.bytes, sizeof stop->hash.bytes);
        (void)printf(",\"number\":%" PRIu64 ",\"hash\":\"0x%s\"", stop->number, hex);
    }
    if (stop->verdict.error == CEVM_BLOCK_TRANSACTION) {
        (void)printf(",\"error\":\"%s\",\"reason\":\"%s\",\"transaction\":%zu",
                     cevm_tx_error_name(stop->verdict.tx_error), cevm_tx_error_string(stop->verdict.tx_error),
                     stop->verdict.tx_index);
    } else if (stop->verdict.error != CEVM_BLOCK_NONE) {
        (void)printf(",\"error\":\"%s\",\"reason\":\"%s\"", cevm_block_error_name(stop->verdict.error),
                     cevm_block_error_string(stop->verdict.error));
    }
    (void)printf("}");
}

static void write_json(const cevm_import_progress *p, const cevm_import_stop *stop, const cevm_chain_block *head,
                       double seconds)
{
    char hash[65];
    char root[65];
    cevm_hex_encode(hash, head->hash.bytes, sizeof head->hash.bytes);
    cevm_hex_encode(root, head->header->state_root.bytes, sizeof head->header->state_root.bytes);
    (void)printf("{\"blocks\":%" PRIu64 ",\"known\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"transactions\":%" PRIu64
                 ",\"gas\":%" PRIu64 ",\"reorganisations\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"seconds\":%.6f"
                 ",\"blocksPerSecond\":%.1f,\"mgasPerSecond\":%.3f,"
                 "\"head\":{\"number\":%" PRIu64 ",\"hash\":\"0x%s\",\"stateRoot\":\"0x%s\"},\"stopped\":",
                 p->blocks, p->known, p->refused, p->transactions, p->gas, p->reorganisations, p->bytes, seconds,
                 rate((double)p->blocks, seconds), rate((double)p->gas, seconds) / 1e6, head->header->number, hash,
                 root);
    if (stop->happened) {
        write_stop(stop);
    } else {
        (void)printf("null");
    }
    (void)printf("}\n");
}

void cevm_import_summary(const cevm_import_progress *p, const cevm_import_stop *stop, const cevm_chain_block *head,
                         bool json)
{
    char hash[65];
    char blocks[32];
    char txs[32];
    char speed[32];
    const double seconds = cevm_import_now() - p->start;
    if (json) {
        write_json(p, stop, head, seconds);
        return;
    }
    cevm_hex_encode(hash, head->hash.bytes, sizeof head->hash.bytes);
    (void)printf("imported %s block%s (%s transaction%s, %.1f Mgas) in %.2f s: %s blocks/s, %.1f Mgas/s\n",
                 group(blocks, p->blocks), p->blocks == 1 ? "" : "s", group(txs, p->transactions),
                 p->transactions == 1 ? "" : "s", (double)p->gas / 1e6, seconds,
                 group(speed, (uint64_t)rate((double)p->blocks, seconds)), rate((double)p->gas, seconds) / 1e6);
    if (p->known != 0) {
        (void)printf("passed over %s that %s there already\n", group(blocks, p->known), p->known == 1 ? "was" : "were");
    }
    if (p->refused != 0) {
        (void)printf("refused %s\n", group(blocks, p->refused));
    }
    (void)printf("head is block %" PRIu64 " 0x%s\n", head->header->number, hash);
}
