/*
 * capos-layout: where the parts of a process lie, as text or as a figure (docs/man/capos-layout.1).
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "lib/layout.h"
#include "lib/status.h"
#include "tools/layout/layout_reader.h"
#include "tools/layout/layout_svg.h"
#include "tools/layout/layout_text.h"

#define EXIT_USAGE 2
#define MOST_READ 8u /* layouts of one file */

enum form {
	FORM_TEXT,
	FORM_VALUES,
	FORM_SVG
};

struct options {
	const struct layout_profile *profile;
	struct layout_request request;
	bool has_kind;
	bool has_image_start;
	enum form form;
	const char *from; /* a file with layouts, "-": standard input; NULL: none */
};

static const char usage[] =
	"usage: capos-layout [OPTION]...\n"
	"Print where the parts of a process lie in its address space.\n"
	"\n"
	"  -p, --profile NAME   amd64 (default), ia32 or ultrasparc\n"
	"  -k, --kind KIND      classic, classic-random or flexible; default: all (figure: classic and flexible)\n"
	"  -r, --seed NUMBER    with the random offsets of this seed; default: without offsets\n"
	"  -s, --stack SIZE     stack limit, such as 8M (default), or unlimited\n"
	"  -g, --guard SIZE     guard gap below the stack, such as 1M (default)\n"
	"  -i, --image SIZE     size of text, data and bss (default 1M)\n"
	"  -t, --text ADDRESS   where they start (default: the profile's text)\n"
	"  -m, --movable        position-independent: a random offset for the image too\n"
	"  -o, --heap-offset    a random offset for the heap too\n"
	"  -f, --from FILE      the layouts that FILE has as --values or the shell's `layout PID values`; -: input\n"
	"      --svg            a figure instead of text\n"
	"      --values         a line a part, for programs\n"
	"      --profiles       what each architecture fixes\n"
	"  -h, --help           this text\n"
	"\n"
	"Sizes end in K, M, G or T, or are bytes. Exit status: 0, 1 if no such layout exists, 2 if an option is "
	"wrong.\n";

_Noreturn void check_failed(const char *expression, const char *file, int line)
{
	(void)fprintf(stderr, "%s:%d: check failed: %s\n", file, line, expression);
	abort();
}

_Noreturn static void refuse(const char *what, const char *value)
{
	(void)fprintf(stderr, "capos-layout: %s: %s\nTry 'capos-layout --help'.\n", what, value);
	exit(EXIT_USAGE);
}

/* A whole number; `unit` may follow, and is at the text's end then. */
static uint64_t parse_number(const char *what, const char *text, bool has_unit)
{
	static const char units[] = "KMGT";
	const char *unit;
	uint64_t value;
	char *rest;

	errno = 0;
	value = strtoull(text, &rest, 0);
	if (rest == text || errno != 0 || *text == '-')
		refuse(what, text);
	if (*rest == '\0')
		return value;
	unit = has_unit ? strchr(units, *rest) : NULL;
	if (unit == NULL || rest[1] != '\0')
		refuse(what, text);
	for (const char *at = units; at <= unit; at++) {
		if (value > UINT64_MAX / 1024)
			refuse(what, text);
		value *= 1024;
	}
	return value;
}

static const struct layout_profile *parse_profile(const char *name)
{
	const struct layout_profile *profile = layout_reader_profile(name);

	if (profile == NULL)
		refuse("no such profile", name);
	return profile;
}

static enum layout_kind parse_kind(const char *name)
{
	enum layout_kind kind;

	if (!layout_reader_kind(name, &kind))
		refuse("no such kind", name);
	return kind;
}

static void take_option(struct options *options, int option, const char *value)
{
	struct layout_request *request = &options->request;

	switch (option) {
	case 'p':
		options->profile = parse_profile(value);
		break;
	case 'k':
		request->kind = parse_kind(value);
		options->has_kind = true;
		break;
	case 'r':
		request->is_random = true;
		request->random = layout_draw_seeded(parse_number("seed", value, false));
		break;
	case 's':
		request->stack_limit =
			strcmp(value, "unlimited") == 0 ? UINT64_MAX : parse_number("stack", value, true);
		break;
	case 'g':
		request->guard_bytes = parse_number("guard", value, true);
		break;
	case 'i':
		request->image_bytes = parse_number("image", value, true);
		break;
	case 't':
		request->image_start = parse_number("text", value, true);
		options->has_image_start = true;
		break;
	case 'm':
		request->image_is_movable = true;
		break;
	case 'o':
		request->has_heap_offset = true;
		break;
	case 'f':
		options->from = value;
		break;
	case 'F':
		options->form = FORM_SVG;
		break;
	case 'V':
		options->form = FORM_VALUES;
		break;
	case 'P':
		layout_text_profiles(stdout);
		exit(0);
	case 'h':
		(void)fputs(usage, stdout);
		exit(0);
	default:
		(void)fputs("Try 'capos-layout --help'.\n", stderr);
		exit(EXIT_USAGE);
	}
}

