/*
 * One queue of lib/ring between two CPUs: what is handed over by an index was written before, is read once and in
 * order, and no slot is written before it has been read. Indices wrap.
 *
 * run sequential: -a -f
 * run store_buffer: -DBUFFER -a -f
 * run tail_first: -DBUFFER -DBROKEN_TAIL_FIRST -a -f
 * run head_first: -DBROKEN_HEAD_FIRST -a -f
 * run one_too_many: -DBROKEN_ONE_TOO_MANY -a -f
 *
 * BUFFER: each side's stores go through a store buffer of its own, first in, first out, as on x86-64 (SDM vol. 3A,
 * 9.2.3.2): a release store needs no more there. That the compiler keeps the order is what __ATOMIC_RELEASE is for.
 */
#define SLOTS 2
#define WRAP 4 /* indices wrap here: a multiple of SLOTS, as 2^32 is */
#define ITEMS 5

#define HEAD SLOTS
#define TAIL (SLOTS + 1)

byte memory[SLOTS + 2]; /* the slots, sq_head, sq_tail */
byte taken;

#ifdef BUFFER
chan of_program = [3] of { byte, byte };
chan of_kernel = [3] of { byte, byte };
#define STORE(buffer, where, value) buffer!where, value

active proctype store_buffers()
{
	byte where, value;

end:	do
	:: atomic { of_program?where, value -> memory[where] = value }
	:: atomic { of_kernel?where, value -> memory[where] = value }
	od
}
#else
#define STORE(buffer, where, value) memory[where] = value
#endif

active proctype program()
{
	byte tail, head, item = 1;

	do
	:: item <= ITEMS ->
		head = memory[HEAD]; /* ring_submit_slot: acquire */
		if
#ifdef BROKEN_ONE_TOO_MANY
		:: (tail + WRAP - head) % WRAP <= SLOTS && (tail + WRAP - head) % WRAP < WRAP - 1 ->
#else
		:: (tail + WRAP - head) % WRAP < SLOTS ->
#endif
#ifdef BROKEN_TAIL_FIRST
			STORE(of_program, TAIL, (tail + 1) % WRAP);
			STORE(of_program, tail % SLOTS, item);
#else
			STORE(of_program, tail % SLOTS, item); /* ring_fill */
			STORE(of_program, TAIL, (tail + 1) % WRAP); /* ring_publish: release */
#endif
			tail = (tail + 1) % WRAP;
			item++
		:: else -> memory[HEAD] != head
		fi
	:: else -> break
	od
}

active proctype kernel()
{
	byte tail, head, item;

	do
	:: taken < ITEMS ->
		tail = memory[TAIL]; /* ring_kernel_look: acquire */
		if
		:: tail != head ->
#ifdef BROKEN_HEAD_FIRST
			STORE(of_kernel, HEAD, (head + 1) % WRAP);
			item = memory[head % SLOTS];
#else
			item = memory[head % SLOTS]; /* ring_read_first */
			STORE(of_kernel, HEAD, (head + 1) % WRAP); /* ring_kernel_publish: release */
#endif
			assert(item == taken + 1);
			head = (head + 1) % WRAP;
			taken++
		:: else -> memory[TAIL] != tail
		fi
	:: else -> break
	od
}

ltl all_is_taken { <> (taken == ITEMS) }
