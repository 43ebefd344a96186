#include "user/shell/launch_plan.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/status.h"
#include "lib/string.h"
#include "user/runtime/print.h"
#include "user/runtime/ring_client.h"
#include "user/shell/boot_manifest.h"
#include "user/shell/interface_text.h"
#include "user/shell/variable.h"

/* A word of the manifest as a string. */
struct name {
	char text[MANIFEST_NAME_BYTES];
};

static struct name name_of(struct manifest_word word)
{
	struct name name;

	(void)string_copy_part(name.text, sizeof(name.text), word.text, word.length);
	return name;
}

static char program_name[MANIFEST_NAME_BYTES]; /* of a plan that is made of a section */

void launch_plan_of_section(struct launch_plan *plan, const struct manifest_program *section)
{
	*plan = (struct launch_plan){ .is_background = true, .has_section = true, .section = *section };
	(void)string_copy(program_name, sizeof(program_name), name_of(section->name).text);
	plan->program = program_name;
}

/* What stands behind `with` at word `index`, without the & at the end. */
static bool read_with(struct launch_plan *plan, const struct words *words, uint32_t index)
{
	char text[LINE_BYTES];
	const char *from = words_rest(words, index + 1);
	size_t length = strlen(from);

	if (plan->is_background && length > 0)
		length--;
	(void)string_copy_part(text, sizeof(text), from, length);
	if (grant_list_parse(&plan->with, text))
		return true;
	print("%s: with: %s\n", words->word[0], plan->with.error);
	return false;
}

bool launch_plan_read(struct launch_plan *plan, const struct words *words)
{
	uint32_t end = words->count;

	*plan = (struct launch_plan){ .program = words->word[1] };
	if (end > 2 && string_equal(words->word[end - 1], "&")) {
		plan->is_background = true;
		end--;
	}
	plan->argument = &words->word[2];
	for (uint32_t i = 2; i < end; i++) {
		if (!string_equal(words->word[i], "with"))
			continue;
		if (!read_with(plan, words, i))
			return false;
		end = i;
	}
	plan->arguments = end - 2;
	plan->has_section = boot_manifest_find(plan->program, &plan->section) == STATUS_OK;
	return true;
}

bool launch_plan_reads(const struct launch_plan *plan)
{
	for (uint32_t i = 0; plan->has_section && i < plan->section.grants; i++) {
		if (manifest_line_word_is(plan->section.grant[i].name, "input"))
			return true;
	}
	return grant_list_has(&plan->with, "input");
}

bool launch_plan_moves(const struct launch_plan *plan)
{
	for (uint32_t i = 0; i < plan->with.count; i++) {
		if (plan->with.wish[i].kind == PROCESS_GRANT_MOVE)
			return true;
	}
	for (uint32_t i = 0; plan->has_section && i < plan->section.grants; i++) {
		if (plan->section.grant[i].kind == PROCESS_GRANT_MOVE)
			return true;
	}
	return false;
}

static bool refuse(const struct launch_plan *plan, const char *what, enum status status)
{
	print("%s: %s: %s\n", plan->program, what, status_name(status));
	return false;
}

static enum status add_strings(const struct launch_plan *plan, struct process_builder *builder)
{
	TRY(process_builder_argument(builder, plan->program));
	for (uint32_t i = 0; plan->has_section && i < plan->section.arguments; i++)
		TRY(process_builder_argument(builder, name_of(plan->section.argument[i]).text));
	for (uint32_t i = 0; i < plan->arguments; i++)
		TRY(process_builder_argument(builder, plan->argument[i]));
	for (uint32_t i = 0; plan->has_section && i < plan->section.environments; i++)
		TRY(process_builder_environment(builder, name_of(plan->section.environment[i]).text));
	return STATUS_OK;
}

static enum status add_limits(const struct launch_plan *plan, struct shell *shell, struct process_builder *builder)
{
	static const struct manifest_program nothing;
	const struct manifest_program *section = plan->has_section ? &plan->section : &nothing;
	struct memory_statistics statistics;

	TRY(virtual_memory_client_statistics(shell->memory, &statistics));
	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		const struct ledger_reading *own = &statistics.ledger[i];

		process_builder_limit(builder, (enum ledger_kind)i,
				      manifest_program_limit(section, (enum ledger_kind)i, own->limit - own->used));
	}
	if (plan->has_section)
		process_builder_priority(builder, section->priority);
	return STATUS_OK;
}

/* What `with` says of the layout counts alone; else the section. */
static void add_layout(const struct launch_plan *plan, struct process_builder *builder)
{
	const struct manifest_layout *layout = &plan->with.layout;

	if (!manifest_layout_is_given(layout) && plan->has_section)
		layout = &plan->section.layout;
	process_builder_layout(builder, (enum process_layout)layout->kind, layout->flags, layout->seed);
	process_builder_stack_limit(builder, layout->stack_limit);
}

/* What `own` makes of the name memory, threads or park. */
static enum interface_id owned_interface(const char *name)
{
	if (string_equal(name, "memory"))
		return INTERFACE_VIRTUAL_MEMORY;
	if (string_equal(name, "threads"))
		return INTERFACE_THREAD_CONTROL;
	return string_equal(name, "park") ? INTERFACE_PARK_SPACE : INTERFACE_NONE;
}

