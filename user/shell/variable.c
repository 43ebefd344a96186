#include "user/shell/variable.h"

#include <stddef.h>

#include "abi/memory_layout.h"
#include "lib/check.h"
#include "lib/status.h"
#include "lib/string.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/print.h"
#include "user/runtime/ring_client.h"

static struct variable variables[VARIABLES_MAX];

static bool refuse(const struct words *words, enum status status)
{
	print("%s: %s\n", words->word[0], status_name(status));
	return false;
}

static struct variable *find_own(const char *name)
{
	for (uint32_t i = 0; i < VARIABLES_MAX; i++) {
		if (variables[i].name[0] != '\0' && string_equal(variables[i].name, name))
			return &variables[i];
	}
	return NULL;
}

/* In the CapSet, whatever its interface. */
static enum status find_given(const char *name, struct variable *found)
{
	for (uint32_t i = INTERFACE_NONE + 1; i < INTERFACE_COUNT; i++) {
		enum status status = capset_client_find(name, (enum interface_id)i, &found->capability);

		if (status == STATUS_WRONG_INTERFACE)
			continue;
		TRY(status);
		found->interface = (enum interface_id)i;
		return string_copy(found->name, sizeof(found->name), name) ? STATUS_OK : STATUS_NOT_FOUND;
	}
	return STATUS_NOT_FOUND;
}

enum status variable_find(const char *name, struct variable *found)
{
	const struct variable *own = find_own(name);

	if (own == NULL)
		return find_given(name, found);
	*found = *own;
	return STATUS_OK;
}

const char *variable_name(handle_t capability)
{
	const struct capset_page *capset = (const struct capset_page *)CAPSET_ADDRESS;

	for (uint32_t i = 0; i < VARIABLES_MAX; i++) {
		if (variables[i].name[0] != '\0' && variables[i].capability == capability)
			return variables[i].name;
	}
	for (uint32_t i = 0; i < capset->count && i < CAPSET_MAX; i++) {
		if (capset->entry[i].capability == capability)
			return capset->entry[i].name;
	}
	return "";
}

void variable_forget(handle_t capability)
{
	for (uint32_t i = 0; i < VARIABLES_MAX; i++) {
		if (variables[i].capability == capability)
			variables[i] = (struct variable){ .name = "" };
	}
}

/* A free place for a name that means nothing yet; says what is wrong with it. */
static struct variable *begin(const struct words *words)
{
	const char *name = words->word[1];
	struct variable given;

	if (strlen(name) >= CAPSET_NAME_BYTES) {
		print("%s: a name has at most %u letters\n", words->word[0], CAPSET_NAME_BYTES - 1);
		return NULL;
	}
	for (const char *letter = name; *letter != '\0'; letter++) {
		if (*letter == ':' || *letter == ',' || *letter == '@') {
			print("%s: a name has no : , or @, which `with` uses\n", words->word[0]);
			return NULL;
		}
	}
	if (variable_find(name, &given) != STATUS_NOT_FOUND) {
		print("%s: there is a %s already\n", words->word[0], name);
		return NULL;
	}
	for (uint32_t i = 0; i < VARIABLES_MAX; i++) {
		if (variables[i].name[0] == '\0')
			return &variables[i];
	}
	print("%s: more than %u names; `drop` one\n", words->word[0], VARIABLES_MAX);
	return NULL;
}

static bool add(struct variable *place, const char *name, handle_t capability, enum interface_id interface)
{
	(void)string_copy(place->name, sizeof(place->name), name);
	place->capability = capability;
	place->interface = interface;
	return true;
}

bool variable_alloc(struct shell *shell, const struct words *words)
{
	struct variable *place = begin(words);
	struct memory_object_client object;
	uint64_t pages;

	if (place == NULL)
		return false;
	if (!words_number(words->word[2], &pages)) {
		print("alloc: PAGES is a number, not %s\n", words->word[2]);
		return false;
	}
	enum status status = frame_allocator_client_allocate(shell->frames, pages, 0, &object);

	if (status != STATUS_OK)
		return refuse(words, status);
	return add(place, words->word[1], object.handle, INTERFACE_MEMORY_OBJECT);
}

bool variable_endpoint(struct shell *shell, const struct words *words)
{
	struct variable *place = begin(words);
	struct endpoint_client endpoint;

	if (place == NULL)
		return false;
	enum status status = endpoint_client_create(shell->endpoints, &endpoint);

	if (status != STATUS_OK)
		return refuse(words, status);
	return add(place, words->word[1], endpoint.handle, INTERFACE_ENDPOINT);
}

bool variable_client(struct shell *shell, const struct words *words)
{
	struct variable *place = begin(words);
	struct endpoint_facet facet;
	struct variable owner;
	uint64_t badge = 0;

	(void)shell;
	if (place == NULL)
		return false;
	if (variable_find(words->word[2], &owner) != STATUS_OK || owner.interface != INTERFACE_ENDPOINT) {
		print("client: %s is no endpoint of this shell\n", words->word[2]);
		return false;
	}
	if (words->count > 3 && !words_number(words->word[3], &badge)) {
		print("client: BADGE is a number, not %s\n", words->word[3]);
		return false;
	}
	enum status status =
		endpoint_client_make_client((struct endpoint_client){ owner.capability }, badge, true, &facet);

	if (status != STATUS_OK)
		return refuse(words, status);
	return add(place, words->word[1], facet.handle, INTERFACE_ENDPOINT_CLIENT);
}

bool variable_drop(struct shell *shell, const struct words *words)
{
	const struct variable *own = find_own(words->word[1]);

	(void)shell;
	if (own == NULL) {
		print("drop: no %s was made by this shell; `caps` lists what it has\n", words->word[1]);
		return false;
	}
	handle_t capability = own->capability;

	variable_forget(capability);
	enum status status = ring_client_release(capability);

	return status == STATUS_OK ? true : refuse(words, status);
}
