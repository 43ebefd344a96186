/*
 * world_stop: any CPU may stop all others, two at a time want to, all take part. While one has the world, every other
 * CPU is in world_park; a bit that one stop has left behind never counts for the next.
 *
 * run sequential: -a -f
 * run store_buffer: -DBUFFER -a -f
 * run no_wait_at_start: -DBROKEN_NO_WAIT_AT_START -a -f
 * run no_park_while_waiting: -DBROKEN_NO_PARK_WHILE_WAITING -a -f
 *
 * BUFFER: the plain stores of is_stopped and is_taken stay in a store buffer, in order, until a locked instruction of
 * the CPU or any time before.
 */
#define CPUS 3
#define STOPPERS 2

byte finished;       /* who has had the world */
bit is_taken;
bit is_stopped;
bit parked[CPUS];    /* parked_mask */
bit attention[CPUS]; /* CPU_ATTENTION_STOP */
bit has_world[CPUS];
bit held[CPUS];      /* does nothing but look: within the loop of world_park */
bit later[CPUS];     /* a store of is_stopped that is not in memory yet */
bit later_value[CPUS];

inline store_is_stopped(me, value)
{
#ifdef BUFFER
	atomic {
		later[me] == 0 -> later[me] = 1;
		later_value[me] = value
	}
#else
	is_stopped = value
#endif
}

/* What a locked instruction does besides. */
inline drain(me)
{
	is_stopped = (later[me] -> later_value[me] : is_stopped);
	later[me] = 0
}

#ifdef BUFFER
active proctype store_buffer()
{
end:	do
	:: atomic { later[0] -> drain(0) }
	:: atomic { later[1] -> drain(1) }
	:: atomic { later[2] -> drain(2) }
	od
}
#endif

inline world_park(me)
{
	if
	:: is_stopped ->
		atomic { drain(me); parked[me] = 1; held[me] = 1 };
		atomic { !is_stopped -> held[me] = 0 };
		parked[me] = 0
	:: else
	fi
}

#define OTHERS_PARKED(me) (parked[(me + 1) % CPUS] && parked[(me + 2) % CPUS])
#define OTHERS_LOOK(me) (held[(me + 1) % CPUS] && held[(me + 2) % CPUS])

inline world_stop(me)
{
	do
	:: atomic { is_taken == 0 -> is_taken = 1; drain(me); break }
	:: is_taken ->
#ifdef BROKEN_NO_PARK_WHILE_WAITING
		skip
#else
		world_park(me)
#endif
	od;
	store_is_stopped(me, 1);
	do
	:: OTHERS_PARKED(me) -> break
	:: else ->
		atomic { drain(me); attention[(me + 1) % CPUS] = 1; attention[(me + 2) % CPUS] = 1 } /* ask */
	od
}

inline world_start(me)
{
	store_is_stopped(me, 0);
#ifndef BROKEN_NO_WAIT_AT_START
	!parked[0] && !parked[1] && !parked[2];
#endif
	/* The store of is_taken comes after that of is_stopped, in the buffer too. */
	atomic { later[me] == 0 -> is_taken = 0 }
}

proctype processor(byte me; bool stops)
{
	do
	:: attention[me] -> attention[me] = 0; world_park(me) /* attend */
	:: stops ->
		stops = 0;
		world_stop(me);
		assert(!later[me] || is_stopped);
		has_world[me] = 1;
		assert(!has_world[(me + 1) % CPUS] && !has_world[(me + 2) % CPUS]);
		assert(OTHERS_PARKED(me) && OTHERS_LOOK(me));
		has_world[me] = 0;
		world_start(me);
		atomic { finished++ }
	:: else ->
end:		attention[me]
	od
}

init
{
	atomic {
		run processor(0, 1);
		run processor(1, 1);
		run processor(2, 0)
	}
}

ltl all_go_on { <> (finished == STOPPERS) }
