#!/usr/bin/env python3
"""`make prove-mutants`: break what is proved in many ways; each must fail the proof that is about it.

prove_mutants.py [--only WORD]
A mutant is one substitution in one file, in a copy of the tree. It is caught if the proof runs and does not prove all;
a proof that cannot run catches nothing, nor does one that fails as the tree is: that is tried first. One of "smoke" makes
contracts contradict each other, which must be found. Last line: "prove-mutants: N passed, N failed".
"""
import argparse
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import prove

EFFORT = prove.Effort(steps=1000000, z3_seconds=5)
LEDGER = ("wp", "proofs/wp/wp_ledger.c", "lib/ledger.h")
LEDGER_C = ("wp", "proofs/wp/wp_ledger.c", "lib/ledger.c")
RANGE_WP = ("wp", "proofs/wp/wp_range.c", "lib/range.h")
RANGE_C = ("wp", "proofs/wp/wp_range.c", "lib/range.c")
BITS_WP = ("wp", "proofs/wp/wp_bits.c", "lib/bits.h")
TREE = ("wp", "proofs/wp/wp_bit_tree.c", "lib/bit_tree.c")
TREE_H = ("wp", "proofs/wp/wp_bit_tree.c", "lib/bit_tree.h")
TREE_RANGES = ("wp", "proofs/wp/wp_bit_tree_ranges.c", "lib/bit_tree.c")
TREE_INIT = ("wp", "proofs/wp/wp_bit_tree_init.c", "lib/bit_tree.c")
FRAMES = ("wp", "proofs/wp/wp_frame_bitmap.c", "lib/frame_bitmap.c")
RANGE = ("cbmc", "proofs/cbmc/cbmc_range.c", "lib/range.h")
BITS = ("cbmc", "proofs/cbmc/cbmc_bits.c", "lib/bits.h")
RANGES = ("cbmc", "proofs/cbmc/cbmc_bit_tree.c", "lib/bit_tree.c")
HEAP = ("cbmc", "proofs/cbmc/cbmc_deadline_heap.c", "lib/deadline_heap.c")
RING = ("cbmc", "proofs/cbmc/cbmc_ring.c", "lib/ring.h")
NUMBER = ("cbmc", "proofs/cbmc/cbmc_manifest.c", "lib/manifest_line.c")
MAP = ("cbmc", "proofs/cbmc/cbmc_memory_map.c", "lib/memory_map.c")
ELF = ("cbmc", "proofs/cbmc/cbmc_elf_plan.c", "lib/elf_plan.c")
ENTRY = ("cbmc", "proofs/cbmc/cbmc_archive_entry.c", "lib/archive_entry.c")
ARCHIVE = ("cbmc", "proofs/cbmc/cbmc_archive.c", "lib/archive.c")
LINE = ("cbmc", "proofs/cbmc/cbmc_manifest.c", "lib/manifest_line.c")
LAYOUT_KEYS = ("cbmc", "proofs/cbmc/cbmc_manifest.c", "lib/manifest_layout.c")
ACCESS = ("cbmc", "proofs/cbmc/cbmc_user_access.c", "kernel/mem/user_access.c")
VALIDATE = ("cbmc", "proofs/cbmc/cbmc_user_access.c", "kernel/mem/validate.c")
TRANSFER = ("cbmc", "proofs/cbmc/cbmc_transfer.c", "kernel/task/transfer.c")
ABORT = ("cbmc", "proofs/cbmc/cbmc_transfer_abort.c", "kernel/task/transfer.c")
ONE_TABLE = ("cbmc", "proofs/cbmc/cbmc_page_table.c", "kernel/mem/anonymous.c")
ONE_TABLE_WALK = ("cbmc", "proofs/cbmc/cbmc_page_table.c", "kernel/mem/page_walk.c")
ONE_TABLE_WALK_H = ("cbmc", "proofs/cbmc/cbmc_page_table.c", "kernel/mem/page_walk.h")
CHANGE = ("cbmc", "proofs/cbmc/cbmc_page_change.c", "kernel/mem/anonymous.c")
CHANGE_WALK = ("cbmc", "proofs/cbmc/cbmc_page_change.c", "kernel/mem/page_walk.c")
CHANGE_WALK_H = ("cbmc", "proofs/cbmc/cbmc_page_change.c", "kernel/mem/page_walk.h")
CHANGE_ACCOUNT = ("cbmc", "proofs/cbmc/cbmc_page_change.c", "kernel/mem/account.h")
PTE = ("cbmc", "proofs/cbmc/cbmc_pte.c", "kernel/arch/x86_64/pte.h")
TABLE = ("wp", "proofs/wp/wp_cap_table.c", "lib/cap_table.c")
TABLE_SMOKE = ("smoke", "proofs/wp/wp_cap_table.c", "proofs/wp/wp_cap_table.c")
TREE_SMOKE = ("smoke", "proofs/wp/wp_bit_tree.c", "proofs/wp/wp_bit_tree.h")
TABLE_H = ("wp", "proofs/wp/wp_cap_table.c", "lib/cap_table.h")

