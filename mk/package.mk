# The boot package: a newc cpio archive, the same bytes for the same content.

PACKAGE := $B/boot.cpio
PACKAGE_TREE := $B/package
WORDS := build/words.txt

# Some 4 MB of English prose for wordcount: the manual of an editor that Debian packages.
$(WORDS): tools/words.sh
	@mkdir -p $(@D)
	$(Q)tools/words.sh > $@

# Programs go in without symbols; $B/user keeps them for the debugger.
$(PACKAGE): user/manifest $(PROGRAMS) $(WORDS) $(RULES)
	@rm -rf $(PACKAGE_TREE) && mkdir -p $(PACKAGE_TREE)/text
	@install -m 644 user/manifest $(PACKAGE_TREE)/manifest
	@install -m 644 $(WORDS) $(PACKAGE_TREE)/text/words.txt
	@for program in $(PROGRAMS); do \
		objcopy --strip-all $$program $(PACKAGE_TREE)/$${program##*/} && \
		chmod 755 $(PACKAGE_TREE)/$${program##*/} || exit 1; done
	@find $(PACKAGE_TREE) -exec touch -h -d @0 {} +
	$(call say,CPIO,$@)
	$(Q)cd $(PACKAGE_TREE) && find . -type f -printf '%P\n' | LC_ALL=C sort | \
		cpio --quiet -o -H newc --reproducible -R 0:0 > ../$(@F)
