# The ISO on Bochs (tools/bochs.py). The product's own is $(ISO); those for other words of the kernel's command line are made
# by the same rule, each in a folder and with a name of its own.

.PHONY: bochs-iso run-bochs run-bochs-short

BOCHS_WORDS ?=
BOCHS_NAME ?=
bochs-iso:
	@$(MAKE) -s iso ISO=$B/bochs-$(BOCHS_NAME).iso ISO_TREE=$B/bochs-$(BOCHS_NAME) \
		ISO_CHOICE=$B/bochs-$(BOCHS_NAME).choice ISO_WORDS="$(BOCHS_WORDS)"

PROTECTION_ISO = bochs-iso BOCHS_NAME=protection BOCHS_WORDS="selftest protection check init=protection once"

run-bochs-short: ## self-tests and the protection suite from an ISO on Bochs, with two CPUs; installs Bochs
	@$(SETUP) bochs
	@$(MAKE) -s $(PROTECTION_ISO)
	@$(SUITE) tools/bochs_test.py short

run-bochs: ## the same; a session, contracts, the debug build, and a kernel without TLB shootdowns
	@$(SETUP) bochs
	@$(MAKE) -s iso ISO_WORDS=
	@$(MAKE) -s $(PROTECTION_ISO)
	@$(MAKE) -s $(PROTECTION_ISO) MODE=debug CC=gcc
	@$(MAKE) -s $(PROTECTION_ISO) MODE=release CC=gcc MUTANT=NO_SHOOTDOWN
	@$(MAKE) -s bochs-iso BOCHS_NAME=vm-contract BOCHS_WORDS="init=vm-contract once"
	@$(MAKE) -s bochs-iso BOCHS_NAME=spawn-contract BOCHS_WORDS="init=spawn-contract once"
	@$(SUITE) tools/bochs_test.py long