/* A hold of the same object that can only read; the program gets it moved. */
static bool add_read_only(const struct launch_plan *plan, const struct grant_wish *wish, const struct variable *source,
			  struct process_builder *builder)
{
	const struct memory_object_client object = { source->capability };
	struct memory_object_part part = { .flags = MEMORY_OBJECT_READ_ONLY };
	struct memory_object_client narrower;
	struct memory_object_info info;

	if (source->interface != INTERFACE_MEMORY_OBJECT) {
		print("%s: %s is a %s; only a MemoryObject can be read-only\n", plan->program, wish->source,
		      interface_text_name(source->interface));
		return false;
	}
	enum status status = memory_object_client_info(object, &info);

	if (status == STATUS_OK) {
		part.length = info.size;
		status = memory_object_client_restrict(object, &part, &narrower);
	}
	if (status != STATUS_OK)
		return refuse(plan, wish->source, status);
	status = process_builder_grant_move(builder, wish->name, narrower.handle);
	if (status == STATUS_OK)
		return true;
	(void)ring_client_release(narrower.handle);
	return refuse(plan, wish->name, status);
}

static bool add_wish(const struct launch_plan *plan, const struct grant_wish *wish, struct shell *shell,
		     struct process_builder *builder)
{
	struct variable source;
	enum status status;

	if (wish->kind == PROCESS_GRANT_OWN) {
		status = process_builder_grant_own(builder, wish->name, owned_interface(wish->source));
		if (status == STATUS_BAD_ARGUMENT)
			print("%s: own is for memory, threads and park, not %s\n", plan->program, wish->source);
		else if (status != STATUS_OK)
			(void)refuse(plan, wish->name, status);
		return status == STATUS_OK;
	}
	status = variable_find(wish->source, &source);
	if (status != STATUS_OK) {
		print("%s: the shell has no capability named %s; `caps` lists what it has\n", plan->program,
		      wish->source);
		return false;
	}
	if (wish->interface != INTERFACE_NONE && wish->interface != source.interface) {
		print("%s: %s is a %s, not a %s\n", plan->program, wish->source, interface_text_name(source.interface),
		      interface_text_name(wish->interface));
		return false;
	}
	if (wish->is_read_only)
		return add_read_only(plan, wish, &source, builder);
	if (wish->kind == PROCESS_GRANT_COPY) {
		status = process_builder_grant_copy(builder, wish->name, source.capability);
	} else if (source.capability == shell->console.handle) {
		print("%s: the shell does not part with the console; copy it\n", plan->program);
		return false;
	} else {
		status = process_builder_grant_move(builder, wish->name, source.capability);
	}
	return status == STATUS_OK ? true : refuse(plan, wish->name, status);
}

static bool add_section_grant(const struct launch_plan *plan, const struct manifest_grant *grant, struct shell *shell,
			      struct process_builder *builder)
{
	struct grant_wish wish = { .kind = grant->kind, .interface = INTERFACE_NONE };

	(void)string_copy(wish.name, sizeof(wish.name), name_of(grant->name).text);
	(void)string_copy(wish.source, sizeof(wish.source), name_of(grant->capability).text);
	if (grant_list_has(&plan->with, wish.name))
		return true;
	return add_wish(plan, &wish, shell, builder);
}

static bool add_grants(const struct launch_plan *plan, struct shell *shell, struct process_builder *builder)
{
	for (uint32_t i = 0; i < plan->with.count; i++) {
		if (!add_wish(plan, &plan->with.wish[i], shell, builder))
			return false;
	}
	for (uint32_t i = 0; plan->has_section && i < plan->section.grants; i++) {
		if (!add_section_grant(plan, &plan->section.grant[i], shell, builder))
			return false;
	}
	return true;
}

bool launch_plan_build(const struct launch_plan *plan, struct shell *shell, struct process_builder *builder)
{
	char name[PROCESS_NAME_BYTES];
	enum status status;

	(void)string_copy(name, sizeof(name), plan->program);
	status = process_builder_init(builder, name);
	if (status == STATUS_OK)
		status = process_builder_program(builder, plan->program);
	if (status != STATUS_OK)
		return refuse(plan, "its name", status);
	status = add_strings(plan, builder);
	if (status != STATUS_OK)
		return refuse(plan, "its arguments and environment", status);
	status = add_limits(plan, shell, builder);
	if (status != STATUS_OK)
		return refuse(plan, "its limits", status);
	add_layout(plan, builder);
	if (add_grants(plan, shell, builder))
		return true;
	launch_plan_settle(builder, false);
	return false;
}

void launch_plan_settle(const struct process_builder *builder, bool has_begun)
{
	for (uint32_t i = 0; i < builder->request.grant_count; i++) {
		const struct process_grant *grant = &builder->grant[i];

		if (grant->kind != PROCESS_GRANT_MOVE)
			continue;
		if (has_begun)
			variable_forget(grant->capability);
		else if (variable_name(grant->capability)[0] == '\0')
			(void)ring_client_release(grant->capability); /* narrower, made for this program alone */
	}
}
