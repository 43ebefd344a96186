/*
 * Layouts as a figure: a column each, side by side, addresses beside them. Within a figure one scale holds for all;
 * what would be too small to be labelled is drawn taller, what would be too tall is cut, and a zigzag says so.
 */
#ifndef CAPOS_TOOLS_LAYOUT_SVG_H
#define CAPOS_TOOLS_LAYOUT_SVG_H

#include <stdint.h>
#include <stdio.h>

#include "lib/layout.h"

void layout_svg_print(FILE *out, const struct layout_profile *profile, const struct layout *layouts, uint32_t count);

#endif
