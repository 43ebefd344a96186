# Host tests: tests/host/test_NAME.c is one cmocka program, linked with lib/ and with the sources that a comment in its
# first lines names: /* links: kernel/mem/address_space.c tests/host/machine.c */
# HOST=host (plain; valgrind runs these too) or host-asan (address and undefined-behaviour sanitizers).

HOST ?= host
H := build/$(HOST)
HOST_CC := gcc
HOST_VARIANT_host-asan := -fsanitize=address,undefined -fno-sanitize-recover=all
HOST_VARIANT := $(HOST_VARIANT_$(HOST))

T ?= *
HOST_TEST_SOURCES := $(sort $(wildcard tests/host/test_$(T).c))
HOST_TESTS := $(HOST_TEST_SOURCES:tests/host/%.c=$H/%)
HOST_LIBRARY := $H/libcapos.a
# The tests' own helpers are members too, so that each is linked only where it is used.
HOST_HELPERS := $(filter-out tests/host/test_%,$(sort $(wildcard tests/host/*.c)))
HOST_LIBRARY_OBJECTS := $(patsubst %,$H/obj/%.o,$(LIB_SOURCES) $(HOST_HELPERS))

.PHONY: host-tests
host-tests: $(HOST_TESTS)

$H/obj/%.c.o: %.c $(RULES)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(HOST_CC) $(HOST_FLAGS) $(HOST_VARIANT) $(DEPENDENCY_FLAGS) -c -o $@ $<

$(HOST_LIBRARY): $(HOST_LIBRARY_OBJECTS)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcsD $@ $^

# $(call links,TEST): the extra objects that the test's comment names.
links = $(patsubst %,$H/obj/%.o,$(shell head -n 30 tests/host/$(1).c | tr '\n' ' ' | \
	sed -n 's@.*/\* links: *\([^*]*\) \*/.*@\1@p'))

.SECONDEXPANSION:
$(HOST_TESTS): $H/%: $H/obj/tests/host/%.c.o $$(call links,$$*) $(HOST_LIBRARY)
	$(call say,LD,$@)
	$(Q)$(HOST_CC) $(HOST_VARIANT) -o $@ $(filter %.o,$^) $(HOST_LIBRARY) -lcmocka

-include $(wildcard $H/obj/*/*.d $H/obj/*/*/*.d $H/obj/*/*/*/*.d)
