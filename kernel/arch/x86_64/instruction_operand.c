/* Formats: SDM vol. 2A, chapter 2 (prefixes, ModRM, SIB) and appendix A (which opcodes have a ModRM byte). */
#include "kernel/arch/x86_64/instruction_operand.h"

#define REX_B 1u
#define REX_X 2u

static uint64_t register_value(const struct trap_frame *frame, unsigned number)
{
	const uint64_t value[16] = { frame->rax, frame->rcx, frame->rdx, frame->rbx, frame->rsp, frame->rbp,
				     frame->rsi, frame->rdi, frame->r8,  frame->r9,  frame->r10, frame->r11,
				     frame->r12, frame->r13, frame->r14, frame->r15 };

	return value[number & 15];
}

static bool is_prefix(uint8_t byte)
{
	return byte == 0x66 || byte == 0x67 || byte == 0xf0 || byte == 0xf2 || byte == 0xf3 || byte == 0x2e ||
	       byte == 0x36 || byte == 0x3e || byte == 0x26 || byte == 0x64 || byte == 0x65;
}

static bool one_byte_has_modrm(uint8_t opcode)
{
	if (opcode < 0x40)
		return (opcode & 7) < 4;
	return opcode == 0x63 || opcode == 0x69 || opcode == 0x6b || (opcode >= 0x80 && opcode <= 0x8f) ||
	       opcode == 0xc0 || opcode == 0xc1 || opcode == 0xc6 || opcode == 0xc7 ||
	       (opcode >= 0xd0 && opcode <= 0xd3) || (opcode >= 0xd8 && opcode <= 0xdf) || opcode == 0xf6 ||
	       opcode == 0xf7 || opcode == 0xfe || opcode == 0xff;
}

/* Moves, arithmetic and vector instructions; not the system ones (0F 00, 0F 01, 0F 20 ...), which fault for privilege.
 */
static bool two_byte_has_modrm(uint8_t opcode)
{
	return (opcode >= 0x10 && opcode <= 0x17) || (opcode >= 0x28 && opcode <= 0x2f) ||
	       (opcode >= 0x40 && opcode <= 0x76) || (opcode >= 0x90 && opcode <= 0x9f) ||
	       (opcode >= 0xa3 && opcode <= 0xa5) || (opcode >= 0xab && opcode <= 0xc7) || opcode >= 0xd0;
}

static uint64_t displacement(const uint8_t *bytes, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = size; i-- > 0;)
		value = value << 8 | bytes[i];
	if (size == 1)
		return (uint64_t)(int64_t)(int8_t)value;
	return size == 4 ? (uint64_t)(int64_t)(int32_t)value : value;
}

/* `modrm` points into a zero-padded buffer with room for ModRM, SIB and displacement. */
static uint64_t effective_address(const uint8_t *modrm, const struct trap_frame *frame, unsigned rex)
{
	unsigned mode = modrm[0] >> 6;
	unsigned base = modrm[0] & 7;
	const uint8_t *next = modrm + 1;
	uint64_t address = 0;
	bool has_base = true;

	if (base == 4) {
		unsigned index = (unsigned)(*next >> 3 & 7) | ((rex & REX_X) != 0 ? 8u : 0);

		if (index != 4)
			address += register_value(frame, index) << (*next >> 6);
		base = *next & 7;
		has_base = base != 5 || mode != 0;
		next++;
		if (!has_base)
			address += displacement(next, 4);
	} else if (base == 5 && mode == 0) { /* relative to the next instruction; near enough to this one */
		return frame->rip + displacement(next, 4);
	}
	if (has_base)
		address += register_value(frame, base | ((rex & REX_B) != 0 ? 8u : 0));
	if (mode == 1)
		address += displacement(next, 1);
	else if (mode == 2)
		address += displacement(next, 4);
	return address;
}

static bool uses_stack(uint8_t opcode)
{
	return (opcode >= 0x50 && opcode <= 0x5f) || opcode == 0x68 || opcode == 0x6a || opcode == 0xc2 ||
	       opcode == 0xc3 || opcode == 0xc9 || opcode == 0xe8;
}

bool instruction_operand_address(const uint8_t code[INSTRUCTION_BYTES], const struct trap_frame *frame,
				 uint64_t *address)
{
	uint8_t padded[INSTRUCTION_BYTES + 8] = { 0 };
	unsigned at = 0;
	unsigned rex = 0;
	bool has_modrm;

	for (unsigned i = 0; i < INSTRUCTION_BYTES; i++)
		padded[i] = code[i];
	while (at < INSTRUCTION_BYTES && is_prefix(padded[at]))
		at++;
	if ((padded[at] & 0xf0) == 0x40)
		rex = padded[at++];
	if (padded[at] >= 0xa0 && padded[at] <= 0xa3) { /* MOV with a whole address in the instruction */
		*address = displacement(&padded[at + 1], 8);
		return true;
	}
	if (uses_stack(padded[at])) {
		*address = frame->rsp;
		return true;
	}
	if (padded[at] == 0x0f) {
		at++;
		has_modrm = two_byte_has_modrm(padded[at]);
	} else {
		has_modrm = one_byte_has_modrm(padded[at]);
	}
	at++;
	if (!has_modrm || padded[at] >> 6 == 3)
		return false;
	*address = effective_address(&padded[at], frame, rex);
	return true;
}

bool instruction_operand_branch(const uint8_t code[INSTRUCTION_BYTES], const struct trap_frame *frame,
				struct instruction_branch *branch)
{
	unsigned at = 0;
	unsigned rex = 0;
	unsigned operation;

	while (at < INSTRUCTION_BYTES - 2 && is_prefix(code[at]))
		at++;
	if ((code[at] & 0xf0) == 0x40)
		rex = code[at++];
	if (code[at] == 0xc2 || code[at] == 0xc3) {
		*branch = (struct instruction_branch){ true, frame->rsp };
		return true;
	}
	operation = code[at + 1] >> 3 & 7;
	if (code[at] != 0xff || (operation != 2 && operation != 4))
		return false;
	branch->is_in_memory = code[at + 1] >> 6 != 3;
	if (branch->is_in_memory)
		return instruction_operand_address(code, frame, &branch->value);
	branch->value = register_value(frame, (code[at + 1] & 7u) | ((rex & REX_B) != 0 ? 8u : 0));
	return true;
}
