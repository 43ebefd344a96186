# Memory that runs out on purpose: a kernel of its own (FAULTS=1) and the programs of the build at hand.
# FORM=short is what `make test` has, FORM=7 each seventh; SETS="memory boot" are these alone.

FORM ?= whole
SETS ?=

.PHONY: run-faultinject
run-faultinject: build ## each want of memory in the kernel refused, one by one, in every program and at boot (FORM=short)
	@$(MAKE) -s kernel FAULTS=1
	@$(SUITE) CAPOS_FAULTS_BUILD=$B-faults tools/faultinject.py $(FORM) $(SETS)
