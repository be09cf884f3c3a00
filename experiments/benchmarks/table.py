"""Every row of the table in docs/performance.rst by one command: the benchmarks, one after the other.

    python experiments/benchmarks/table.py [--only scale upper_bounds ...] [--samples 5]

Rows that depend on the sample are measured on seeds 1 to `--samples` (the proved upper ends on 0 to 5).  It takes some
hours on two cores, and means something on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROWS = {
    "scale": ["--large"],
    "lower_bounds": [],
    "sphere_margin": ["exact", "enumerated", "local", "real"],
    "upper_bounds": ["--seconds", "180"],
    "semidefinite_program": ["--points", "40"],
    "random_dictionary": [],
    "kernel_margin": [],
    "flow_speed": [],
    "playground": [],
    "time_limits": ["--seconds", "1", "5", "30"],
}
SAMPLED = (  # scripts that take `--seeds`
    "scale", "lower_bounds", "sphere_margin", "semidefinite_program", "random_dictionary", "kernel_margin",
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--samples", type=int, default=5)
    options = parser.parse_args()
    failed = 0
    for name in options.only:
        arguments = list(ROWS[name])
        if name in SAMPLED:
            arguments += ["--seeds", *map(str, range(1, options.samples + 1))]
        print(f"\n{name}.py {' '.join(arguments)}", flush=True)
        script = Path(__file__).with_name(f"{name}.py")
        failed += subprocess.run([sys.executable, str(script), *arguments]).returncode != 0
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