# (proof, property, what stands there, what is put there instead); the first place is changed
MUTANTS = [
    (LEDGER, "ledger_is_valid", "return ledger->used <= ledger->limit;", "return ledger->used < ledger->limit;"),
    (LEDGER, "resource_ledger_has_room", "return amount <= one->limit - one->used;", "return amount < one->limit - one->used;"),
    (LEDGER, "resource_ledger_has_room", "return amount <= one->limit - one->used;", "return one->used + amount <= one->limit;"),
    (LEDGER, "resource_ledger_has_room", "return amount <= one->limit - one->used;", "return amount <= one->limit;"),
    (LEDGER, "resource_ledger_charge", "ledger->of[kind].used += amount;", "ledger->of[kind].used += amount + 1;"),
    (LEDGER, "resource_ledger_charge", "ledger->of[kind].used += amount;", "ledger->of[0].used += amount;"),
    (LEDGER, "resource_ledger_charge", "ledger->of[kind].used += amount;", ";"),
    (LEDGER, "resource_ledger_charge", "GUARD(resource_ledger_has_room(ledger, kind, amount), ledger_refusal(kind));", ";"),
    (LEDGER, "resource_ledger_refund", "one->used -= amount;", "one->used += amount;"),
    (LEDGER, "resource_ledger_refund", "one->used -= amount;", "one->used = 0;"),
    (LEDGER, "resource_ledger_refund", "one->peak = one->used;", "one->peak = amount;"),
    (LEDGER, "resource_ledger_refund", "if (one->peak < one->used)", "if (one->peak > one->used)"),
    (LEDGER, "resource_ledger_cancel", "amount <= one->used);\n\tone->used -= amount;\n\tASSERT", "amount <= one->used);\n\tone->limit -= amount;\n\tASSERT"),
    (LEDGER, "resource_ledger_peak", "one->peak > one->used ? one->peak : one->used", "one->peak > one->used ? one->used : one->peak"),
    (LEDGER_C, "resource_ledger_init", "one->used = 0;", "one->used = limits[kind];"),
    (LEDGER_C, "resource_ledger_init", "one->limit = limits[kind];", "one->limit = limits[0];"),
    (LEDGER_C, "resource_ledger_shrink", "GUARD(amount[kind] <= one->limit - one->used", "GUARD(amount[kind] <= one->limit"),
    (LEDGER_C, "resource_ledger_shrink", "ledger->of[kind].limit -= amount[kind];", "ledger->of[kind].limit -= amount[0];"),
    (LEDGER_C, "resource_ledger_shrink", "ledger->of[kind].limit -= amount[kind];", "ledger->of[kind].used += amount[kind];"),
    (LEDGER_C, "resource_ledger_grow", "ledger->of[kind].limit += amount[kind];", "ledger->of[kind].limit = amount[kind];"),
    (LEDGER_C, "ledger_refusal", "[LEDGER_IMAGE] = STATUS_OVER_IMAGE,", "[LEDGER_IMAGE] = STATUS_OK,"),
    (LEDGER_C, "ledger_refusal", "[LEDGER_IMAGE] = STATUS_OVER_IMAGE,", "[LEDGER_IMAGE] = STATUS_OVER_FRAME_GRANT,"),
    (RANGE, "range_of_pages", "GUARD(length != 0, STATUS_ZERO_LENGTH);", ";"),
    (RANGE, "range_of_pages", "GUARD(u64_is_page_aligned(start) && u64_is_page_aligned(length), STATUS_MISALIGNED);", ";"),
    (RANGE, "range_of_pages", "u64_is_page_aligned(start) && u64_is_page_aligned(length)", "u64_is_page_aligned(start) || u64_is_page_aligned(length)"),
    (RANGE, "range_of_pages", "GUARD(length <= UINT64_MAX - start, STATUS_RANGE_WRAPS);", ";"),
    (RANGE, "range_of_pages", "start >= USER_START && ", ""),
    (RANGE, "range_of_pages", "start + length <= USER_LIMIT", "start < USER_LIMIT"),
    (RANGE, "range_of_pages", "start + length <= BOOTSTRAP_START", "start < BOOTSTRAP_START"),
    (RANGE, "range_of_pages", "start >= BOOTSTRAP_END ||", "start > BOOTSTRAP_START ||"),
    (RANGE, "range_overlap", "a.start.raw < b.end.raw && b.start.raw < a.end.raw", "a.start.raw <= b.end.raw && b.start.raw <= a.end.raw"),
    (RANGE, "range_overlap", "a.start.raw < b.end.raw && b.start.raw < a.end.raw", "a.start.raw < b.end.raw"),
    (RANGE, "range_overlap", "address.raw < range.end.raw", "address.raw <= range.end.raw"),
    (RANGE, "range_length", "*pages = length / PAGE_SIZE;", "*pages = length / PAGE_SIZE + 1;"),
    (RANGE, "range_length", "GUARD(u64_is_page_aligned(length), STATUS_MISALIGNED);", ";"),
    (RANGE, "range_length", "GUARD(length <= USER_LIMIT - USER_START, STATUS_NOT_USER_ADDRESS);", ";"),
    (RANGE, "range_protection", "protection == (PROTECTION_READ | PROTECTION_WRITE) ||", "protection == PROTECTION_WRITE ||"),
    (RANGE, "range_protection", "protection == (PROTECTION_READ | PROTECTION_EXECUTE)", "protection == (PROTECTION_WRITE | PROTECTION_EXECUTE)"),
    (RANGE, "range_protection", "protection == PROTECTION_NONE || ", ""),
    (BITS, "bits_masks", "UINT64_MAX << first", "UINT64_MAX << first << 1"),
    (BITS, "bits_masks", "UINT64_MAX >> (BITS_PER_WORD - 1 - last)", "UINT64_MAX >> (BITS_PER_WORD - 1 - last) >> 1"),
    (BITS, "bits_masks", "((word >> bit) & 1) != 0", "(word & bit) != 0"),
    (BITS, "bits_search", "(uint32_t)__builtin_ctzll(word)", "(uint32_t)__builtin_clzll(word)"),
    (BITS, "bits_search", "word & (word - 1)", "word & (word + 1)"),
    (BITS, "bits_range", "const uint64_t last = end - 1;", "const uint64_t last = end;"),
    (BITS, "bits_range", "if (index == first / BITS_PER_WORD)", "if (index != first / BITS_PER_WORD)"),
    (BITS, "bits_range", "mask &= bits_up_to(", "mask |= bits_up_to("),
    (BITS, "bits_align", "(value + (align - 1)) & ~(align - 1)", "(value + align) & ~(align - 1)"),
    (BITS, "bits_align", "UINT64_MAX / (bits_one(align) - 1)", "UINT64_MAX / bits_one(align)"),
    (BITS, "bits_align", "value != 0 && (value & (value - 1)) == 0", "(value & (value - 1)) == 0"),
    (RING, "ring_look", "look.pending + look.waiting <= RING_CQ_ENTRIES", "look.waiting <= RING_CQ_ENTRIES"),
    (RING, "ring_look", "look.pending - 1 < RING_SQ_ENTRIES", "look.pending - 1 <= RING_SQ_ENTRIES"),
    (RING, "ring_look", "look.pending - 1 < RING_SQ_ENTRIES", "look.pending < RING_SQ_ENTRIES"),
    (RING, "ring_places", "(place + sizeof(struct ring_submission)) % RING_SQ_BYTES", "place + sizeof(struct ring_submission)"),
    (RING, "ring_places", "(place + sizeof(struct ring_completion)) % RING_CQ_BYTES", "place + sizeof(struct ring_completion)"),
    (RING, "ring_decode", "(uint16_t)(first >> 16)", "(uint16_t)(first >> 8)"),
    (RING, "ring_decode", "(handle_t)(first >> 32)", "(handle_t)first"),
    (RING, "ring_decode", "(uint64_t)operation << 16", "(uint64_t)operation << 8"),
    (RING, "ring_answers_nulls", "kernel->cq_tail += pending - left;", "kernel->cq_tail += pending;"),
    (RING, "ring_answers_nulls", "while ((uint16_t)ring_read_first(ring, from) == RING_NOP)", "while ((uint8_t)ring_read_first(ring, from) == RING_NOP)"),
    (NUMBER, "manifest_number", "number->length--;", ";"),
    (NUMBER, "manifest_number", "value = value * 10 + digit;", "value = value * 8 + digit;"),
    (NUMBER, "manifest_number", "*number = value * factor;", "*number = value + factor;"),
    (NUMBER, "manifest_number", "word.text[i] >= '0' && ", ""),
    (MAP, "memory_map_first", "if (kind != MEMORY_USABLE)", "if (kind == MEMORY_USABLE)"),
    (MAP, "memory_map_first", "((first & mask) != 0)", "0"),
    (MAP, "memory_map_first", "((last & mask) == mask)", "1"),
    (MAP, "memory_map_first", "length - 1 > UINT64_MAX - base", "length > UINT64_MAX - base"),
    (MAP, "memory_map_lay_over", "entry->kind > add->kind;", "entry->kind >= add->kind;"),
    (MAP, "memory_map_lay_over", "end_of(entry) < start || start_of(entry) > end", "end_of(entry) <= start || start_of(entry) >= end"),
    (MAP, "memory_map_lay_over", "entry_make(end_of(add), end_of(&old), old.kind);\n\t}\n\tmap->count", "entry_make(start_of(add), end_of(&old), old.kind);\n\t}\n\tmap->count"),
    (MAP, "memory_map_lay_over", "open = start_of(&old);", "open = start_of(add);"),
    (MAP, "memory_map_lay_over", "GUARD(count <= MEMORY_MAP_MAX, STATUS_MEMORY_MAP_TOO_LONG);", ";"),
    (MAP, "memory_map_convert_one", "end_of(last) == start", "end_of(last) <= start"),
    (ELF, "elf_plan_one_header", "GUARD((program->p_flags & (PF_W | PF_X)) != (PF_W | PF_X), STATUS_ELF_WRITE_AND_EXECUTE);", ";"),
    (ELF, "elf_plan_one_header", "GUARD(end <= USER_LIMIT, STATUS_ELF_SEGMENT_NOT_USER);", ";"),
    (ELF, "elf_plan_one_header", "GUARD(status != STATUS_BOOTSTRAP_RANGE, STATUS_ELF_SEGMENT_ON_BOOTSTRAP);", ";"),
    (ELF, "elf_plan_one_header", "GUARD(!uaddr_range_overlaps(plan->segment[i].pages, segment->pages), STATUS_ELF_SEGMENTS_OVERLAP);", ";"),
    (ELF, "elf_plan_one_header", "is_within(program->p_offset, program->p_filesz, file_size)", "program->p_offset <= file_size"),
    (ELF, "elf_plan_one_header", "plan->segment[place - 1].address > segment->address", "plan->segment[place - 1].address < segment->address"),
    (ELF, "elf_plan_one_header", "GUARD(plan->segments < ELF_PLAN_MAX_SEGMENTS, STATUS_ELF_TOO_MANY_SEGMENTS);", ";"),
    (ELF, "elf_plan_one_header", "GUARD(program->p_filesz <= program->p_memsz, STATUS_ELF_FILE_LARGER_THAN_MEMORY);", ";"),
    (ELF, "elf_plan_tls", "GUARD(tls->p_filesz <= tls->p_memsz && tls->p_memsz", "GUARD(tls->p_memsz"),
    (ELF, "elf_plan_tls", "align <= PAGE_SIZE, STATUS_ELF_BAD_TLS", "align <= 2 * PAGE_SIZE, STATUS_ELF_BAD_TLS"),
    (ELF, "elf_plan_movable", "0 - (first & ~(plan->alignment - 1))", "0 - first - PAGE_SIZE"),
    (ELF, "elf_plan_placed", "GUARD((start & (plan->alignment - 1)) == 0, STATUS_MISALIGNED);", ";"),
    (ELF, "elf_plan_reads", "GUARD(is_within(offset, bytes, source->size), STATUS_ELF_TRUNCATED);", ";"),
    (ENTRY, "archive_entry_any", "GUARD(is_within(offset, HEADER_BYTES, archive->size), STATUS_ARCHIVE_TRUNCATED);", ";"),
    (ENTRY, "archive_entry_any", "GUARD(is_within(entry->name, name_bytes, archive->size), STATUS_ARCHIVE_TRUNCATED);", ";"),
    (ENTRY, "archive_entry_any", "GUARD(string_length(name, name_bytes) == entry->name_length, STATUS_ARCHIVE_BAD_NAME);", ";"),
    (ENTRY, "archive_entry_any", "GUARD(is_within(entry->data, entry->size, archive->size), STATUS_ARCHIVE_TRUNCATED);", ";"),
    (ARCHIVE, "archive_any_entries", "archive_find(archive, name, &same) == STATUS_NOT_FOUND", "same == 0"),
    (ARCHIVE, "archive_any_entries", "length > ARCHIVE_NAME_MAX || name[0] == '/'", "length > ARCHIVE_NAME_MAX"),
    (ARCHIVE, "archive_any_entries", "&bytes->at[size == 0 ? entry->name : entry->data]", "&bytes->at[entry->data]"),
    (LINE, "manifest_words", "while (i < bytes && is_printable(text[i]) && text[i] != '#')", "while (is_printable(text[i]) && text[i] != '#')"),
    (LINE, "manifest_words", "GUARD(line->words < MANIFEST_LINE_WORDS, STATUS_MANIFEST_BAD_LINE);", ";"),
    (LINE, "manifest_words", "character > ' ' && character <= '~'", "character > ' '"),
    (LINE, "manifest_lines", "text->next = end + 1;", "text->next = end;"),
    (LAYOUT_KEYS, "manifest_layout_any", "GUARD((layout->flags & (flag | excluded)) == 0", "GUARD((layout->flags & flag) == 0"),
    (LAYOUT_KEYS, "manifest_layout_any", "GUARD(bytes != 0, STATUS_MANIFEST_BAD_NUMBER);", ";"),
    (PTE, "pte_of_page", "if ((protection & PROTECTION_EXECUTE) == 0)", "if ((protection & PROTECTION_WRITE) == 0)"),
    (PTE, "pte_of_page", "if (protection == PROTECTION_NONE)\n\t\treturn", "if (protection == PROTECTION_READ)\n\t\treturn"),
    (PTE, "pte_of_page", "pte_is_present(entry) ? entry.raw : ~entry.raw", "entry.raw"),
    (PTE, "pte_of_lazy_page", "pte_protection_bits(protection) & ~PTE_PRESENT", "pte_protection_bits(protection)"),
    (PTE, "pte_of_span", "PTE_PRESENT | PTE_WRITE | PTE_USER };", "PTE_PRESENT | PTE_USER };"),
    (PTE, "pte_way_down", "(PAGE_SHIFT + PTE_INDEX_BITS * (level - 1))) & (PTE_ENTRIES - 1)", "(PAGE_SHIFT + PTE_INDEX_BITS * (level - 1))) & (PTE_ENTRIES - 2)"),
    (VALIDATE, "user_access_in", "GUARD(pte_has(entry, PTE_PRESENT | PTE_USER), STATUS_BUFFER_FAULT);", "GUARD(pte_has(entry, PTE_PRESENT), STATUS_BUFFER_FAULT);"),
    (VALIDATE, "user_access_out", "GUARD(!writable || pte_has(entry, PTE_WRITE), STATUS_BUFFER_FAULT);", ";"),
    (ACCESS, "user_access_in", "(start & (PAGE_SIZE - 1)), buffer, bytes, direction", "(start & (PAGE_SIZE - 2)), buffer, bytes, direction"),
    (ACCESS, "user_access_in", "if (bytes > uaddr_to_u64(range.end) - address)\n\t\t\tbytes = uaddr_to_u64(range.end) - address;", ""),
    (ACCESS, "user_access_out", "buffer += bytes;", "buffer += PAGE_SIZE;"),
    (ACCESS, "user_access_placed", "uaddr_range_bytes(range) <= PAGE_SIZE;", "uaddr_range_bytes(range) <= 2 * PAGE_SIZE;"),
    (TRANSFER, "transfer_refused", "give_back(transfer, i);\n\t\treturn status;", "return status;"),
    (TRANSFER, "transfer_refused", "item->is_used = true;", ";"),
    (TRANSFER, "transfer_refused", "process_capability_cancel(transfer->to, &plan);", ";"),
    (TRANSFER, "transfer_refused", "give_back(transfer, transfer->count);\n\treturn STATUS_RECEIVER_LIMIT;", "return STATUS_RECEIVER_LIMIT;"),
    (TRANSFER, "transfer_committed", "GUARD(item->hold.mode == TRANSFER_COPY, STATUS_NOT_TRANSFERABLE);", ";"),
    (TRANSFER, "transfer_committed", "if (item->kind == TRANSFER_KIND_MOVE)\n\t\t\tcommit_move(transfer, item);", ""),
    (RANGES, "bit_tree_set_range_exact", "end = words_of_bits(end);", "end = end / BITS_PER_WORD + 1;"),
    (RANGES, "bit_tree_set_range_exact", "word[i] |= bits_of_range(i, first, end);", "word[i] |= UINT64_MAX;"),
    (RANGES, "bit_tree_clear_range_exact", "first = word[first_word] == 0 ? first_word : first_word + 1;", "first = first_word;"),
    (RANGES, "bit_tree_clear_range_exact", "end = word[last_word] == 0 ? last_word + 1 : last_word;", "end = last_word;"),
    (RANGES, "bit_tree_clear_found", "return i * BITS_PER_WORD + bits_lowest(clear);", "return i * BITS_PER_WORD + bits_highest(clear);"),
    (RANGES, "bit_tree_clear_found", "~bit_tree_word(tree, i) & bits_of_range(i, first, end);", "~bit_tree_word(tree, i);"),
    (HEAP, "deadline_heap_insert_any", "b->deadline < a->deadline ? b : a;", "b->deadline > a->deadline ? b : a;"),
    (HEAP, "deadline_heap_insert_any", "below->next->previous = below;", ";"),
    (HEAP, "deadline_heap_remove_any", "node->previous->next = node->next;", ";"),
    (HEAP, "deadline_heap_remove_any", "set_root(heap, meld(heap->root, below));", ";"),
    (HEAP, "deadline_heap_remove_above_many", "all = meld(all, pairs);", "all = pairs;"),
    (HEAP, "deadline_heap_remove_above_many", "struct deadline_node *rest = pairs->next;", "struct deadline_node *rest = NULL;"),
    (HEAP, "deadline_heap_looks_valid", "child->deadline < node->deadline", "child->deadline <= node->deadline"),
    (ABORT, "transfer_aborted", "account_cancel(&transfer->to->account, &charge);", "account_refund(&transfer->to->account, &charge);"),
    (ABORT, "transfer_aborted", "cap_table_cancel(&transfer->to->caps, transfer->item[i].target);", ";"),
    (ABORT, "transfer_aborted", "&charge);\n\tgive_back(transfer, transfer->count);", "&charge);"),
    (ABORT, "transfer_aborted", "hold_charge(&transfer->item[i].hold, &charge);\n\t\tspinlock", "spinlock"),
    (ABORT, "transfer_aborted", "item->is_used = true;", ";"),
    (ONE_TABLE_WALK, "page_table_split", "page_table_note_entry(parent, entry);", ";"),
    (ONE_TABLE_WALK, "page_table_split", "page_table_adjust_guards(parent, -(int32_t)(guards / PTE_ENTRIES));", ";"),
    (ONE_TABLE_WALK, "page_table_split", "page_table_adjust(parent, 1, 0);", ";"),
    (ONE_TABLE_WALK, "page_table_merge", "*entry = pte_uniform(PAGE_RESERVED);", "*entry = pte_uniform(PAGE_EMPTY);"),
    (ONE_TABLE_WALK, "page_table_merge", "page_table_adjust(parent, -1, 0);", ";"),
    (ONE_TABLE_WALK_H, "page_table_merge", "page_table_reserved(table) == PTE_ENTRIES", "page_table_used(table) == PTE_ENTRIES"),
    (ONE_TABLE, "page_table_plans_of_release", "GUARD(anonymous_is_own(run->entry[i]), STATUS_NOT_RESERVED);", ";"),
    (ONE_TABLE, "page_table_plan_of_commit", "before + run->count - (walk->pages - before)", "before + run->count"),
    (ONE_TABLE, "page_table_plan_of_protect", "status = STATUS_NOT_COMMITTED;", ";"),
    (ONE_TABLE_WALK_H, "page_table_reserve", "page_table_adjust(run->table, (int32_t)run->count, (int32_t)reserved);", ";"),
    (ONE_TABLE, "page_table_decommit", "page_table_adjust(run->table, 0, committed);", ";"),
    (ONE_TABLE, "page_table_unmap", "committed - (int32_t)run->count);", "-(int32_t)run->count);"),
    (ONE_TABLE, "page_table_protect", "run->entry[i] = pte_lazy(protection, false);", "run->entry[i] = pte_lazy(protection, true);"),
    (ONE_TABLE, "page_table_commit", "kind == PAGE_LAZY ? pte_protection(run->entry[i]) : walk->protection;", "walk->protection;"),
    (ONE_TABLE, "page_table_map", "if (replaced == 0) /* they were empty */", "if (replaced != 0)"),
    (CHANGE, "page_change_commit_splits", "charge_add(&charge, LEDGER_PAGE_TABLE, walk->tables);\n\tTRY(account_charge_and_promise(walk->space->account, &charge, walk->pages + walk->tables));\n\tpage_walk_publish(walk, &anonymous_publish_fill);", "TRY(account_charge_and_promise(walk->space->account, &charge, walk->pages + walk->tables));\n\tpage_walk_publish(walk, &anonymous_publish_fill);"),
    (CHANGE, "page_change_unmap_splits", "charge_add(&charge, LEDGER_PAGE_TABLE, walk->tables);\n\t\tTRY", "TRY"),
    (CHANGE, "page_change_decommit", "charge_add(&refund, LEDGER_FRAME_GRANT, walk->pages);\n\tpage_walk_finish_refund", "page_walk_finish_refund"),
    (CHANGE, "page_change_protect", "walk->must_flush = true;\n\tif (LIKELY(walk->protection", "if (LIKELY(walk->protection"),
    (CHANGE_WALK_H, "page_change_decommit", "if (walk->must_flush || walk->tables_given != 0)", "if (walk->tables_given != 0)"),
    (CHANGE_WALK_H, "page_change_decommit", "if (UNLIKELY(page_table_is_uniform(run.table)))\n\t\tpage_walk_collapse(walk);", ""),
    (CHANGE_WALK_H, "page_change_decommit", "charge_add(refund, LEDGER_PAGE_TABLE, walk->tables_given);", ";"),
    (CHANGE_ACCOUNT, "page_change_map_splits", "if (status == STATUS_OK && frames != 0)", "if (frames != 0)"),
    (CHANGE_WALK, "page_change_reserve_splits", "page_table_adjust(parent, 1, 0);", ";"),
    (TABLE_H, "cap_table_find", "GUARD(slot->state == CAP_SLOT_LIVE, STATUS_NO_SUCH_CAPABILITY);", ";"),
    (TABLE_H, "cap_table_find", "GUARD(slot->generation == cap_table_generation(handle), STATUS_NO_SUCH_CAPABILITY);", ";"),
    (TABLE_H, "cap_table_find", "GUARD(index < table->slots, STATUS_NO_SUCH_CAPABILITY);", ";"),
    (TABLE, "resolves", "slot->state == state && ", ""),
    (TABLE, "resolves", " && slot->generation == cap_table_generation(handle)", ""),
    (TABLE, "pop_free", "slot->generation++;", ";"),
    (TABLE, "pop_free", "table->free_head = slot->next_free;", ";"),
    (TABLE, "push_free", "slot->next_free = (uint16_t)table->free_head;", "slot->next_free = 0;"),
    (TABLE, "push_free", "table->free_head = index + 1;", "table->free_head = index;"),
    (TABLE, "hold_clear", "hold->badge = 0;", ";"),
    (TABLE, "hold_clear", "hold->origin_high = 0;", ";"),
    (TABLE, "retire", "slot_at(table, index)->state = CAP_SLOT_RETIRED;", ";"),
    (TABLE, "retire", "slot_at(table, index)->state = CAP_SLOT_RETIRED;", "slot_at(table, 0)->state = CAP_SLOT_RETIRED;"),
    (TABLE, "retire", "table->retired++;", ";"),
    (TABLE, "put_back", "if (slot->generation == UINT16_MAX)", "if (slot->generation != UINT16_MAX)"),
    (TABLE, "count_down", "table->used--;", "table->used++;"),
    (TABLE, "release", "\tcount_down(table);", "\t;"),
    (TABLE, "release", "\tput_back(table, cap_table_index(handle), slot);", "\t;"),
    (TABLE, "cap_table_remove", "\tcopy_out(table, cap_table_index(handle), hold);", "\t;"),
    (TABLE, "cap_table_remove", "GUARD(resolves(table, handle, CAP_SLOT_LIVE), STATUS_NO_SUCH_CAPABILITY);", ";"),
    (TABLE, "cap_table_reserve", "table->used++;", ";"),
    (TABLE, "cap_table_reserve", "index = table->free_head - 1;", "index = 0;"),
    (TABLE, "cap_table_reserve", "slot_at(table, index)->generation + 1", "slot_at(table, index)->generation"),
    (TABLE, "slots_of_pages", "slots < CAP_TABLE_MAX_SLOTS ? slots", "slots <= CAP_TABLE_MAX_SLOTS + 1 ? slots"),
    (TABLE, "cap_table_init", "{ .page = directory }", "{ .page = directory, .free_head = 1 }"),
    (TABLE, "attach_page", "table->pages++;", ";"),
    (TABLE, "attach_page", "table->page[table->pages] = page;", "table->page[0] = page;"),
    (TABLE, "list_from", "index > first; index--", "index > first + 1; index--"),
    (TABLE, "list_from", "push_free(table, index - 1, slot_at(table, index - 1));", "push_free(table, first, slot_at(table, first));"),
    (TABLE, "cap_table_add_page", "GUARD(table->pages < CAP_TABLE_PAGES, STATUS_OVER_CAP_SLOTS);", ";"),
    (TABLE, "cap_table_add_page", "\tlist_from(table, first);", "\t;"),
    (TABLE, "cap_table_find_interface", "found->interface == interface", "found->mode == interface"),
    (TABLE, "cap_table_next", "if (slot->state == CAP_SLOT_LIVE) {", "if (slot->state != CAP_SLOT_FREE) {"),
    (TABLE, "cap_table_next", "*handle = handle_make(index, slot->generation);", "*handle = handle_make(index, 1);"),
    (TABLE_SMOKE, "count_down", "requires table->used >= 1;", "requires table->used + table->retired > table->slots + 1;"),
    (TABLE_SMOKE, "cap_table_next", "assumes \\exists integer i; index <= i", "assumes \\exists integer i; i < 0 && index <= i"),
    (TREE_SMOKE, "descend", "axiom up_none: \\forall integer n; up(n, 0) == n;", "axiom up_none: \\forall integer n; up(n, 0) == n + 1;"),
    (RANGE_WP, "uaddr_range_overlaps", "a.start.raw < b.end.raw && ", ""),
    (RANGE_WP, "uaddr_range_of_pages", "GUARD(length <= UINT64_MAX - start, STATUS_RANGE_WRAPS);", ";"),
    (RANGE_WP, "uaddr_range_of_pages", "start + length <= USER_LIMIT", "start <= USER_LIMIT"),
    (RANGE_WP, "uaddr_range_of_pages", "start >= BOOTSTRAP_END || ", ""),
    (RANGE_WP, "u64_is_page_aligned", "value % PAGE_SIZE == 0", "value % (PAGE_SIZE / 2) == 0"),
    (RANGE_WP, "page_count_of_length", "*pages = length / PAGE_SIZE;", "*pages = length;"),
    (RANGE_WP, "protection_check", "protection == PROTECTION_READ ||", "protection == PROTECTION_EXECUTE ||"),
    (RANGE_C, "uaddr_range_of_bytes", "length <= USER_LIMIT - start", "length <= USER_LIMIT"),
    (RANGE_C, "uaddr_range_of_bytes", "start < USER_LIMIT && ", ""),
    (BITS_WP, "bits_test", "((word >> bit) & 1) != 0", "(word >> bit) != 0"),
    (BITS_WP, "bits_with", "return word | bits_one(bit);", "return word ^ bits_one(bit);"),
    (BITS_WP, "bits_without", "return word & ~bits_one(bit);", "return word & bits_one(bit);"),
    (BITS_WP, "bits_with_all", "return word | others;", "return word ^ others;"),
    (BITS_WP, "bits_without_all", "return word & ~others;", "return word & others;"),
    (TREE_H, "bit_tree_put", "tree->level[level][index] = value;", "tree->level[0][index] = value;"),
    (TREE_H, "bit_tree_raise", "return old != 0;", "return true;"),
    (TREE_H, "bit_tree_raise", "bits_with(old, (uint32_t)(bit % BITS_PER_WORD))", "bits_with(0, (uint32_t)(bit % BITS_PER_WORD))"),
    (TREE_H, "bit_tree_lower", "return now != 0;", "return old != 0;"),
    (TREE_H, "bit_tree_lower", "bits_without(old, (uint32_t)(bit % BITS_PER_WORD))", "0"),
    (TREE_H, "bit_tree_write_word", "if (old == 0 && value != 0)", "if (old == 0 && value == 0)"),
    (TREE_H, "bit_tree_write_word", "if (old != 0 && value == 0)", "if (old == 0 && value == 0)"),
    (TREE_H, "bit_tree_write_word", "bit_tree_put(tree, 0, index, value);", "bit_tree_put(tree, 0, index, old);"),
    (TREE_H, "bit_tree_set", "if (!bit_tree_raise(tree, 0, bit))", "if (bit_tree_raise(tree, 0, bit))"),
    (TREE_H, "bit_tree_clear", "bit_tree_word_emptied(tree, bit / BITS_PER_WORD);", ";"),
    (TREE, "bit_tree_word_filled", "if (bit_tree_raise(tree, level, index))", "if (!bit_tree_raise(tree, level, index))"),
    (TREE, "bit_tree_word_filled", "index /= BITS_PER_WORD;", ";"),
    (TREE, "climb", "from = index + 1;", "from = index;"),
    (TREE, "climb", "k < tree->levels && from < size", "k + 1 < tree->levels && from < size"),
    (TREE, "descend", "bits_lowest(word_at(tree, level, bit))", "0"),
    (TREE, "bit_tree_find", "if (at.level == tree->levels)", "if (at.level > tree->levels)"),
    (TREE, "bit_tree_word_emptied", "if (bit_tree_lower(tree, level, index))", "if (!bit_tree_lower(tree, level, index))"),
    (TREE_RANGES, "word_set_range", "bits_with_all(old, bits_of_range(index, first, end))", "bits_of_range(index, first, end)"),
    (TREE_RANGES, "word_set_range", "bits_with_all(old, bits_of_range(index, first, end))", "bits_with_all(old, bits_of_range(index, first, end + 1))"),
    (TREE_RANGES, "word_clear_range", "bits_without_all(old, bits_of_range(index, first, end))", "0"),
    (TREE_RANGES, "word_clear_range", "bit_tree_write_word(tree, index, now);\n}\n\nvoid bit_tree_set_range", ";\n}\n\nvoid bit_tree_set_range"),
    (TREE_RANGES, "bit_tree_set_range", "i++)\n\t\tword_set_range(tree, i, first, end);", "i += 2)\n\t\tword_set_range(tree, i, first, end);"),
    (TREE_RANGES, "bit_tree_set_range", "word_set_range(tree, i, first, end);", "word_clear_range(tree, i, first, end);"),
    (TREE_RANGES, "bit_tree_set_range", "i <= (end - 1) / BITS_PER_WORD; i++)\n\t\tword_set", "i < (end - 1) / BITS_PER_WORD; i++)\n\t\tword_set"),
    (TREE_RANGES, "bit_tree_clear_range", "word_clear_range(tree, i, first, end);", "word_clear_range(tree, i, i * BITS_PER_WORD, end);"),
    (TREE_RANGES, "bit_tree_clear_range", "i <= (end - 1) / BITS_PER_WORD; i++)\n\t\tword_clear", "i < (end - 1) / BITS_PER_WORD; i++)\n\t\tword_clear"),
    (TREE_RANGES, "bit_tree_find_clear", "if (clear != 0) {", "if (clear == 1) {"),
    (TREE_RANGES, "bit_tree_find_clear", "bits_without_all(bits_of_range(i, first, end), bit_tree_word(tree, i))", "bits_without_all(UINT64_MAX, bit_tree_word(tree, i))"),
    (TREE_RANGES, "bit_tree_find_clear", "bits_lowest(clear);", "bits_highest(clear);"),
    (TREE_INIT, "bit_tree_words", "total += words;", "total++;"),
    (TREE_INIT, "bit_tree_words", "while (words > 1) {", "while (words > 2) {"),
    (TREE_INIT, "words_zero", "word[i] = 0;", "word[0] = 0;"),
    (TREE_INIT, "tree_lay", "used += words;", "used++;"),
    (TREE_INIT, "tree_lay", "while (words > 1 && tree->levels < BIT_TREE_LEVELS)", "while (words > 1 && tree->levels < 2)"),
    (TREE_INIT, "tree_empty", "words_zero(tree->level[0], words);", "words_zero(tree->level[0], words - 1);"),
    (TREE_INIT, "bit_tree_init", "tree_empty(tree, bit_tree_words(bits));", "tree_empty(tree, bits);"),
    (FRAMES, "frame_bitmap_allocate", "number), STATUS_OUT_OF_MEMORY);", "number), STATUS_BAD_ARGUMENT);"),
    (FRAMES, "frame_bitmap_allocate", "take_one(bitmap, number);", ";"),
    (FRAMES, "frame_bitmap_is_free", "frame_to_u64(frame) < bitmap->frames", "frame_to_u64(frame) <= bitmap->frames"),
    (FRAMES, "find_near", "return bit_tree_find(&bitmap->frame, 0, number);", "return false;"),
    (FRAMES, "find_near", "near < bitmap->frames", "near <= bitmap->frames"),
    (FRAMES, "take_one", "block_take(bitmap, number / FRAMES_PER_BLOCK, 1);", "block_take(bitmap, number / FRAMES_PER_BLOCK, 2);"),
    (FRAMES, "take_one", "count_free(bitmap, bitmap->free_frames - 1);", "count_free(bitmap, bitmap->free_frames);"),
    (FRAMES, "frame_unmark", "bit_tree_clear(&bitmap->frame, number);", "bit_tree_clear(&bitmap->frame, 0);"),
    (FRAMES, "block_give", "bitmap->block_free[block] = (uint16_t)now;", "bitmap->block_free[block] = (uint16_t)count;"),
    (FRAMES, "block_give", "if (now == FRAMES_PER_BLOCK)", "if (now > FRAMES_PER_BLOCK)"),
    (FRAMES, "block_take", "if (old == FRAMES_PER_BLOCK)", "if (count == FRAMES_PER_BLOCK)"),
    (FRAMES, "block_mark", "bitmap->free_blocks++;", ";"),
    (FRAMES, "block_unmark", "bit_tree_clear(&bitmap->block, block);", "bit_tree_set(&bitmap->block, block);"),
    (FRAMES, "count_free", "bitmap->free_frames = free;", "bitmap->frames = free;"),
]


