# Fuzzers: tests/fuzz/fuzz_NAME.c with lib/ and the helpers of the host tests, under libFuzzer and the sanitizers; kernel
# sources are named in a comment in its first lines, as in a host test (mk/host.mk). tests/fuzz/corpus/NAME has the inputs
# that every test run replays; what a longer run finds worth keeping goes to build/fuzz/corpus/NAME. tests/fuzz/NAME.dict,
# if there is one, has words that a search puts together.

F := build/fuzz
FUZZ_CC := clang
FUZZ_FLAGS := $(HOST_FLAGS) -O2 -Wno-unknown-warning-option -fno-sanitize-recover=all \
	-fsanitize=address,undefined,implicit-conversion,nullability,local-bounds
# What the search hears of the code under test, not of its models: what is reached; of parsers also what bytes are compared
# with, from which it learns.
FUZZ_SEEN := -fsanitize-coverage=inline-8bit-counters,pc-table,indirect-calls
FUZZ_PARSERS := $(wildcard lib/archive*.c lib/elf_plan.c lib/layout*.c lib/manifest*.c lib/memory_map.c kernel/boot/*.c)
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/fuzz_$(T).c))
FUZZERS := $(FUZZ_SOURCES:tests/fuzz/fuzz_%.c=$F/%)
FUZZ_LIBRARY := $F/libcapos.a
FUZZ_LIBRARY_OBJECTS := $(patsubst %,$F/obj/%.o,$(LIB_SOURCES) $(filter-out tests/host/test_%,$(sort $(wildcard tests/host/*.c))))
SECONDS ?= 60

$F/obj/%.c.o: %.c $(RULES)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) $(FUZZ_SEEN) $(DEPENDENCY_FLAGS) -c -o $@ $<

$F/obj/kernel/%.c.o: FUZZ_FLAGS += -fno-strict-aliasing # as in KERNEL_FLAGS
$(FUZZ_PARSERS:%=$F/obj/%.o): FUZZ_SEEN := -fsanitize=fuzzer-no-link
$F/obj/tests/%.c.o: FUZZ_SEEN :=

$(FUZZ_LIBRARY): $(FUZZ_LIBRARY_OBJECTS)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcsD $@ $^

# Named outside of the rule, which would take the % for its stem.
fuzz_links = $(patsubst %,$F/obj/%.o,$(call kernel_sources,tests/fuzz/fuzz_$(1).c))

$(FUZZERS): $F/%: $F/obj/tests/fuzz/fuzz_%.c.o $$(call fuzz_links,$$*) $(FUZZ_LIBRARY)
	$(call say,LD,$@)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ -lcmocka

-include $(wildcard $F/obj/*/*.d $F/obj/*/*/*.d $F/obj/*/*/*/*.d)
