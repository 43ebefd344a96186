#include "boot/shim/kernel_image.h"

#include <elf.h>
#include <stddef.h>

#include "boot/shim/placement.h"
#include "boot/shim/report.h"
#include "lib/string.h"

#define MAX_ALIGNMENT (UINT64_C(1) << 30)

static uint64_t page_down(uint64_t address)
{
	return address & ~(uint64_t)(PAGE_SIZE - 1);
}

static uint64_t last_page(const struct kernel_segment *segment)
{
	return page_down(segment->address + segment->memory_bytes - 1);
}

static void check_header(const Elf64_Ehdr *header, uint64_t size)
{
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		report_refuse("the kernel is not an ELF file");
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
	    header->e_machine != EM_X86_64)
		report_refuse("the kernel is not an ELF file for x86-64");
	if (header->e_type != ET_EXEC)
		report_refuse("the kernel is not a fixed executable (ET_EXEC)");
	if (header->e_phentsize != sizeof(Elf64_Phdr))
		report_refuse("the kernel's program headers have a wrong size");
	if (header->e_phoff > size || header->e_phnum > (size - header->e_phoff) / sizeof(Elf64_Phdr))
		report_refuse("the kernel's program headers lie outside the file");
}

static void check_load(const Elf64_Phdr *load, uint64_t size)
{
	if (load->p_vaddr < KERNEL_IMAGE_LOWEST)
		report_refuse("a PT_LOAD of the kernel lies below 0xffffffff80000000");
	if (load->p_memsz > -load->p_vaddr || page_down(load->p_vaddr + load->p_memsz - 1) == page_down(UINT64_MAX))
		report_refuse("a PT_LOAD of the kernel reaches the end of the address space");
	if (load->p_filesz > load->p_memsz)
		report_refuse("a PT_LOAD of the kernel has more bytes in the file than in memory");
	if (load->p_offset > size || load->p_filesz > size - load->p_offset)
		report_refuse("a PT_LOAD of the kernel lies outside the file");
	if (load->p_align > MAX_ALIGNMENT || (load->p_align & (load->p_align - 1)) != 0)
		report_refuse("a PT_LOAD of the kernel has a bad alignment");
	if (load->p_align > 1 && ((load->p_vaddr - load->p_offset) & (load->p_align - 1)) != 0)
		report_refuse("a PT_LOAD of the kernel is not aligned as it says");
}

static void add_load(struct kernel_image *image, const Elf64_Phdr *load)
{
	if (image->segments == KERNEL_IMAGE_MAX_SEGMENTS)
		report_refuse("the kernel has too many PT_LOADs");
	struct kernel_segment *segment = &image->segment[image->segments];
	*segment = (struct kernel_segment){
		.address = load->p_vaddr,
		.memory_bytes = load->p_memsz,
		.file_offset = load->p_offset,
		.file_bytes = load->p_filesz,
		.writable = (load->p_flags & PF_W) != 0,
		.executable = (load->p_flags & PF_X) != 0,
	};
	/* ELF wants ascending order, so one comparison with the segment before finds every overlap. */
	if (image->segments > 0 && page_down(segment->address) <= last_page(segment - 1))
		report_refuse("two PT_LOADs of the kernel share a page or are not in order");
	if (load->p_align > image->alignment)
		image->alignment = load->p_align;
	image->segments++;
}

static void check_entry(const struct kernel_image *image)
{
	for (uint32_t i = 0; i < image->segments; i++) {
		const struct kernel_segment *segment = &image->segment[i];
		if (segment->executable && image->entry - segment->address < segment->memory_bytes)
			return;
	}
	report_refuse("the kernel's entry point lies in no executable PT_LOAD");
}

void kernel_image_plan(struct byte_span file, struct kernel_image *image)
{
	Elf64_Ehdr header;
	if (file.size < sizeof(header))
		report_refuse("the kernel is not an ELF file");
	memcpy(&header, file.bytes, sizeof(header));
	check_header(&header, file.size);

	*image = (struct kernel_image){ .entry = header.e_entry, .alignment = PAGE_SIZE };
	for (uint32_t i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr load;
		memcpy(&load, file.bytes + header.e_phoff + i * sizeof(load), sizeof(load));
		if (load.p_type == PT_INTERP)
			report_refuse("the kernel wants an interpreter");
		if (load.p_type != PT_LOAD || load.p_memsz == 0)
			continue;
		check_load(&load, file.size);
		add_load(image, &load);
	}
	if (image->segments == 0)
		report_refuse("the kernel has no PT_LOAD");
	check_entry(image);
	image->base = image->segment[0].address & ~(image->alignment - 1);
	image->bytes = last_page(&image->segment[image->segments - 1]) + PAGE_SIZE - image->base;
}

void kernel_image_load(const struct kernel_image *image, struct byte_span file, uint8_t *memory)
{
	placement_fill(memory, image->bytes);
	for (uint32_t i = 0; i < image->segments; i++) {
		const struct kernel_segment *segment = &image->segment[i];
		uint8_t *to = memory + (segment->address - image->base);
		memcpy(to, file.bytes + segment->file_offset, segment->file_bytes);
		memset(to + segment->file_bytes, 0, segment->memory_bytes - segment->file_bytes);
	}
}

void kernel_image_map(const struct kernel_image *image, uint64_t physical, struct loader_paging *paging)
{
	for (uint32_t i = 0; i < image->segments; i++) {
		const struct kernel_segment *segment = &image->segment[i];
		uint64_t start = page_down(segment->address);
		loader_paging_map(paging, (struct loader_mapping){
						  .virtual = start,
						  .physical = physical + (start - image->base),
						  .bytes = last_page(segment) + PAGE_SIZE - start,
						  .flags = (segment->writable ? LOADER_PAGING_WRITE : 0) |
							   (segment->executable ? 0 : LOADER_PAGING_NO_EXECUTE),
					  });
	}
}
