# Compiler flags by role; the one place that has them. tools/ asks with `make print-NAME`.

ifeq ($(filter $(MODE),release debug coverage),)
$(error MODE is release, debug or coverage, not "$(MODE)")
endif
COMPILER := $(notdir $(firstword $(CC)))
IS_CLANG := $(findstring clang,$(COMPILER))

# MUTANT=NAME: a kernel with one fault built in (CAPOS_MUTANT_NAME), which the tests must see fail.
MUTANT ?=
ifneq ($(MUTANT),)
ifneq ($(words $(MUTANT)) $(shell grep -rlw 'CAPOS_MUTANT_$(firstword $(MUTANT))' kernel lib > /dev/null && echo known),1 known)
$(error no file has a fault of the name "$(MUTANT)" built in)
endif
endif

# FAULTS=1: a kernel in which memory runs out where a test wants it (kernel/mem/shortage.h; make run-faultinject).
FAULTS ?=

# Where this mode, compiler, mutant and FAULTS build.
B := build/$(MODE)$(addprefix -,$(filter-out gcc,$(COMPILER)))$(if $(FAULTS),-faults)$(if $(MUTANT),-$(shell echo $(MUTANT) | tr A-Z_ a-z-))

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wundef -Wswitch-enum -Wcast-qual -Wwrite-strings -Wimplicit-fallthrough -Werror
COMMON_FLAGS := -std=gnu2x -I. -g $(WARNINGS)
FREESTANDING_FLAGS := $(COMMON_FLAGS) -ffreestanding -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fno-common $(if $(IS_CLANG),,--param=min-pagesize=0) # gcc: low addresses are addresses too

# A kernel built for debugging finds out when a buffer on the stack is overrun (kernel/arch/x86_64/stack_guard.h). One
# word for all, since there is no thread-local storage in the kernel.
STACK_GUARD_FLAGS := -fstack-protector-strong -mstack-protector-guard=global

# Undefined behaviour ends a debug build: the kernel with the place in its source (kernel/arch/x86_64/undefined.c), all else
# with an invalid opcode.
UNDEFINED_SAYS := -fno-sanitize-recover=undefined
UNDEFINED_TRAPS := $(if $(IS_CLANG),-fsanitize-trap=undefined,-fsanitize-undefined-trap-on-error)

# A frame changes its type over its life (zeroed as words, then a page table, then a slab), which the effective-type
# rules of C do not allow for: the kernel is compiled without type-based alias analysis. lib/ itself does not need it;
# the host tests and the programs compile lib/ with strict aliasing.
KERNEL_FLAGS := $(FREESTANDING_FLAGS) -mcmodel=kernel -mno-red-zone -mgeneral-regs-only -fno-omit-frame-pointer \
	-fno-strict-aliasing $(MUTANT:%=-DCAPOS_MUTANT_%) $(if $(FAULTS),-DCAPOS_FAULTS) \
	$(if $(filter debug,$(MODE)),$(STACK_GUARD_FLAGS) $(UNDEFINED_SAYS))
USER_FLAGS := $(FREESTANDING_FLAGS) -fno-omit-frame-pointer -ffunction-sections -fdata-sections \
	$(if $(filter debug,$(MODE)),$(UNDEFINED_TRAPS))
HOST_FLAGS := $(COMMON_FLAGS) -O1 -fno-omit-frame-pointer -DCAPOS_DEBUG -DCAPOS_HOST -DCAPOS_FAULTS \
	$(if $(IS_CLANG),-Wno-unknown-warning-option)

RELEASE_FLAGS := -O2
COVERAGE_FLAGS := -Og # as release, but that each line keeps instructions of its own (make coverage)
DEBUG_FLAGS := -O1 -DCAPOS_DEBUG -fsanitize=undefined
MODE_FLAGS := $($(if $(filter debug,$(MODE)),DEBUG,$(if $(filter coverage,$(MODE)),COVERAGE,RELEASE))_FLAGS)

ASSEMBLER_FLAGS := $(if $(IS_CLANG),-Wno-unused-command-line-argument)
DEPENDENCY_FLAGS = -MMD -MP -MF $@.d

LINK := ld -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=none --fatal-warnings

# All that a change of the rules themselves must rebuild.
RULES := Makefile $(wildcard mk/*.mk)

# $(call objects,FOLDER,SOURCES): where the objects of these sources go.
objects = $(patsubst %,$B/obj/$(1)/%.o,$(2))

# One short line a step; V=1 shows the commands, make -s nothing.
Q := $(if $(V),,@)
say = @$(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),:,printf '  %-4s %s\n' $(1) $(2))