def ask(root: Path, tool: str, path: str, name: str) -> list[prove.Outcome]:
    if tool == "wp":
        return prove.prove_wp(Path(path), root, name, EFFORT)
    if tool == "smoke":
        return [prove.look_for_contradictions(Path(path), root, name)]
    return prove.prove_cbmc(Path(path), name, root, ("--stop-on-fail",))


def is_caught(tool: str, outcomes: list[prove.Outcome]) -> bool:
    """Whether the proof ran and refuses."""
    if tool in ("wp", "smoke"):
        return any(outcome.total > 1 and not outcome.passed for outcome in outcomes)
    return any(outcome.refuted for outcome in outcomes)


def try_mutant(mutant: tuple) -> tuple[bool, str]:
    (tool, proof, source), name, before, after = mutant
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for part in ("abi", "kernel", "lib", "proofs"):
            shutil.copytree(prove.ROOT / part, root / part)
        text = (root / source).read_text()
        if before not in text:
            sys.exit(f"{source} no longer has: {before}")
        (root / source).write_text(text.replace(before, after, 1))
        outcomes = ask(root, tool, proof, name)
    output = "".join(outcome.output for outcome in outcomes)
    return is_caught(tool, outcomes), f"{name}: NOT CAUGHT: {before!r} -> {after!r}\n{output}"


