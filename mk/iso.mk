# capos.iso boots through BIOS and UEFI: by GRUB and boot/shim, or, with LIMINE=DIR, by the Limine of that folder
# (LIMINE_PARTS and the `limine` tool). ISO_WORDS=... is the kernel's command line.

ISO := $B/capos.iso
ISO_TREE := $B/iso
ISO_WORDS ?=
ISO_PARTS := $(KERNEL) $(PACKAGE)
ISO_CHOICE := $B/iso.choice
LIMINE_PARTS := limine-bios.sys limine-bios-cd.bin limine-uefi-cd.bin BOOTX64.EFI limine

export LIMINE ISO_WORDS

# What the image is made with: another choice makes it anew. What is refused here would mean something to GRUB or sed.
.PHONY: iso-choice
$(ISO_CHOICE): iso-choice
	@mkdir -p $(@D)
	@! printf '%s' "$$ISO_WORDS" | LC_ALL=C grep -q '[^A-Za-z0-9=+._/ -]' || \
		{ echo "iso: ISO_WORDS are letters, digits, blanks and = + . _ / -" >&2; exit 1; }
	@printf '%s\n%s\n' "$$LIMINE" "$$ISO_WORDS" | cmp -s - $@ || printf '%s\n%s\n' "$$LIMINE" "$$ISO_WORDS" > $@

# $(call need,TOOL): say what is missing, not what failed without it.
need = @command -v $(1) > /dev/null || { echo "iso: $(1) is missing: make setup" >&2; exit 1; }

ifneq ($(LIMINE),)
.PHONY: $(ISO)
$(ISO): $(ISO_PARTS) $(ISO_CHOICE)
	@for part in $(LIMINE_PARTS); do \
		[ -f "$$LIMINE/$$part" ] || { echo "iso: LIMINE=$$LIMINE has no $$part" >&2; exit 1; }; done
	$(call need,xorriso)
	@rm -rf $(ISO_TREE) && mkdir -p $(ISO_TREE)/boot/limine $(ISO_TREE)/EFI/BOOT
	@cp $(ISO_PARTS) $(ISO_TREE)/boot
	@cd "$$LIMINE" && cp limine-bios.sys limine-bios-cd.bin limine-uefi-cd.bin $(abspath $(ISO_TREE))/boot/limine
	@cp "$$LIMINE/BOOTX64.EFI" $(ISO_TREE)/EFI/BOOT
	@sed 's@WORDS@$(ISO_WORDS)@' tools/limine.conf > $(ISO_TREE)/boot/limine/limine.conf
	$(call say,ISO,$@)
	$(Q)xorriso -as mkisofs -quiet -R -J -b boot/limine/limine-bios-cd.bin -no-emul-boot -boot-load-size 4 \
		-boot-info-table --efi-boot boot/limine/limine-uefi-cd.bin -efi-boot-part --efi-boot-image \
		--protective-msdos-label $(ISO_TREE) -o $@
	$(Q)"$$LIMINE/limine" bios-install $@
else
$(ISO): $(ISO_PARTS) $(SHIM) $(ISO_CHOICE) tools/grub.cfg $(RULES)
	$(call need,grub-mkrescue)
	@rm -rf $(ISO_TREE) && mkdir -p $(ISO_TREE)/boot/grub
	@cp $(ISO_PARTS) $(SHIM) $(ISO_TREE)/boot
	@sed 's@WORDS@$(ISO_WORDS)@' tools/grub.cfg > $(ISO_TREE)/boot/grub/grub.cfg
	$(call say,ISO,$@)
	$(Q)grub-mkrescue --fonts= --locales= --themes= -o $@ $(ISO_TREE) > $@.log 2>&1 || { cat $@.log >&2; exit 1; }
endif
