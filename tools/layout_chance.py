"""Whether offsets look random: how many of them are distinct, and chi-square tests of their bits. And whether these
tests can tell: `calibrate` gives them samples that are fair and samples that are not."""
import random
from statistics import NormalDist

LEAST_DISTINCT = 99  # of a hundred
LEAST_CHANCE = 1e-4  # a sample less likely than this is not fair
BINS = 16
FAIR_SAMPLES = 400
# Of fair samples so many are less likely than 1 %; more than 12 of 400 would be so once in 10,000 tries.
RARE, MOST_RARE = 0.01, 12


def chance(square: float, freedom: int) -> float:
    """How likely chi-square is so large or larger, after Wilson and Hilferty (good to some percent of itself)."""
    spread = 2 / (9 * freedom)
    return 1 - NormalDist().cdf(((square / freedom) ** (1 / 3) - (1 - spread)) / spread**0.5)


def bits_chance(sample: list[int], bits: int) -> float:
    """Each bit is set in half of the sample."""
    half = len(sample) / 2
    ones = [sum(number >> bit & 1 for number in sample) for bit in range(bits)]
    return chance(sum((count - half) ** 2 / (half / 2) for count in ones), bits)


def bins_chance(sample: list[int], shift: int) -> float:
    """Four bits of it have each value equally often."""
    counts = [0] * BINS
    for number in sample:
        counts[number >> shift & BINS - 1] += 1
    wanted = len(sample) / BINS
    return chance(sum((count - wanted) ** 2 / wanted for count in counts), BINS - 1)


def steps_chance(sample: list[int], bits: int) -> float:
    """So is the difference of one and the next."""
    steps = [(after - before) % (1 << bits) for before, after in zip(sample, sample[1:])]
    return bins_chance(steps, bits - 4)


def least_chance(sample: list[int], bits: int) -> float:
    return min(
        bits_chance(sample, bits), bins_chance(sample, 0), bins_chance(sample, bits - 4), steps_chance(sample, bits)
    )


def check(name: str, sample: list[int], bits: int) -> list[str]:
    """Complaints about a sample of offsets, in pages."""
    complaints = []
    if not all(0 <= number < 1 << bits for number in sample):
        complaints.append(f"{name}: an offset is no number of {bits} bits: {min(sample)} to {max(sample)}")
    if (distinct := len(set(sample))) * 100 < LEAST_DISTINCT * len(sample):
        complaints.append(f"{name}: {distinct} of {len(sample)} are distinct")
    if (least := least_chance(sample, bits)) < LEAST_CHANCE:
        complaints.append(f"{name}: a fair sample is like this once in {1 / max(least, 1e-300):.3g} times")
    return complaints


def calibrate(count: int, bits: int) -> list[str]:
    """The tests on samples of that size: each unfair one must be found, and fair ones hardly ever."""
    source = random.Random(2)  # a sequence that everybody has
    fair = [[source.randrange(1 << bits) for _ in range(count)] for _ in range(FAIR_SAMPLES)]
    first = fair[0]
    high, low = 1 << bits - 1, 1
    unfair = {
        "the highest bit is never set": [number & ~high for number in first],
        "the lowest bit is always set": [number | low for number in first],
        "a bit in the middle is never set": [number & ~(1 << bits // 2) for number in first],
        "a bit is set three times out of four": [number | source.randrange(2) << bits // 2 for number in first],
        "three quarters of the range": [number * 3 // 4 for number in first],
        "one after the other": [first[0] + index for index in range(count)],
        "steps of one size": [(first[0] + index * (1 << bits - 3)) % (1 << bits) for index in range(count)],
        "the same numbers again and again": (first[: count // 4] * 4)[:count],
    }
    complaints = [f"not noticed: {what}" for what, sample in unfair.items() if not check("", sample, bits)]
    complaints += [f"a fair sample: {said}" for sample in fair for said in check("", sample, bits)]
    tests = (lambda one: bits_chance(one, bits), lambda one: bins_chance(one, 0), lambda one: steps_chance(one, bits))
    for index, test in enumerate(tests):
        if (rare := sum(test(sample) < RARE for sample in fair)) > MOST_RARE:
            complaints.append(f"test {index}: {rare} of {FAIR_SAMPLES} fair samples are less likely than {RARE}")
    return complaints
