# capos.iso boots through BIOS and UEFI: by GRUB and boot/shim, or, with LIMINE=DIR, by the Limine of that folder
# (limine-bios.sys, limine-bios-cd.bin, limine-uefi-cd.bin, BOOTX64.EFI and the `limine` tool). ISO_WORDS=... is the
# kernel's command line.

ISO := $B/capos.iso
ISO_TREE := $B/iso
ISO_WORDS ?=
ISO_PARTS := $(KERNEL) $(PACKAGE)

ifdef LIMINE
.PHONY: $(ISO)
$(ISO): $(ISO_PARTS)
	@rm -rf $(ISO_TREE) && mkdir -p $(ISO_TREE)/boot/limine $(ISO_TREE)/EFI/BOOT
	@cp $(ISO_PARTS) $(ISO_TREE)/boot
	@cp $(addprefix $(LIMINE)/,limine-bios.sys limine-bios-cd.bin limine-uefi-cd.bin) $(ISO_TREE)/boot/limine
	@cp $(LIMINE)/BOOTX64.EFI $(ISO_TREE)/EFI/BOOT
	@sed 's@WORDS@$(ISO_WORDS)@' tools/limine.conf > $(ISO_TREE)/boot/limine/limine.conf
	$(call say,ISO,$@)
	$(Q)xorriso -as mkisofs -quiet -R -J -b boot/limine/limine-bios-cd.bin -no-emul-boot -boot-load-size 4 \
		-boot-info-table --efi-boot boot/limine/limine-uefi-cd.bin -efi-boot-part --efi-boot-image \
		--protective-msdos-label $(ISO_TREE) -o $@
	$(Q)$(LIMINE)/limine bios-install $@
else
$(ISO): $(ISO_PARTS) $(SHIM) tools/grub.cfg $(RULES)
	@rm -rf $(ISO_TREE) && mkdir -p $(ISO_TREE)/boot/grub
	@cp $(ISO_PARTS) $(SHIM) $(ISO_TREE)/boot
	@sed 's@WORDS@$(ISO_WORDS)@' tools/grub.cfg > $(ISO_TREE)/boot/grub/grub.cfg
	@command -v grub-mkrescue > /dev/null || { echo "iso: grub-mkrescue is missing: make setup" >&2; exit 1; }
	$(call say,ISO,$@)
	$(Q)grub-mkrescue --fonts= --locales= --themes= -o $@ $(ISO_TREE) > $@.log 2>&1 || { cat $@.log >&2; exit 1; }
endif
