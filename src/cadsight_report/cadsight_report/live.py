"""What the perception node reported while it looked, and what its replay gave."""

from typing import Any

from cadsight_report.run_folder import RunFolder, read_json


def live_figures(run: RunFolder) -> dict[str, Any] | None:
    """The numbers of live.json, or None where nobody looked."""
    return _numbers(read_json(run.live / "live.json"))


def replay_figures(run: RunFolder) -> dict[str, Any] | None:
    """The numbers of replay.json and of its comparison with live.json, or None where the bag was not replayed."""
    report = read_json(run.live / "replay.json")
    if report is None:
        return None
    compared = _numbers(report.get("comparison")) or {}
    return (_numbers(report) or {}) | compared | {"differences": report.get("comparison", {}).get("differences", [])}


def latencies(run: RunFolder) -> list[float]:
    """Milliseconds from image in to result out of each frame."""
    report = read_json(run.live / "live.json") or {}
    return [float(result["latency_ms"]) for result in report.get("results", [])]


def _numbers(report: dict[str, Any] | None) -> dict[str, Any] | None:
    if report is None:
        return None
    return {key: value for key, value in report.items() if isinstance(value, int | float | str)}
