/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/term.h: what a stream can show. Asked once at the start of a command.
 */
#ifndef CEVM_CLI_TERM_H
#define CEVM_CLI_TERM_H

#include <stdbool.h>
#include <stdio.h>

typedef struct cevm_term {
    bool is_terminal;
    bool colour;    /* a terminal that is not "dumb", and NO_COLOR is not set */
    bool unicode;   /* the locale's encoding is UTF-8 */
    unsigned width; /* columns; 80 when it cannot be told */
} cevm_term;

cevm_term cevm_term_of(FILE *stream);

#endif
