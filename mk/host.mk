# Host tests: tests/host/test_NAME.c is one cmocka program, linked with lib/ and with the sources that a comment in its
# first lines names: /* links: kernel/mem/address_space.c tests/host/machine.c */
# HOST=host (plain; valgrind runs these too), host-asan (address and undefined-behaviour sanitizers), host-tsan (data
# races), host-coverage (counts lines and branches) or host-bench (optimised, without assertions), where bench/host_NAME.c is one benchmark each.

HOST ?= host
H := build/$(HOST)
HOST_CC := gcc
# pointer-compare and -subtract: tools/test_lib.py has them on
HOST_VARIANT_host-asan := -fsanitize=address,pointer-compare,pointer-subtract -fno-sanitize-recover=all \
	-fsanitize=undefined,bounds-strict,float-divide-by-zero,float-cast-overflow
HOST_VARIANT_host-tsan := -fsanitize=thread
HOST_VARIANT_host-bench := -O2 -UCAPOS_DEBUG -UCAPOS_FAULTS
HOST_VARIANT_host-coverage := -O0 --coverage -w
HOST_VARIANT := $(HOST_VARIANT_$(HOST))

T ?= *
HOST_TEST_SOURCES := $(sort $(wildcard tests/host/test_$(T).c))
HOST_TESTS := $(HOST_TEST_SOURCES:tests/host/%.c=$H/%)
HOST_LIBRARY := $H/libcapos.a
# The tests' own helpers are members too, so that each is linked only where it is used.
# Benchmarks need none of the simulated machine, which refuses promises on demand.
HOST_HELPERS := $(if $(filter host-bench,$(HOST)),tests/host/host_support.c, \
	$(filter-out tests/host/test_%,$(sort $(wildcard tests/host/*.c))))
HOST_LIBRARY_OBJECTS := $(patsubst %,$H/obj/%.o,$(LIB_SOURCES) $(HOST_HELPERS))

HOST_BENCHES := $(patsubst bench/%.c,build/host-bench/%,$(sort $(wildcard bench/host_*.c)))

.PHONY: host-tests host-benches
host-tests: $(HOST_TESTS)
host-benches: $(HOST_BENCHES)

$H/obj/%.c.o: %.c $(RULES)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(HOST_CC) $(HOST_FLAGS) $(HOST_VARIANT) $(DEPENDENCY_FLAGS) -c -o $@ $<

$H/obj/kernel/%.c.o: HOST_VARIANT += -fno-strict-aliasing # as in KERNEL_FLAGS

$(HOST_LIBRARY): $(HOST_LIBRARY_OBJECTS)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcsD $@ $^

# All of the kernel that runs on the simulated machine of tests/host/task_machine.h.
HOST_TASK_KERNEL := $(filter-out kernel/cap/supervisor.c,$(wildcard kernel/cap/*.c)) \
	$(filter-out $(patsubst %,kernel/task/%.c,boot_package console_start cpu_start run_queue scheduler user_trap world), \
	$(wildcard kernel/task/*.c)) \
	$(patsubst %,kernel/mem/%.c,account address_space address_space_audit anonymous anonymous_image bootstrap_page borrowed demand frame heap heap_break \
	kernel_stack memory_object page_gap page_placement page_walk shortage user_access validate)

# $(call kernel_sources,FILE): what the comment in its first lines names; HOST_TASK_KERNEL stands for its list.
kernel_sources = $(patsubst HOST_TASK_KERNEL,$(HOST_TASK_KERNEL),$(shell head -n 30 $(1) | tr '\n' ' ' | \
	sed -n 's@.*/\* links: *\([^*]*\) \*/.*@\1@p'))
links = $(patsubst %,$H/obj/%.o,$(call kernel_sources,tests/host/$(1).c))

.SECONDEXPANSION:
$(HOST_TESTS): $H/%: $H/obj/tests/host/%.c.o $$(call links,$$*) $(HOST_LIBRARY)
	$(call say,LD,$@)
	$(Q)$(HOST_CC) $(HOST_VARIANT) -o $@ $(filter %.o,$^) $(HOST_LIBRARY) -lcmocka

$(HOST_BENCHES): build/host-bench/%: $H/obj/bench/%.c.o $(HOST_LIBRARY)
	$(call say,LD,$@)
	$(Q)$(HOST_CC) $(HOST_VARIANT) -o $@ $^

-include $(wildcard $H/obj/*/*.d $H/obj/*/*/*.d $H/obj/*/*/*/*.d)
