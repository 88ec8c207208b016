"""The one kind of error that a user reads."""


class CadsightError(ValueError):
    """One sentence for the user: the thing, what came, and what was expected."""
