#!/usr/bin/env python3
"""`make tsan-lib`: host tests with threads under ThreadSanitizer, and then with races built in, which it must find.

tsan.py PROGRAM...
Each program must pass without a report. Each race below is one substitution in a copy of one source (build/tsan/NAME); a
test built with it must end with "data race" reported. Last line: "tsan-lib: N passed, N failed".
"""
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path("build/tsan")
LIBRARY = "build/host-tsan/libcapos.a"
LINKS = re.compile(r"/\* links: ([^*]*) \*/")
RACE = "WARNING: ThreadSanitizer: data race"
SECONDS = 300
# Fewer rounds than without: each access is recorded.
INHERITED = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
ENVIRONMENT = INHERITED | {"CAPOS_TEST_SCALE": "20", "TSAN_OPTIONS": "halt_on_error=1"}


@dataclass
class Race:
    name: str
    test: str
    source: str
    old: str
    new: str


RACES = (
    Race("submission-published-without-release", "test_ring", "lib/ring.h",
         "ring_store_release(&ring->header.sq_tail, ring->header.sq_tail + 1)",
         "__atomic_store_n(&ring->header.sq_tail, ring->header.sq_tail + 1, __ATOMIC_RELAXED)"),
    Race("submissions-looked-at-without-acquire", "test_ring", "lib/ring.h",
         "ring_load_acquire(&ring->header.sq_tail) - (uint32_t)kernel->sq_head",
         "__atomic_load_n(&ring->header.sq_tail, __ATOMIC_RELAXED) - (uint32_t)kernel->sq_head"),
    Race("completions-published-without-release", "test_ring", "lib/ring.h",
         "ring_store_release(&ring->header.cq_tail, (uint32_t)kernel->cq_tail)",
         "__atomic_store_n(&ring->header.cq_tail, (uint32_t)kernel->cq_tail, __ATOMIC_RELAXED)"),
    Race("completions-taken-without-acquire", "test_ring", "lib/ring.h",
         "GUARD(ring_load_acquire(&ring->header.cq_tail) != head, STATUS_WOULD_BLOCK)",
         "GUARD(__atomic_load_n(&ring->header.cq_tail, __ATOMIC_RELAXED) != head, STATUS_WOULD_BLOCK)"),
    Race("stack-refilled-without-the-bitmaps-lock", "test_frame", "kernel/mem/frame.c",
         """	spinlock_acquire(&bitmap_lock);
	got = frame_bitmap_allocate_batch(&bitmap, 0, STACK_REFILL, batch);
	spinlock_release(&bitmap_lock);""",
         "	got = frame_bitmap_allocate_batch(&bitmap, 0, STACK_REFILL, batch);"),
    Race("stack-spilled-without-the-bitmaps-lock", "test_frame", "kernel/mem/frame.c",
         """	spinlock_acquire(&bitmap_lock);
	CHECK(frame_bitmap_free_batch(&bitmap, stack->frame, half) == STATUS_OK);
	spinlock_release(&bitmap_lock);""",
         "	CHECK(frame_bitmap_free_batch(&bitmap, stack->frame, half) == STATUS_OK);"),
    Race("capability-published-without-its-lock", "test_shared_tables", "kernel/task/process_capability.c",
         """	spinlock_acquire(&process->cap_lock);
	cap_table_publish(&process->caps, handle, hold);
	spinlock_release(&process->cap_lock);""",
         "	cap_table_publish(&process->caps, handle, hold);"),
    Race("capability-removed-without-its-lock", "test_shared_tables", "kernel/task/process_capability.c",
         """	spinlock_acquire(&process->cap_lock);
	status = cap_table_remove(&process->caps, handle, &hold);
	spinlock_release(&process->cap_lock);""",
         "	status = cap_table_remove(&process->caps, handle, &hold);"),
    Race("locks-released-without-release", "test_shared_tables", "kernel/arch/x86_64/spinlock.h",
         "(uint16_t)(lock->serving + 1), __ATOMIC_RELEASE", "(uint16_t)(lock->serving + 1), __ATOMIC_RELAXED"),
)


def run(command: list[str]) -> subprocess.CompletedProcess:
    try:
        return subprocess.run(command, env=ENVIRONMENT, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=SECONDS)
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace")
        return subprocess.CompletedProcess(command, -1, output + f"no end after {SECONDS} s\n")


def variable(name: str) -> list[str]:
    done = subprocess.run(["make", "-s", f"print-{name}", "HOST=host-tsan"], cwd=ROOT, check=True, text=True,
                          env=INHERITED, stdout=subprocess.PIPE)
    return done.stdout.split()


def sources_of(test: str) -> list[str]:
    """What the comment in the test's first lines names (mk/host.mk)."""
    match = LINKS.search((ROOT / f"tests/host/{test}.c").read_text())
    named = match[1].split() if match else []
    return [source for name in named for source in (variable(name) if name == "HOST_TASK_KERNEL" else [name])]


def run_test(program: str) -> str:
    """Empty, or what is wrong."""
    done = run([program])
    return "" if done.returncode == 0 and RACE not in done.stdout else done.stdout


def seed_race(race: Race, flags: list[str]) -> str:
    folder = BUILD / race.name
    text = (ROOT / race.source).read_text()
    if text.count(race.old) != 1:
        return f"{race.source} has this {text.count(race.old)} times, not once: {race.old}"
    changed = ROOT / folder / race.source
    changed.parent.mkdir(parents=True, exist_ok=True)
    changed.write_text(text.replace(race.old, race.new))
    program = str(folder / race.test)
    sources = [f"tests/host/{race.test}.c", *sources_of(race.test)]
    sources = [str(folder / source) if source == race.source else source for source in sources]
    # the changed copy is found first, as a header and as a member of the library
    if race.source.startswith("lib/") and race.source.endswith(".c"):
        sources.append(str(folder / race.source))
    built = run(["gcc", f"-I{folder}", *flags, "-fsanitize=thread", "-fno-strict-aliasing", "-o", program, *sources,
                 LIBRARY, "-lcmocka"])
    if built.returncode != 0:
        return built.stdout
    done = run([program])
    return "" if done.returncode != 0 and RACE in done.stdout else f"not found out:\n{done.stdout}"


def main() -> int:
    os.chdir(ROOT)
    flags = variable("HOST_FLAGS")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(zip([Path(name).name for name in sys.argv[1:]], pool.map(run_test, sys.argv[1:])))
        names = [f"race {race.name}" for race in RACES]
        outcomes += list(zip(names, pool.map(lambda race: seed_race(race, flags), RACES)))
    for name, complaint in outcomes:
        print(f"{name}: {'FAILED' if complaint else 'ok'}")
        if complaint:
            print(complaint)
    failed = sum(bool(complaint) for _, complaint in outcomes)
    print(f"tsan-lib: {len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
