# Proofs of lib/ and of the protocols that the kernel keeps: proofs/, docs/assurance.md. ONLY=WORD picks properties.

ONLY ?=

.PHONY: prove-lib prove-mutants
prove-lib: ## prove lib/ (Frama-C/WP, CBMC) and the kernel's protocols (spin); installs the provers (ONLY=WORD)
	@tools/prove.py --only "$(ONLY)"

prove-mutants: ## break what is proved in many ways: each must fail its proof (ONLY=WORD)
	@tools/prove_mutants.py --only "$(ONLY)"
