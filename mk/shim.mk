# boot/shim: the loader that speaks the Limine protocol when GRUB (multiboot2) or QEMU (PVH) starts it.

SHIM := $B/shim.elf
SHIM_SCRIPT := boot/shim/shim.ld
SHIM_FLAGS := $(FREESTANDING_FLAGS) -mno-red-zone -mgeneral-regs-only -ffunction-sections -fdata-sections \
	$(if $(filter debug,$(MODE)),$(UNDEFINED_TRAPS))
SHIM_SOURCES := $(sort $(wildcard boot/shim/*.[cS]))
SHIM_OBJECTS := $(call objects,shim,$(SHIM_SOURCES) $(LIB_SOURCES))
SHIM_PACKAGE := $B/shim.cpio

$B/obj/shim/%.c.o: %.c $(RULES)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(SHIM_FLAGS) $(MODE_FLAGS) $(DEPENDENCY_FLAGS) -c -o $@ $<

$B/obj/shim/%.S.o: %.S $(RULES)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(SHIM_FLAGS) $(ASSEMBLER_FLAGS) $(DEPENDENCY_FLAGS) -c -o $@ $<

# --gc-sections drops the parts of lib/ that the loader does not use.
$(SHIM): $(SHIM_OBJECTS) $(SHIM_SCRIPT)
	$(call say,LD,$@)
	$(Q)$(LINK) --gc-sections -T $(SHIM_SCRIPT) -o $@ $(SHIM_OBJECTS)

# What the loader takes under PVH, where there is one module only: an archive of the kernel and the boot package.
$(SHIM_PACKAGE): $(KERNEL) $(PACKAGE)
	@rm -rf $B/shim-package && mkdir -p $B/shim-package
	@objcopy --strip-all $(KERNEL) $B/shim-package/$(notdir $(KERNEL)) && cp $(PACKAGE) $B/shim-package
	$(call say,CPIO,$@)
	$(Q)cd $B/shim-package && printf '%s\n' $(notdir $^) | cpio --quiet -o -H newc --reproducible > ../$(@F)

-include $(SHIM_OBJECTS:=.d)
