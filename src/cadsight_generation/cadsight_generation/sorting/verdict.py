"""From what was measured of an image to its colour and the reason for it."""

from dataclasses import dataclass

from cadsight_core.sample import Sample

from cadsight_generation.sorting.options import Colour, SortingOptions


@dataclass(frozen=True)
class Measured:
    """What is known of a generated image.

    Attributes:
        nearest: the training image that it is most alike.
        residual: to that one, 0 to 1 (see :class:`.measures.residual.AlignedResidual`).
        copy_p: p-value of that residual among held-out real images: small for copies.
        distance: from what real images show, in deviations of held-out ones (see :mod:`.measures.quality`).
        quality_p: p-value of that distance among held-out real images: small for poor images.
        objects: how many the detector found, or the labels tell; None where neither is there.
        copied_objects: how many of them are copies by themselves; None where that is not told.
    """

    sample: Sample
    nearest: Sample
    residual: float
    copy_p: float
    distance: float
    quality_p: float
    objects: int | None
    copied_objects: int | None


@dataclass(frozen=True)
class SortedImage(Measured):
    """A generated image with its colour.

    Attributes:
        recombined: new as a whole, while each of its objects is a copy.
    """

    colour: Colour
    reason: str
    recombined: bool


def sorted_image(measured: Measured, options: SortingOptions, nothing_is_poor: bool) -> SortedImage:
    """The colour of an image: a copy first, as its quality is that of the training image; then by its quality.

    Args:
        nothing_is_poor: whether an image in which nothing is detected is poor.
    """
    colour, reason = _judged(measured, options, nothing_is_poor)
    recombined = colour == "green" and bool(measured.objects) and measured.copied_objects == measured.objects
    if recombined:
        reason += ", recombined: each of its objects is a copy by itself"
    return SortedImage(**vars(measured), colour=colour, reason=reason, recombined=recombined)


def _judged(one: Measured, options: SortingOptions, nothing_is_poor: bool) -> tuple[Colour, str]:
    if one.copy_p <= options.red:
        return "red", f"a copy of {one.nearest.name} (p {one.copy_p:.3f})"
    if nothing_is_poor and one.objects == 0:
        return "white", "poor: nothing is detected in it"
    if one.quality_p <= options.white:
        return "white", f"poor: far from what real images show (p {one.quality_p:.3f})"
    if one.quality_p <= options.yellow:
        return "yellow", f"nearly: farther than most real images from what they show (p {one.quality_p:.3f})"
    return "green", "new and good"
