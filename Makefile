# capOS. `make help` lists what can be asked for; the rules are in mk/.
#
# MODE=release|debug   debug: invariants asserted, undefined behaviour traps
# CC=gcc|clang         either compiler; each keeps a build directory of its own
# SECONDS=60 CPUS=4    how long and on how many CPUs, or CPUS=1,2 (make run-stress)
# T=NAME               one host test (make test-lib T=range) or fuzzer (make fuzz T=archive SECONDS=600)
# ARGS="--smp 4 ..."   options of tools/qemu.py (make run)
# V=1                  show the commands

MODE ?= release
ifeq ($(origin CC),default)
CC := gcc
endif

MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := build

include mk/flags.mk
include mk/kernel.mk
include mk/user.mk
include mk/package.mk
include mk/shim.mk
include mk/iso.mk
include mk/host.mk
include mk/install.mk
include mk/tools.mk
include mk/fuzz.mk
include mk/hostile.mk
include mk/faultinject.mk
include mk/processes.mk
include mk/mutants.mk
include mk/prove.mk
include mk/bochs.mk
include mk/coverage.mk
include mk/tsan.mk

SETUP := tools/setup.sh
SUITE := CAPOS_BUILD=$B

.PHONY: help build kernel run test test-lib test-install sanitize-lib fuzz fuzz-corpus check analyze other-builds run-smoke \
	run-vm run-mutant run-protection run-gdb run-iso iso bench gdb clean setup

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile mk/*.mk | expand -t 24

build: $(KERNEL) $(PACKAGE) $(USER_LIBRARY) $(LAYOUT_TOOL) ## kernel, programs, boot package, capos-layout (the default)

kernel: $(KERNEL) ## the kernel alone (MUTANT=NAME: with one fault built in)

run: ## build and boot in QEMU; the terminal is the console
	@$(SETUP) run
	@$(MAKE) -s build
	@tools/qemu.py --build $B $(ARGS)

test: ## every check and test, in order; ends with one line of counts
	@$(SETUP)
	@tools/test_all.py MODE=$(MODE) CC=$(CC)

test-lib: $(HOST_TESTS) ## host tests of lib/ and of the kernel's pure parts (T=NAME for one)
	@tools/test_lib.py --label test-lib $(HOST_TESTS)

sanitize-lib: ## the host tests under ASan and UBSan, and under valgrind
	@$(MAKE) -s host-tests HOST=host-asan
	@$(MAKE) -s host-tests HOST=host
	@tools/test_lib.py --label sanitize-lib $(HOST_TESTS:build/$(HOST)/%=build/host-asan/%) \
		--valgrind $(HOST_TESTS:build/$(HOST)/%=build/host/%)

fuzz: $(FUZZERS) ## search for inputs that break a parser of lib/ (T=NAME for one, SECONDS=60 each)
	@tools/fuzz.py --seconds $(SECONDS) $(FUZZERS)

fuzz-corpus: $(FUZZERS) ## the inputs of tests/fuzz/corpus once more
	@tools/fuzz.py $(FUZZERS)

check: ## format, floors, sizes, names, promises and their mutants, headers, warnings of both compilers, linters
	@tools/check.py

analyze: ## gcc -fanalyzer and the whole clang static analyser on all that runs in the guest
	@tools/analyze.py

other-builds:
	@$(MAKE) -s build MODE=debug CC=gcc
	@$(MAKE) -s build MODE=release CC=clang

test-install: ## the installed library, from a program outside the tree
	@tools/install_test.py

run-smoke: build other-builds ## the shell, programs and faults on many machines, and how they end
	@$(SUITE) tools/smoke.py shell

run-vm: build other-builds ## the self-checking programs of user/demos, by debug and clang builds too
	@$(SUITE) tools/smoke.py vm

run-mutant: build other-builds ## broken kernels that must be found out: no TLB shootdowns, stacks that overflow
	@$(MAKE) -s kernel MODE=release CC=gcc MUTANT=NO_SHOOTDOWN
	@$(SUITE) tools/smoke.py mutant

run-protection: build other-builds ## NX, WP, SMEP, SMAP, UMIP, U/S and the rest, from ring 0 and from ring 3, on 1 and 2 CPUs
	@$(SUITE) tools/protection.py

run-gdb: build ## the capos-* commands of gdb, on a guest that stands still in a program
	@$(SUITE) tools/gdb_test.py

run-iso: build iso $(SHIM_PACKAGE) ## the ISO through BIOS and UEFI; what `make iso LIMINE=DIR` makes
	@$(SUITE) tools/smoke.py iso

iso: $(ISO) ## BIOS and UEFI image, by GRUB and boot/shim (LIMINE=DIR: by a Limine of yours)

bench: build ## instruction counts of each operation beside the goals of bench/goals.json, which are no limits
	@$(MAKE) -s host-benches HOST=host-bench
	@$(SUITE) tools/bench.py $(HOST_BENCHES)

gdb: build ## QEMU stopped at the first instruction, gdb attached, capos-* commands loaded
	@tools/gdb.sh $B

setup: ## install the packages that are missing
	@$(SETUP)

clean: ## remove build/
	rm -rf build

# The value of a variable, for the tools: make -s print-KERNEL_FLAGS
print-%:
	@echo $($*)
