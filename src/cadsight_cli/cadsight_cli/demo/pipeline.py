"""The seven steps in their order; each is skipped when it is done and gone on with when it was broken off."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cadsight_core.config.parameters import from_mapping
from cadsight_core.errors import CadsightError
from cadsight_core.storage.folders.run_folder import SPLITS, RunFolder

from cadsight_cli.demo.pace import USUAL_DETECTOR_STEP_S, USUAL_NORMALS_STEP_S, Usual
from cadsight_cli.demo.resuming.anew import beside, discard, put_in_place
from cadsight_cli.demo.resuming.inputs import NEEDS, Inputs, dependents, differences, inputs_of, only_grew
from cadsight_cli.demo.resuming.journal import Journal
from cadsight_cli.demo.resuming.ownership import refuse_foreign_run
from cadsight_cli.demo.settings import DemoSettings, keep, kept
from cadsight_cli.demo.workcell_file import write_workcell
from cadsight_cli.yaml_file import node_section

# Seeds of the sessions, counted on from the run's own: each has a light, an exposure and calibration errors of its own.
_SEEDS = {"train": 1, "valid": 2, "test": 3, "live": 4}
# The test session's joints keep to another middle and other ranges than the training session's.
_TEST_SHIFT, _TEST_SPREAD = 0.15, 0.85
# How many images two processors that also draw the camera's images process without falling behind.
LIVE_FPS = 10.0


class Pipeline:
    """One run of ``cadsight demo``.

    Imports are inside the steps: a run that goes on near its end does not wait for what the first steps need.
    """

    def __init__(
        self, folder: Path, settings: DemoSettings, config: Path, recapture: bool, say: Callable[[str], None]
    ) -> None:
        """Open the run, and let the steps be done again that were done with something else.

        Args:
            recapture: sessions too, which are refused otherwise.

        Raises:
            CadsightError: when the folder is no run of ours, something cannot be read, or a session was captured with
                something else.
        """
        refuse_foreign_run(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.run, self.settings, self.config, self.say = RunFolder(folder.resolve()), settings, config.resolve(), say
        self.journal = Journal(self.run.steps)
        self.inputs = inputs_of(settings, self.config)
        self._go_back(recapture)
        keep(settings, self.run.settings)

    def steps(self) -> list[tuple[str, str, Callable[[str, bool], None]]]:
        """(name, title, work) of every step; work takes the title, and whether to make it beside an older result."""
        return [
            *((f"capture_{split}", f"1-2/7 capture {split}", self._capture(split)) for split in SPLITS),
            ("label", "3/7 label", self.label),
            ("data", "4/7 data", self.data),
            ("train_detector", "5/7 train detector", self.train_detector),
            ("train_normals", "5/7 train normals", self.train_normals),
            ("live", "6/7 live", self.live),
            ("replay", "6/7 replay", self.replay),
        ]

    def go(self) -> Path:
        """Do what is left to do, then report; returns the page."""
        for name, title, work in self.steps():

            def run(anew: bool, work: Callable[[str, bool], None] = work, title: str = title) -> None:
                work(title, anew)

            if not self.journal.run(name, run, self.inputs[name]):
                self.say(f"{title}: done before, in {self.journal.steps[name].seconds:.0f} s")
        self.journal.redo("report")
        self.journal.run("report", lambda _: self.report())
        return self.run.page

    def _go_back(self, recapture: bool) -> None:
        """Forget that steps are done whose inputs changed, and those that read them."""
        before = self._inputs_before()
        changed = {name: found for name in before if (found := differences(before[name], self.inputs[name]))}
        more = [name for name in changed if only_grew(name, before[name], self.inputs[name])]
        for name in changed:
            if name.startswith("capture_") and name not in more and not recapture and self._has_images(name):
                raise CadsightError(
                    f"the run {self.run.folder} holds a session that was captured otherwise ({name}: "
                    f"{', '.join(changed[name])}), expected the same, another --out, or --recapture, which replaces it "
                    "when the new one is complete"
                )
        reasons = {name: ", ".join(found) for name, found in changed.items()}
        reasons |= {name: f"{cause} is" for name, cause in dependents(list(changed))}
        for name in NEEDS:
            if name in more:
                self.journal.go_on(name, self.inputs[name])
                self.say(f"{name}: gone on with, since {reasons[name]}")
            elif name in reasons and name in self.journal.steps:
                discard(self.run, name)
                self.journal.redo(name, self.inputs[name], anew=True)
                self.say(f"{name}: done again, since {reasons[name]}")

    def _inputs_before(self) -> dict[str, Inputs]:
        """What the steps that were begun were begun with.

        Runs of earlier versions kept the settings of the whole run alone: their files are taken for today's.
        """
        begun = {name: step.inputs for name, step in self.journal.steps.items() if name in NEEDS}
        if not all(begun.values()) and self.run.settings.exists():
            then = inputs_of(kept(self.run.settings), self.config)
            begun = {name: found or then[name] for name, found in begun.items()}
        return {name: found for name, found in begun.items() if found}

    def _has_images(self, step: str) -> bool:
        manifest = self.run.session(step.removeprefix("capture_")).raw / "manifest.jsonl"
        return manifest.is_file() and manifest.stat().st_size > 0

    def _capture(self, split: str) -> Callable[[str, bool], None]:
        def capture(title: str, anew: bool) -> None:
            from cadsight_cli.demo.steps.capture import capture_session

            session = (beside(self.run) if anew else self.run).session(split)
            capture_session(
                split,
                getattr(self.settings, split),
                self._config(split),
                self._seed(split),
                session.truth,
                session.folder.parent,
                self._logs(f"capture_{split}"),
                title,
            )
            if anew:
                put_in_place(self.run, session.folder, self.say)

        return capture

    def label(self, title: str, anew: bool) -> None:
        from cadsight_cli.demo.progress import loop
        from cadsight_cli.demo.steps.labels import label

        for split in SPLITS:
            label(self.run.session(split).folder, self._config(split), loop(f"{title} {split}"))

    def data(self, title: str, anew: bool) -> None:
        from cadsight_cli.demo.progress import bar, loop
        from cadsight_cli.demo.steps.datasets import compose, write_files

        run, train = self.run, self.run.session("train")
        made = beside(run) if anew else run
        count, seed = self.settings.composed, self._seed("train")
        compose(train.labelled, train.background, count, seed, made.composed, loop(title))
        with bar(f"{title}, files", 1, "set") as progress:
            sessions = {split: run.session(split).labelled for split in SPLITS}
            write_files(sessions, made.composed, made.yolo, made.regression, made.coco, self.settings.square)
            progress.update(1)
        for piece in (made.composed, made.yolo, made.regression, made.coco) if anew else ():
            put_in_place(run, piece, self.say)

    def train_detector(self, title: str, anew: bool) -> None:
        from cadsight_learning.detection.ultralytics.options import YoloOptions

        from cadsight_cli.demo.progress import paced, training_bar
        from cadsight_cli.demo.steps.training import train_detector

        s = self.settings
        options = YoloOptions(epochs=s.detector_epochs, seconds=s.detector_seconds, seed=s.seed, square=s.square)
        train, valid = self.run.session("train").labelled, self.run.session("valid").labelled
        with training_bar(title) as progress:
            out = (beside(self.run) if anew else self.run).detector
            usual = Usual(
                USUAL_DETECTOR_STEP_S, f"--train {s.train // 2} --composed {s.composed // 2} in another --out"
            )
            train_detector(train, self.run.composed, valid, out, options, progress, paced(progress, usual))
        if anew:
            put_in_place(self.run, out, self.say)

    def train_normals(self, title: str, anew: bool) -> None:
        from cadsight_learning.options import NormalOptions

        from cadsight_cli.demo.progress import paced, training_bar
        from cadsight_cli.demo.steps.labels import part_of
        from cadsight_cli.demo.steps.training import train_normals

        s = self.settings
        # One session is few crops: small steps are many, and turns beyond what the arm makes would only be in the way.
        options = NormalOptions(
            batch=8,
            learning_rate=3e-3,
            turn_deg=10.0,
            epochs=s.normals_epochs,
            seconds=s.normals_seconds,
            seed=s.seed,
            image_size=s.normals_image_size,
            drawn=s.normals_drawn,
        )
        train, valid = self.run.session("train").labelled, self.run.session("valid").labelled
        with training_bar(title) as progress:
            out = (beside(self.run) if anew else self.run).normals
            # A step's work is that of its pixels.
            step_s = USUAL_NORMALS_STEP_S * (s.normals_image_size / 112) ** 2
            usual = Usual(step_s, f"--train {s.train // 2} in another --out")
            parts = [part_of(self._config("train"))]
            train_normals(train, valid, out, options, progress, parts, paced(progress, usual))
        if anew:
            put_in_place(self.run, out, self.say)

    def live(self, title: str, anew: bool) -> None:
        from cadsight_cli.demo.steps.live import run_live

        seconds, seed = self.settings.live_seconds, self._seed("live")
        run_live(
            seconds, self._config("live"), seed, self.run.detector.parent, self.run.live, self._logs("live"), title
        )

    def replay(self, title: str, anew: bool) -> None:
        from cadsight_cli.demo.steps.live import replay

        replay(self._config("live"), self.run, self._logs("replay"), title)

    def report(self) -> None:
        from cadsight_cli.demo.steps.reporting import report

        report(self.run.folder, "7/7 report")

    def _seed(self, split: str) -> int:
        return 10 * self.settings.seed + _SEEDS[split]

    def _logs(self, step: str) -> Path:
        return self.run.folder / "logs" / step

    def _config(self, split: str) -> Path:
        """The user's parameter file, with joint ranges of its own for the test session."""
        overrides: dict[str, dict[str, Any]] = {}
        if split == "train":
            # The shading of a single lamp would pass for the normal; the other sessions keep the lamp they begin with.
            overrides["simulated_cell"] = {"lamp_moves_every": self.settings.lamp_moves_every}
        if split == "live":
            overrides["simulated_cell"] = {"fps": LIVE_FPS}
        if split == "test":
            from cadsight_capture.capture_parameters import CaptureParameters

            given = from_mapping(CaptureParameters, node_section(self.config, "cadsight/capture"), str(self.config))
            home, spread = given.home_joints, given.spread_joints
            overrides["cadsight/capture"] = {
                "home_joints": [float(h + _TEST_SHIFT * s) for h, s in zip(home, spread, strict=True)],
                "spread_joints": [float(_TEST_SPREAD * s) for s in spread],
            }
        return write_workcell(self.config, overrides, self.run.folder / "config" / f"{split}.yaml")