def try_sound(place: tuple[str, str, str]) -> tuple[bool, str]:
    """A proof that fails by itself, or in less time than it needs, would catch everything."""
    tool, proof, name = place
    outcomes = ask(prove.ROOT, tool, proof, name)
    output = "".join(outcome.output for outcome in outcomes)
    sound = bool(outcomes) and all(outcome.passed for outcome in outcomes)
    return sound, f"{proof} {name}: NOT PROVED as it is, with {EFFORT}: catches nothing\n{output}"


def report(results) -> tuple[int, int]:
    passed = failed = 0
    for well, complaint in results:
        passed += well
        failed += not well
        if not well:
            print(complaint, flush=True)
    return passed, failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    prove.prepare()
    mutants = [mutant for mutant in MUTANTS if options.only in f"{mutant[0][0]} {mutant[0][1]} {mutant[1]}"]
    places = list(dict.fromkeys((mutant[0][0], mutant[0][1], mutant[1]) for mutant in mutants))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        sound, unsound = report(pool.map(try_sound, places))
        print(f"proofs as they are: {sound} proved, {unsound} not", flush=True)
        passed, failed = report(pool.map(try_mutant, mutants))
    print(f"prove-mutants: {passed} passed, {failed + unsound} failed")
    return 1 if failed or unsound or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
