#include "user/demos/spawn-contract/spawn_refusals.h"

#include "lib/check.h"
#include "lib/string.h"
#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

/* What a change of a good request is made on. */
struct wrong {
	struct process_builder builder;
	struct process_spawn_request request; /* with its addresses filled in */
	struct process_grant *last;           /* grant, of the console */
	uint64_t bytes;
};

struct refusal {
	const char *why;
	enum status wanted;
	void (*change)(struct wrong *wrong);
};

static struct wrong wrong;
static const struct refusal *current;
static struct memory_object_client object, part;

/* ---- the request ---- */

static void short_request(struct wrong *it)
{
	it->bytes--;
}

static void no_name(struct wrong *it)
{
	it->request.name[0] = 0;
}

static void endless_name(struct wrong *it)
{
	memset(it->request.name, 'x', sizeof(it->request.name));
}

static void endless_program(struct wrong *it)
{
	memset(it->request.program, 'x', sizeof(it->request.program));
}

static void no_such_program(struct wrong *it)
{
	it->request.program[0] = 'X';
}

static void unknown_source(struct wrong *it)
{
	it->request.source = 2;
}

static void priority_too_high(struct wrong *it)
{
	it->request.priority = 8;
}

static void too_many_string_bytes(struct wrong *it)
{
	it->request.argument_bytes = PROCESS_MAX_STRING_BYTES + 1;
}

static void string_bytes_that_wrap(struct wrong *it)
{
	it->request.argument_bytes = UINT32_MAX;
	it->request.environment_bytes = 2;
}

static void more_strings_than_bytes(struct wrong *it)
{
	it->request.argument_count += 1;
}

static void fewer_strings_than_bytes(struct wrong *it)
{
	it->request.argument_count -= 1;
}

static void unterminated_string(struct wrong *it)
{
	it->request.argument_bytes -= 1;
}

static void arguments_in_the_kernel(struct wrong *it)
{
	it->request.arguments = UINT64_C(0xffff800000000000);
}

static void arguments_nowhere(struct wrong *it)
{
	it->request.arguments = 0x20000000;
}

static void environment_nowhere(struct wrong *it)
{
	it->request.environment_bytes = 2;
	it->request.environment_count = 1;
	it->request.environment = 0x20000000;
}

static void grants_nowhere(struct wrong *it)
{
	it->request.grants = 0x20000000;
}

static void too_many_grants(struct wrong *it)
{
	it->request.grant_count = 64;
}

/* ---- the grants ---- */

static void grant_without_kind(struct wrong *it)
{
	it->last->kind = 0;
}

static void grant_of_unknown_kind(struct wrong *it)
{
	it->last->kind = PROCESS_GRANT_OWN + 1;
}

static void grant_with_interface(struct wrong *it)
{
	it->last->interface = INTERFACE_CONSOLE;
}

static void grant_with_unused(struct wrong *it)
{
	it->last->unused = 1;
}

static void own_console(struct wrong *it)
{
	it->last->kind = PROCESS_GRANT_OWN;
	it->last->interface = INTERFACE_CONSOLE;
}

static void own_spawner(struct wrong *it)
{
	it->last->kind = PROCESS_GRANT_OWN;
	it->last->interface = INTERFACE_PROCESS_SPAWNER;
}

static void grant_without_name(struct wrong *it)
{
	it->last->name[0] = 0;
}

static void grant_of_endless_name(struct wrong *it)
{
	memset(it->last->name, 'x', sizeof(it->last->name));
}

static void two_of_one_name(struct wrong *it)
{
	(void)string_copy(it->last->name, sizeof(it->last->name), "timer");
}

static void grant_of_nothing(struct wrong *it)
{
	it->last->capability = HANDLE_NONE;
}

static void grant_of_a_forged_id(struct wrong *it)
{
	it->last->capability += 1u << HANDLE_GENERATION_SHIFT;
}

