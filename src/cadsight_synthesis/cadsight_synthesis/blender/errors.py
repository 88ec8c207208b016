"""What the program answers instead of images."""


class SceneError(ValueError):
    """One sentence for the user: the thing, what came, what was expected."""
