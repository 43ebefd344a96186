# Data races: host tests that start threads, under ThreadSanitizer (HOST=host-tsan), by tools/tsan.py, which also builds
# races in and wants them found.

TSAN_TESTS := $(patsubst tests/host/%.c,build/host-tsan/%,$(shell grep -l pthread_create tests/host/test_*.c))

.PHONY: tsan-lib
tsan-lib: ## host tests with threads under ThreadSanitizer, and with races built in, which it must find
	@$(MAKE) -s $(TSAN_TESTS) HOST=host-tsan
	@tools/tsan.py $(TSAN_TESTS)
