#ifndef CAPOS_USER_DEMOS_ELF_SMOKE_IMAGE_FACTS_H
#define CAPOS_USER_DEMOS_ELF_SMOKE_IMAGE_FACTS_H

/* Segments: where the file says, what the file says, zero where it says nothing. */
void image_facts_check(void);

#endif
