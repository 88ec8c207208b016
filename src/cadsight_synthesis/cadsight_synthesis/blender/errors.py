"""What the program answers instead of pictures."""


class SceneError(ValueError):
    """One sentence for the user: the thing, what came, what was expected."""
