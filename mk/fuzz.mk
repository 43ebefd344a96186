# Fuzzers: tests/fuzz/fuzz_NAME.c with lib/, under libFuzzer and the sanitizers. tests/fuzz/corpus/NAME has the inputs
# that every test run replays; what a longer run finds worth keeping goes to build/fuzz/corpus/NAME.

F := build/fuzz
FUZZ_CC := clang
FUZZ_FLAGS := $(HOST_FLAGS) -Wno-unknown-warning-option -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/fuzz_$(T).c))
FUZZERS := $(FUZZ_SOURCES:tests/fuzz/fuzz_%.c=$F/%)
FUZZ_LIBRARY_OBJECTS := $(patsubst %,$F/obj/%.o,$(LIB_SOURCES) tests/host/host_support.c)
SECONDS ?= 60

$F/obj/%.c.o: %.c $(RULES)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) $(DEPENDENCY_FLAGS) -c -o $@ $<

$(FUZZERS): $F/%: $F/obj/tests/fuzz/fuzz_%.c.o $(FUZZ_LIBRARY_OBJECTS)
	$(call say,LD,$@)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) -o $@ $^

-include $(wildcard $F/obj/*/*.d $F/obj/*/*/*.d)
