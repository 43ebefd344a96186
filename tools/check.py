#!/usr/bin/env python3
"""`make check`: one line a check when all is well, the complaints otherwise; then "check: N passed, N failed"."""
import argparse
import sys
import time

import layers
import lint
import mentions
import names
import promises
import sizes

CHECKS = {
    "floors": layers.check,
    "sizes": sizes.check,
    "names": names.check,
    "mentions": mentions.check,
    "promises": promises.check,
    **lint.CHECKS,
}


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    failed = 0
    for name, check in CHECKS.items():
        started = time.monotonic()
        complaints = check()
        seconds = time.monotonic() - started
        print(f"{name}: {'ok' if not complaints else f'{len(complaints)} complaints'} ({seconds:.1f} s)", flush=True)
        for complaint in complaints:
            print(complaint, flush=True)
        failed += bool(complaints)
    print(f"check: {len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
