#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/status.h"

/* abi/status.h, found from the path that this file was compiled by. */
static FILE *open_status_header(void)
{
	static const char own[] = "tests/host/test_status.c";
	const size_t root = sizeof(__FILE__) - sizeof(own); /* characters before our own path in the tree */
	char path[1024];

	(void)snprintf(path, sizeof(path), "%.*sabi/status.h", (int)root, __FILE__);
	return fopen(path, "r");
}

/* Each enumerator of the header has its own text: its name in lower case, with blanks. No other number has one. */
static void test_names_follow_header(void **state)
{
	FILE *header = open_status_header();
	bool known[1024] = { false };
	unsigned int count = 0;
	char line[512];

	(void)state;
	assert_non_null(header);
	while (fgets(line, sizeof(line), header) != NULL) {
		char name[128];
		unsigned int number = 0;

		if (sscanf(line, " STATUS_%127[A-Z0-9_] = %u", name, &number) != 2)
			continue;
		for (char *at = name; *at != '\0'; at++)
			*at = *at == '_' ? ' ' : (char)tolower((unsigned char)*at);
		assert_true(number < 1024);
		assert_string_equal(status_name((enum status)number), name);
		known[number] = true;
		count++;
	}
	(void)fclose(header);
	assert_true(count > 80);
	for (unsigned int number = 0; number < 1024; number++) {
		if (!known[number])
			assert_string_equal(status_name((enum status)number), "unknown status");
	}
	assert_string_equal(status_name((enum status)UINT32_MAX), "unknown status");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_names_follow_header) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
