#!/usr/bin/env python3
"""`make prove-mutants`: break lib/ in many ways; each must fail the proof that is about it.

prove_mutants.py [--only WORD]
A mutant is one substitution in one file, in a copy of the tree. It is caught if the proof runs and does not prove all;
a proof that cannot run catches nothing. Last line: "prove-mutants: N passed, N failed".
"""
import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import prove

WP_SECONDS = 5
LEDGER = ("wp", "proofs/wp/wp_ledger.c", "lib/ledger.h")
LEDGER_C = ("wp", "proofs/wp/wp_ledger.c", "lib/ledger.c")
RANGE_WP = ("wp", "proofs/wp/wp_range.c", "lib/range.h")
RANGE_C = ("wp", "proofs/wp/wp_range.c", "lib/range.c")
BITS_WP = ("wp", "proofs/wp/wp_bits.c", "lib/bits.h")
TREE = ("wp", "proofs/wp/wp_bit_tree.c", "lib/bit_tree.c")
TREE_H = ("wp", "proofs/wp/wp_bit_tree.c", "lib/bit_tree.h")
RANGE = ("cbmc", "proofs/cbmc/cbmc_range.c", "lib/range.h")
BITS = ("cbmc", "proofs/cbmc/cbmc_bits.c", "lib/bits.h")
RING = ("cbmc", "proofs/cbmc/cbmc_ring.c", "lib/ring.h")
NUMBER = ("cbmc", "proofs/cbmc/cbmc_manifest.c", "lib/manifest_line.c")
TABLE = ("wp", "proofs/wp/wp_cap_table.c", "lib/cap_table.c")
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
    (TREE_H, "bit_tree_put", "tree->level[level][index] = value;", "tree->level[0][index] = value;"),
    (TREE_H, "bit_tree_raise", "return old != 0;", "return true;"),
    (TREE_H, "bit_tree_raise", "bits_with(old, (uint32_t)(bit % BITS_PER_WORD))", "bits_with(0, (uint32_t)(bit % BITS_PER_WORD))"),
    (TREE_H, "bit_tree_lower", "return now != 0;", "return old != 0;"),
    (TREE_H, "bit_tree_lower", "bits_without(old, (uint32_t)(bit % BITS_PER_WORD))", "0"),
    (TREE_H, "bit_tree_set", "if (!bit_tree_raise(tree, 0, bit))", "if (bit_tree_raise(tree, 0, bit))"),
    (TREE_H, "bit_tree_clear", "bit_tree_word_emptied(tree, bit / BITS_PER_WORD);", ";"),
    (TREE, "bit_tree_word_filled", "if (bit_tree_raise(tree, level, index))", "if (!bit_tree_raise(tree, level, index))"),
    (TREE, "bit_tree_word_filled", "index /= BITS_PER_WORD;", ";"),
    (TREE, "climb", "from = index + 1;", "from = index;"),
    (TREE, "climb", "k < tree->levels && from < size", "k + 1 < tree->levels && from < size"),
    (TREE, "descend", "bits_lowest(word_at(tree, level, bit))", "0"),
    (TREE, "bit_tree_find", "if (at.level == tree->levels)", "if (at.level > tree->levels)"),
    (TREE, "bit_tree_word_emptied", "if (bit_tree_lower(tree, level, index))", "if (!bit_tree_lower(tree, level, index))"),
]


def catches(root: Path, tool: str, path: str, name: str) -> tuple[bool, str]:
    """Whether the proof runs and refuses, and what it said."""
    if tool == "wp":
        outcomes = prove.prove_wp(Path(path), root, name, WP_SECONDS)
    else:
        outcomes = prove.prove_cbmc(Path(path), name, root)
    ran = [outcome for outcome in outcomes if outcome.total > 1]
    return bool(ran) and any(not outcome.passed for outcome in ran), "".join(outcome.output for outcome in outcomes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    prove.prepare()
    passed = failed = 0
    for (tool, proof, source), name, before, after in MUTANTS:
        if options.only not in f"{tool} {proof} {name}":
            continue
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for part in ("abi", "lib", "proofs"):
                shutil.copytree(prove.ROOT / part, root / part)
            text = (root / source).read_text()
            if before not in text:
                sys.exit(f"{source} no longer has: {before}")
            (root / source).write_text(text.replace(before, after, 1))
            caught, output = catches(root, tool, proof, name)
        passed += caught
        failed += not caught
        if not caught:
            print(f"{name}: NOT CAUGHT: {before!r} -> {after!r}\n{output}", flush=True)
    print(f"prove-mutants: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