static void copy_of_virtual_memory(struct wrong *it)
{
	it->last->capability = trial.memory.handle;
}

static void move_of_virtual_memory(struct wrong *it)
{
	it->last->capability = trial.memory.handle;
	it->last->kind = PROCESS_GRANT_MOVE;
}

static void copy_of_threads(struct wrong *it)
{
	it->last->capability = trial.threads.handle;
}

static void copy_of_park(struct wrong *it)
{
	it->last->capability = trial.park.handle;
}

static void moved_twice(struct wrong *it)
{
	it->last[0].kind = PROCESS_GRANT_MOVE;
	it->last[0].capability = object.handle;
	it->last[1] = it->last[0];
	it->last[1].name[0] = 'y';
	it->request.grant_count++;
}

/* ---- the image ---- */

static void from_object(struct wrong *it, handle_t image, uint64_t bytes)
{
	it->request.source = PROCESS_FROM_OBJECT;
	it->request.image = image;
	it->request.image_bytes = bytes;
}

static void image_of_nothing(struct wrong *it)
{
	from_object(it, HANDLE_NONE, 100);
}

static void image_of_another_interface(struct wrong *it)
{
	from_object(it, trial.console.handle, 100);
}

static void image_beyond_its_object(struct wrong *it)
{
	from_object(it, object.handle, PAGE_SIZE + 1);
}

static void image_of_a_part(struct wrong *it)
{
	from_object(it, part.handle, 100);
}

static void image_of_zeros(struct wrong *it)
{
	from_object(it, object.handle, PAGE_SIZE);
}

static void image_of_no_bytes(struct wrong *it)
{
	from_object(it, object.handle, 0);
}

static const struct refusal refusals[] = {
	{ "request of another size", STATUS_BAD_ARGUMENT, short_request },
	{ "no name", STATUS_BAD_ARGUMENT, no_name },
	{ "endless name", STATUS_BAD_ARGUMENT, endless_name },
	{ "endless program", STATUS_BAD_ARGUMENT, endless_program },
	{ "no such program", STATUS_NOT_FOUND, no_such_program },
	{ "unknown source", STATUS_BAD_ARGUMENT, unknown_source },
	{ "priority too high", STATUS_BAD_ARGUMENT, priority_too_high },
	{ "too many string bytes", STATUS_TOO_LONG, too_many_string_bytes },
	{ "string bytes that wrap", STATUS_TOO_LONG, string_bytes_that_wrap },
	{ "more strings than bytes", STATUS_BAD_ARGUMENT, more_strings_than_bytes },
	{ "fewer strings than bytes", STATUS_BAD_ARGUMENT, fewer_strings_than_bytes },
	{ "unterminated string", STATUS_BAD_ARGUMENT, unterminated_string },
	{ "arguments in the kernel", STATUS_NOT_USER_ADDRESS, arguments_in_the_kernel },
	{ "arguments nowhere", STATUS_BUFFER_FAULT, arguments_nowhere },
	{ "environment nowhere", STATUS_BUFFER_FAULT, environment_nowhere },
	{ "grants nowhere", STATUS_BUFFER_FAULT, grants_nowhere },
	{ "too many grants", STATUS_TOO_LONG, too_many_grants },
	{ "grant without kind", STATUS_BAD_ARGUMENT, grant_without_kind },
	{ "grant of unknown kind", STATUS_BAD_ARGUMENT, grant_of_unknown_kind },
	{ "grant with interface", STATUS_BAD_ARGUMENT, grant_with_interface },
	{ "grant with unused", STATUS_BAD_ARGUMENT, grant_with_unused },
	{ "own console", STATUS_BAD_ARGUMENT, own_console },
	{ "own spawner", STATUS_BAD_ARGUMENT, own_spawner },
	{ "grant without name", STATUS_BAD_ARGUMENT, grant_without_name },
	{ "grant of endless name", STATUS_BAD_ARGUMENT, grant_of_endless_name },
	{ "two of one name", STATUS_BAD_ARGUMENT, two_of_one_name },
	{ "grant of nothing", STATUS_NO_SUCH_CAPABILITY, grant_of_nothing },
	{ "grant of a forged id", STATUS_NO_SUCH_CAPABILITY, grant_of_a_forged_id },
	{ "copy of VirtualMemory", STATUS_NOT_TRANSFERABLE, copy_of_virtual_memory },
	{ "move of VirtualMemory", STATUS_NOT_TRANSFERABLE, move_of_virtual_memory },
	{ "copy of ThreadControl", STATUS_NOT_TRANSFERABLE, copy_of_threads },
	{ "copy of ParkSpace", STATUS_NOT_TRANSFERABLE, copy_of_park },
	{ "one moved twice", STATUS_NO_SUCH_CAPABILITY, moved_twice },
	{ "image of nothing", STATUS_NO_SUCH_CAPABILITY, image_of_nothing },
	{ "image of another interface", STATUS_WRONG_INTERFACE, image_of_another_interface },
	{ "image beyond its object", STATUS_BEYOND_OBJECT, image_beyond_its_object },
	{ "image of a part", STATUS_NOT_PERMITTED, image_of_a_part },
	{ "image of zeros", STATUS_ELF_BAD_MAGIC, image_of_zeros },
	{ "image of no bytes", STATUS_ELF_TRUNCATED, image_of_no_bytes },
};

