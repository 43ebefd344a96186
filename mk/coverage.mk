# Which lines and branches the tests reach: tools/coverage.py.

.PHONY: coverage
coverage: ## lines and branches that tests reach, as a table and as build/coverage/html (ONLY=lib or ONLY=kernel)
	@tools/setup.sh
	@tools/setup.sh coverage
	@tools/coverage.py $(ONLY)
