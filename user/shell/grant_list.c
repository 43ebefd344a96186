#include "user/shell/grant_list.h"

#include <stddef.h>

#include "lib/format.h"
#include "lib/string.h"
#include "user/shell/interface_text.h"

/* A word, or one of the characters that stand for themselves. */
struct token {
	const char *text;
	size_t length; /* 0: the end */
};

static bool is_blank(char character)
{
	return character == ' ' || character == '\t';
}

static bool is_sign(char character)
{
	return character == ',' || character == ':';
}

static struct token look(const char *text)
{
	size_t length = 0;

	while (is_blank(*text))
		text++;
	if (is_sign(*text))
		return (struct token){ text, 1 };
	while (text[length] != '\0' && !is_blank(text[length]) && !is_sign(text[length]))
		length++;
	return (struct token){ text, length };
}

static bool token_is(struct token token, const char *text)
{
	return string_equal_part(text, token.text, token.length);
}

static bool is_word(struct token token)
{
	return token.length != 0 && !is_sign(token.text[0]);
}

static struct token take(const char **text)
{
	struct token token = look(*text);

	*text = token.text + token.length;
	return token;
}

static bool refuse(struct grant_list *list, const char *why, struct token token)
{
	if (token.length == 0)
		(void)format(list->error, sizeof(list->error), "%s at the end", why);
	else
		(void)format(list->error, sizeof(list->error), "%s at `%.*s`", why, (int)token.length, token.text);
	return false;
}

static bool take_name(struct grant_list *list, const char **text, char name[CAPSET_NAME_BYTES])
{
	struct token token = take(text);

	if (!is_word(token) || token.text[0] == '@')
		return refuse(list, "a name is missing", token);
	if (token.length >= CAPSET_NAME_BYTES)
		return refuse(list, "the name is too long", token);
	return string_copy_part(name, CAPSET_NAME_BYTES, token.text, token.length);
}

static bool set_kind(struct grant_list *list, struct grant_wish *wish, enum process_grant_kind kind, struct token token)
{
	if (wish->has_kind)
		return refuse(list, "one of copy, move and own is enough", token);
	wish->has_kind = true;
	wish->kind = kind;
	return true;
}

/* One word behind SOURCE. */
static bool take_option(struct grant_list *list, const char **text, struct grant_wish *wish)
{
	struct token token = take(text);

	if (token_is(token, "copy"))
		return set_kind(list, wish, PROCESS_GRANT_COPY, token);
	if (token_is(token, "move"))
		return set_kind(list, wish, PROCESS_GRANT_MOVE, token);
	if (token_is(token, "own"))
		return set_kind(list, wish, PROCESS_GRANT_OWN, token);
	if (token_is(token, "read-only")) {
		wish->is_read_only = true;
		return true;
	}
	if (token.text[0] != '@')
		return refuse(list, "copy, move, own, read-only or @KIND expected", token);
	if (!interface_text_find(token.text + 1, token.length - 1, &wish->interface))
		return refuse(list, "no kind of that name", token);
	return true;
}

static bool take_wish(struct grant_list *list, const char **text, struct grant_wish *wish)
{
	*wish = (struct grant_wish){ .kind = PROCESS_GRANT_COPY, .interface = INTERFACE_NONE };
	if (!take_name(list, text, wish->source))
		return false;
	memcpy(wish->name, wish->source, sizeof(wish->name));
	if (token_is(look(*text), ":")) {
		(void)take(text);
		if (!take_name(list, text, wish->source))
			return false;
	}
	while (is_word(look(*text))) {
		if (!take_option(list, text, wish))
			return false;
	}
	if (wish->is_read_only && wish->kind != PROCESS_GRANT_COPY)
		return refuse(list, "read-only is a copy that can do less", look(*text));
	return true;
}

/* The words up to a comma or the end, of which the first is a key. */
static bool take_layout(struct grant_list *list, const char **text)
{
	struct manifest_word word[MANIFEST_LINE_WORDS];
	uint32_t words = 0;
	struct token last = look(*text);

	while (is_word(look(*text)) && words < MANIFEST_LINE_WORDS) {
		last = take(text);
		word[words++] = (struct manifest_word){ last.text, last.length };
	}
	const enum status status = manifest_layout_parse(word, words, &list->layout);

	if (status == STATUS_OK)
		return true;
	if (status == STATUS_MANIFEST_BAD_NAME)
		return refuse(list, "classic, classic-random or flexible expected", last);
	if (status == STATUS_MANIFEST_BAD_NUMBER)
		return refuse(list, "a number expected", last);
	if (status == STATUS_MANIFEST_DUPLICATE)
		return refuse(list, "a layout is said twice", last);
	return refuse(list, "a word too few or too many", last);
}

/* One more grant, in its place. */
static bool take_grant(struct grant_list *list, const char **text)
{
	struct grant_wish wish;

	if (!take_wish(list, text, &wish))
		return false;
	if (grant_list_has(list, wish.name))
		return refuse(list, "two grants of one name", look(*text));
	if (list->count == GRANT_LIST_MAX)
		return refuse(list, "too many grants", look(*text));
	list->wish[list->count++] = wish;
	return true;
}

bool grant_list_has(const struct grant_list *list, const char *name)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (string_equal(list->wish[i].name, name))
			return true;
	}
	return false;
}

bool grant_list_parse(struct grant_list *list, const char *text)
{
	list->count = 0;
	list->layout = (struct manifest_layout){ .kind = 0 };
	for (;;) {
		struct token token = look(text);

		if (manifest_layout_is_key((struct manifest_word){ token.text, token.length })) {
			if (!take_layout(list, &text))
				return false;
		} else if (!take_grant(list, &text)) {
			return false;
		}
		token = take(&text);
		if (token.length == 0)
			return true;
		if (!token_is(token, ","))
			return refuse(list, "a comma is missing", token);
	}
}
