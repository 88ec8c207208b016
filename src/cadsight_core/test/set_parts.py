"""A set as the product reads it, in the parts that most tests look at."""

from cadsight_core.formats import Reading, read


def set_parts(path, notes=None, *, class_attribute=None):
    """Samples, classes and the other entries of a set or one of its files; strict unless ``notes`` are given."""
    loaded = read(path, notes, Reading(class_attribute=class_attribute))
    return list(loaded.samples), loaded.classes, loaded.extra
