"""`python3 run.py bench [NAME ...]`: run the named benchmarks, or all of them."""

import importlib
import pkgutil
import sys

import benchmarks


def main() -> None:
    """Run them one after another."""
    names = sys.argv[1:] or sorted(
        module.name
        for module in pkgutil.iter_modules(benchmarks.__path__)
        if module.name != "__main__"
    )
    for name in names:
        print(f"== {name}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
