"""Values of a pack that are right alone and wrong beside others."""


class Misfit(ValueError):
    """Two keys do not fit; it names the one to change, from the part that was checked downwards."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key}: {message}")
