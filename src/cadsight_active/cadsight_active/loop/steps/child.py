"""The steps of a loop that take long, in a process of their own with what others leave of the processor."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cadsight_core.config.parameters import from_mapping
from cadsight_core.running.telling import DiedError, Tell, child_main, run_telling
from cadsight_core.sample import Sample
from cadsight_core.storage.files import write_atomically
from cadsight_core.storage.json_text import json_text

from cadsight_active.loop.history import BatchChosen, Gated, Learned
from cadsight_active.loop.options import LoopOptions
from cadsight_active.pool.seen import Seen
from cadsight_active.pool.seen_file import load_seen

_MODULE = "cadsight_active.loop.steps.child"
# Of a step whose process dies.
_ATTEMPTS = 3


@dataclass(frozen=True)
class LookedAgain:
    """How many images were looked at."""

    images: int


class StoppedError(Exception):
    """A step was stopped and is to be done again; no fault."""


class Work:
    """Does the long steps of the loop in ``folder`` aside.

    Args:
        scratch: folder for what the processes are told and answer.
        tell: is called with each step.
    """

    def __init__(self, scratch: Path, options: LoopOptions, tell: Tell) -> None:
        self._scratch, self._options, self._tell = scratch, options, tell
        self._stopped = False
        self._process: subprocess.Popen[str] | None = None

    def choose(
        self, pool: Sequence[Sample], learned: Sequence[str], model: Path, cycle: int, folder: Path, named: str
    ) -> BatchChosen:
        """As :func:`cadsight_active.loop.steps.choosing.choose`."""
        images = [sample.to_json() for sample in pool]
        answer = self._done(
            "choosing a batch",
            {"step": "choose", "pool": images, "learned": list(learned), "model": str(model), "cycle": cycle,
             "folder": str(folder), "named": named},
        )  # fmt: skip
        return BatchChosen(answer["batch"], *(tuple(answer[key]) for key in ("learn", "audit", "notes")))

    def learn(self, earlier: Sequence[str], labelled: Sequence[str], model: Path, out: Path, cycle: int) -> Learned:
        """As :func:`cadsight_active.loop.steps.learning.learn`."""
        words = {"step": "learn", "earlier": list(earlier), "labelled": list(labelled)}
        answer = self._done(f"training {out.name}", {**words, "model": str(model), "out": str(out), "cycle": cycle})
        return Learned(**answer)

    def compare(self, served: Path, new: Path, audits: Sequence[str]) -> Gated:
        """As :func:`cadsight_active.loop.steps.learning.compare`."""
        words = {"step": "compare", "served": str(served), "new": str(new), "audits": list(audits)}
        return Gated(**self._done(f"comparing {new.name} with {served.name}", words))

    def look_again(self, samples: Sequence[Sample], model: Path) -> list[Seen]:
        """As :func:`cadsight_active.loop.steps.recalling.look_again`."""
        out = self._scratch / "seen.npz"
        words = {"step": "look_again", "images": [sample.to_json() for sample in samples]}
        what = f"looking at {len(samples)} kept images with {model.name}"
        self._done(what, {**words, "model": str(model), "out": str(out)})
        seen = load_seen(out)
        out.unlink()
        return seen

    def go_on(self) -> None:
        """Take steps again after :meth:`stop`."""
        self._stopped, self._process = False, None

    def stop(self) -> None:
        """End the process that runs, from another thread; what waits for it raises :class:`StoppedError`."""
        self._stopped = True
        if self._process is not None:
            self._process.kill()

    def _begin(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        if self._stopped:
            process.kill()

    def _refuse_stopped(self) -> None:
        if self._stopped:
            raise StoppedError("the loop was asked to stop")

    def _done(self, what: str, words: dict[str, Any]) -> dict[str, Any]:
        asked, answered = self._scratch / "asked.json", self._scratch / "answered.json"
        self._scratch.mkdir(parents=True, exist_ok=True)
        answered.unlink(missing_ok=True)
        write_atomically(asked, json_text({**words, "options": asdict(self._options)}))
        self._tell(what)
        for attempt in range(_ATTEMPTS):
            self._refuse_stopped()
            try:
                run_telling(_MODULE, [asked, answered], what, self._tell, aside=True, began=self._begin)
                break
            except DiedError:
                self._refuse_stopped()
                # Whatever killed it: a training goes on where it was.
                if attempt == _ATTEMPTS - 1:
                    raise
        self._tell("")
        found: dict[str, Any] = json.loads(answered.read_text())
        return found


def _work(words: list[str], tell: Tell) -> None:
    asked = json.loads(Path(words[0]).read_text())
    options = from_mapping(LoopOptions, asked["options"], "the loop")
    steps: dict[str, Callable[..., BatchChosen | Learned | Gated | LookedAgain]] = {
        "choose": _choose,
        "learn": _learn,
        "compare": _compare,
        "look_again": _look_again,
    }
    answer = steps[asked["step"]](asked, options, tell)
    write_atomically(Path(words[1]), json_text(asdict(answer)))


def _choose(asked: dict[str, Any], options: LoopOptions, tell: Tell) -> BatchChosen:
    from cadsight_learning.registry.card import load_card

    from cadsight_active.loop.steps.choosing import choose
    from cadsight_active.loop.steps.learning import in_classes

    model = Path(asked["model"])
    learned = in_classes(asked["learned"], load_card(model))
    pool = [Sample.from_json(one) for one in asked["pool"]]
    return choose(pool, learned, model, options, asked["cycle"], Path(asked["folder"]), asked["named"])


def _learn(asked: dict[str, Any], options: LoopOptions, tell: Tell) -> Learned:
    from cadsight_active.loop.steps.learning import learn

    out = Path(asked["out"])

    def progress(epoch: Any) -> None:
        tell(f"training {out.name}: epoch {epoch.epoch} of {epoch.epochs}")

    return learn(asked["earlier"], asked["labelled"], Path(asked["model"]), out, options, asked["cycle"], progress)


def _compare(asked: dict[str, Any], options: LoopOptions, tell: Tell) -> Gated:
    from cadsight_active.loop.steps.learning import compare

    served, new = Path(asked["served"]), Path(asked["new"])
    return Gated.of(served.name, new.name, compare(served, new, asked["audits"], options.gate))


def _look_again(asked: dict[str, Any], options: LoopOptions, tell: Tell) -> LookedAgain:
    from cadsight_active.loop.steps.recalling import look_again
    from cadsight_active.pool.seen_file import save_seen

    model, samples = Path(asked["model"]), [Sample.from_json(one) for one in asked["images"]]

    def progress(done: int) -> None:
        tell(f"looking at kept images with {model.name}: {done} of {len(samples)}")

    seen = look_again(samples, model, progress)
    save_seen(Path(asked["out"]), seen)
    return LookedAgain(len(seen))


if __name__ == "__main__":
    raise SystemExit(child_main(sys.argv[1:], _work))
