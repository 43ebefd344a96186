# Fuzzers: tests/fuzz/fuzz_NAME.c with lib/ and the helpers of the host tests, under libFuzzer and the sanitizers; kernel
# sources are named in a comment in its first lines, as in a host test (mk/host.mk). tests/fuzz/corpus/NAME has the inputs
# that every test run replays; what a longer run finds worth keeping goes to build/fuzz/corpus/NAME. tests/fuzz/NAME.dict,
# if there is one, has words that a search puts together.

F := build/fuzz
FUZZ_CC := clang
FUZZ_FLAGS := $(HOST_FLAGS) -Wno-unknown-warning-option -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/fuzz_$(T).c))
FUZZERS := $(FUZZ_SOURCES:tests/fuzz/fuzz_%.c=$F/%)
FUZZ_LIBRARY := $F/libcapos.a
FUZZ_LIBRARY_OBJECTS := $(patsubst %,$F/obj/%.o,$(LIB_SOURCES) $(filter-out tests/host/test_%,$(sort $(wildcard tests/host/*.c))))
SECONDS ?= 60

$F/obj/%.c.o: %.c $(RULES)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) $(DEPENDENCY_FLAGS) -c -o $@ $<

$F/obj/kernel/%.c.o: FUZZ_FLAGS += -fno-strict-aliasing # as in KERNEL_FLAGS

$(FUZZ_LIBRARY): $(FUZZ_LIBRARY_OBJECTS)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcsD $@ $^

$(FUZZERS): $F/%: $F/obj/tests/fuzz/fuzz_%.c.o $$(patsubst %,$F/obj/%.o,$$(call kernel_sources,tests/fuzz/fuzz_$$*.c)) \
		$(FUZZ_LIBRARY)
	$(call say,LD,$@)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) -o $@ $^ -lcmocka

-include $(wildcard $F/obj/*/*.d $F/obj/*/*/*.d $F/obj/*/*/*/*.d)
