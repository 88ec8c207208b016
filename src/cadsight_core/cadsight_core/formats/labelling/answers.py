"""What comes back from a labelling tool, in the words that all of them share."""

from dataclasses import dataclass

from cadsight_core.sample import Source


@dataclass(frozen=True)
class Drawn:
    """A box as a tool gives it back.

    Attributes:
        name: of its class.
        x, y, width, height: as fractions of the image's width and height; ``width`` and ``height`` may be negative.
        degrees: how far it is turned, clockwise as the image is seen.
        about_corner: whether it turns about its corner at ``x, y``, else about its centre.
        stated: (width, height) in pixels of the image as the tool saw it, None where it does not say.
        id: of the guess that it was made from, or of its own.
        source: who drew it as the tool says, None where it says nothing. It can be wrong.
        score: that it carries, if any.
    """

    name: str
    x: float
    y: float
    width: float
    height: float
    degrees: float = 0.0
    about_corner: bool = True
    stated: tuple[float, float] | None = None
    id: str = ""
    source: Source | None = None
    score: float | None = None


@dataclass(frozen=True)
class Annotation:
    """What one person said of an image, all at once.

    Attributes:
        skipped: whether it was put aside, so that ``drawn`` does not count.
        finished: whether somebody said that this is all of it; where False it counts only with changes of the guess.
        chosen: whether it is marked as the one that holds.
        by: who made it, '' where that is not known.
        at: when it was changed last, as text that sorts by time.
    """

    drawn: tuple[Drawn, ...]
    skipped: bool = False
    finished: bool = True
    chosen: bool = False
    by: str = ""
    at: str = ""


@dataclass(frozen=True)
class Answer:
    """All that was said of one image.

    Attributes:
        where: it stands, such as ``export.json, task 7``.
        sha256: of the image's file, '' where the tool does not give it back.
        names: that the image may have, the most likely first.
        guesses: that the tool showed, where its file keeps them.
        drafts: annotations that were begun and not handed in.
        faults: what of it cannot be used, a sentence each.
    """

    where: str
    sha256: str
    names: tuple[str, ...]
    annotations: tuple[Annotation, ...]
    guesses: tuple[Drawn, ...] = ()
    drafts: int = 0
    faults: tuple[str, ...] = ()