static void take_options(struct options *options, int count, char **words)
{
	static const struct option longer[] = {
		{ "profile", required_argument, NULL, 'p' },
		{ "kind", required_argument, NULL, 'k' },
		{ "seed", required_argument, NULL, 'r' },
		{ "stack", required_argument, NULL, 's' },
		{ "guard", required_argument, NULL, 'g' },
		{ "image", required_argument, NULL, 'i' },
		{ "text", required_argument, NULL, 't' },
		{ "movable", no_argument, NULL, 'm' },
		{ "heap-offset", no_argument, NULL, 'o' },
		{ "from", required_argument, NULL, 'f' },
		{ "svg", no_argument, NULL, 'F' },
		{ "values", no_argument, NULL, 'V' },
		{ "profiles", no_argument, NULL, 'P' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	options->profile = layout_profile_of(LAYOUT_AMD64);
	options->request = layout_request_of(options->profile);
	options->request.is_random = false;
	options->request.image_bytes = UINT64_C(1) << 20;
	while ((option = getopt_long(count, words, "p:k:r:s:g:i:t:f:moh", longer, NULL)) != -1)
		take_option(options, option, optarg);
	if (optind < count)
		refuse("not an option", words[optind]);
	if (!options->has_image_start)
		options->request.image_start = options->profile->text;
	options->request.image_align = options->profile->page_size;
}

static struct layout make(const struct options *options, enum layout_kind kind)
{
	struct layout_request request = options->request;
	struct layout layout;
	enum status status;

	request.kind = kind;
	status = layout_make(options->profile, &request, &layout);
	if (status != STATUS_OK) {
		(void)fprintf(stderr, "capos-layout: %s, %s: %s\n", options->profile->name, layout_kind_name(kind),
			      status_name(status));
		exit(1);
	}
	return layout;
}

static void print_figure(const struct options *options)
{
	struct layout layouts[2];
	uint32_t count = 0;

	if (!options->has_kind)
		layouts[count++] = make(options, LAYOUT_CLASSIC);
	layouts[count++] = make(options, options->has_kind ? options->request.kind : LAYOUT_FLEXIBLE);
	layout_svg_print(stdout, options->profile, layouts, count);
}

static void print_layout(enum form form, const struct layout_profile *profile, const struct layout *layout)
{
	if (form == FORM_VALUES)
		layout_text_values(stdout, profile, layout);
	else
		layout_text_print(stdout, profile, layout);
}

static void print_texts(const struct options *options)
{
	bool is_first = true;

	for (unsigned int i = 0; i < LAYOUT_KINDS; i++) {
		struct layout layout;

		if (options->has_kind && options->request.kind != (enum layout_kind)i)
			continue;
		if (!is_first)
			(void)putchar('\n');
		is_first = false;
		layout = make(options, (enum layout_kind)i);
		print_layout(options->form, options->profile, &layout);
	}
}

_Noreturn static void refuse_file(const char *name, uint64_t line, const char *why)
{
	(void)fprintf(stderr, "capos-layout: %s:%" PRIu64 ": %s\n", name, line, why);
	exit(1);
}

/* All of a file, which are of one profile. Returns how many. */
static uint32_t read_layouts(const char *name, const struct layout_profile **profile, struct layout *layouts)
{
	struct layout_reader reader = { .in = strcmp(name, "-") == 0 ? stdin : fopen(name, "r") };
	uint32_t count = 0;

	if (reader.in == NULL)
		refuse_file(name, 0, strerror(errno));
	for (;;) {
		const struct layout_profile *found = NULL;
		struct layout layout;

		switch (layout_reader_next(&reader, &found, &layout)) {
		case LAYOUT_READER_OK:
			break;
		case LAYOUT_READER_END:
			if (reader.in != stdin)
				(void)fclose(reader.in);
			if (count == 0)
				refuse_file(name, reader.line, "no layout");
			return count;
		case LAYOUT_READER_LINE:
			refuse_file(name, reader.line, "not what --values prints here");
		case LAYOUT_READER_BAD:
			refuse_file(name, reader.line, "ends what is no layout of this profile");
		}
		if (count == MOST_READ || (count != 0 && found != *profile))
			refuse_file(name, reader.line, "too many layouts, or of different profiles");
		*profile = found;
		layouts[count++] = layout;
	}
}

static void print_file(const struct options *options)
{
	const struct layout_profile *profile = NULL;
	struct layout layouts[MOST_READ];
	uint32_t count = read_layouts(options->from, &profile, layouts);

	if (options->form == FORM_SVG) {
		layout_svg_print(stdout, profile, layouts, count);
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (i != 0)
			(void)putchar('\n');
		print_layout(options->form, profile, &layouts[i]);
	}
}

int main(int argc, char **argv)
{
	struct options options = { .form = FORM_TEXT };

	take_options(&options, argc, argv);
	if (options.from != NULL)
		print_file(&options);
	else if (options.form == FORM_SVG)
		print_figure(&options);
	else
		print_texts(&options);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("capos-layout");
		return 1;
	}
	return 0;
}
