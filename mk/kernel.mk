# The kernel: one ELF that PVH and Limine both load. lib/ is compiled into it unchanged.

KERNEL := $B/kernel.elf
KERNEL_SCRIPT := kernel/arch/x86_64/kernel.ld
LIB_SOURCES := $(sort $(wildcard lib/*.c))
KERNEL_SOURCES := $(sort $(wildcard kernel/*.c kernel/*/*.c kernel/arch/x86_64/*.[cS]))
KERNEL_OBJECTS := $(call objects,kernel,$(KERNEL_SOURCES) $(LIB_SOURCES))

$B/obj/kernel/%.c.o: %.c $(RULES)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(KERNEL_FLAGS) $(MODE_FLAGS) $(DEPENDENCY_FLAGS) -c -o $@ $<

$B/obj/kernel/%.S.o: %.S $(RULES)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(KERNEL_FLAGS) $(ASSEMBLER_FLAGS) $(DEPENDENCY_FLAGS) -c -o $@ $<

$(KERNEL): $(KERNEL_OBJECTS) $(KERNEL_SCRIPT)
	$(call say,LD,$@)
	$(Q)$(LINK) -T $(KERNEL_SCRIPT) -Map=$(@:.elf=.map) -o $@ $(KERNEL_OBJECTS)

-include $(KERNEL_OBJECTS:=.d)