static void refuse_current(void)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = PROCESS_SPAWNER_SPAWN,
					   .capability = trial.spawner.handle };
	struct ring_completion completion = { 0 };
	struct memory_object_info info;

	trial_child_build(&wrong.builder, "exit");
	wrong.last = &wrong.builder.grant[wrong.builder.request.grant_count];
	trial_child_copy(&wrong.builder, "x", trial.console.handle);
	wrong.request = process_builder_request(&wrong.builder);
	wrong.bytes = sizeof(wrong.request);
	current->change(&wrong);
	request.argument[0] = (uint64_t)&wrong.request;
	request.argument[1] = wrong.bytes;
	EXPECT_STATUS(ring_client_call(&request, &completion), current->wanted);
	EXPECT_EQUAL(completion.capability, HANDLE_NONE);
	EXPECT_OK(memory_object_client_info(object, &info)); /* not even a refused move takes it */
}

static void request_itself_nowhere(void)
{
	static const struct {
		uint64_t address;
		enum status wanted;
	} places[] = {
		{ 0x20000000, STATUS_BUFFER_FAULT },
		{ UINT64_C(0xffff800000000000), STATUS_NOT_USER_ADDRESS },
		{ UINT64_C(0x0000800000000000), STATUS_NOT_USER_ADDRESS },
		{ UINT64_MAX - 7, STATUS_RANGE_WRAPS },
	};

	for (uint32_t i = 0; i < COUNT_OF(places); i++) {
		const struct ring_submission request = { .opcode = RING_CALL,
							 .capability = trial.spawner.handle,
							 .argument = { places[i].address,
								       sizeof(struct process_spawn_request) } };

		EXPECT_STATUS(ring_client_call_plain(&request), places[i].wanted);
	}
}

void spawn_refusals_check(void)
{
	const struct memory_object_part first = { .length = PAGE_SIZE };

	CHECK(trial_object(1, &object) == STATUS_OK);
	CHECK(memory_object_client_restrict(object, &first, &part) == STATUS_OK);
	for (uint32_t i = 0; i < COUNT_OF(refusals); i++) {
		current = &refusals[i];
		trial_check_one("refuse spawn: ", current->why, refuse_current);
	}
	trial_check_one("refuse spawn: ", "request nowhere", request_itself_nowhere);
	CHECK(ring_client_release(part.handle) == STATUS_OK);
	CHECK(ring_client_release(object.handle) == STATUS_OK);
}
