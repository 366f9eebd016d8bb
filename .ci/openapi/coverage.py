"""Says which operations the fuzzer reached: how many requests each got, and which never succeeded.

Fails when an operation got no request at all.
"""

import collections
import json
import pathlib
import sys

METHODS = ("get", "put", "post", "patch", "delete")


def operations(document: pathlib.Path) -> list[str]:
    paths = json.loads(document.read_text())["paths"]
    return [f"{method.upper()} {path}" for path, item in paths.items() for method in METHODS if method in item]


def answers(report: pathlib.Path) -> dict[str, collections.Counter[int]]:
    found: dict[str, collections.Counter[int]] = collections.defaultdict(collections.Counter)
    for line in report.open():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder") or {}
        for case, interaction in recorder.get("interactions", {}).items():
            value = recorder["cases"][case]["value"]
            status = (interaction.get("response") or {}).get("status_code")
            if status:
                found[f"{value['method']} {value['path']}"][status] += 1
    return found


def main() -> int:
    document, report = map(pathlib.Path, sys.argv[1:])
    expected, found = operations(document), answers(report)
    silent = [name for name in expected if not found[name]]
    failing = [name for name in expected if name not in silent and not any(200 <= status < 400 for status in found[name])]
    print(f"\nOperations: {len(expected)}, requests: {sum(found[name].total() for name in expected)}")
    for name in expected:
        counts = ", ".join(f"{status} x {count}" for status, count in sorted(found[name].items()))
        print(f"  {name}: {counts or 'no request'}")
    print(f"Never succeeded: {', '.join(failing) or 'none'}")
    print(f"Not reached: {', '.join(silent) or 'none'}")
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main())
