/*
 * A layout as text.
 */
#ifndef CAPOS_TOOLS_LAYOUT_TEXT_H
#define CAPOS_TOOLS_LAYOUT_TEXT_H

#include <stdio.h>

#include "lib/layout.h"

/* For people: a line for each piece, from the top. */
void layout_text_print(FILE *out, const struct layout_profile *profile, const struct layout *layout);

/* For programs: "NAME START END" a line, then what is one number alone. */
void layout_text_values(FILE *out, const struct layout_profile *profile, const struct layout *layout);

/* What the architectures fix. */
void layout_text_profiles(FILE *out);

#endif
