#include "user/shell/line_history.h"

#include "lib/check.h"
#include "lib/string.h"

uint32_t line_history_count(const struct line_history *history)
{
	return history->added < LINE_HISTORY_LINES ? history->added : LINE_HISTORY_LINES;
}

const char *line_history_get(const struct line_history *history, uint32_t back)
{
	CHECK(back >= 1 && back <= line_history_count(history));
	return history->line[(history->added - back) % LINE_HISTORY_LINES];
}

void line_history_add(struct line_history *history, const char *line)
{
	if (line[0] == '\0')
		return;
	if (history->added > 0 && string_equal(line_history_get(history, 1), line))
		return;
	(void)string_copy(history->line[history->added % LINE_HISTORY_LINES], LINE_BYTES, line);
	history->added++;
}
