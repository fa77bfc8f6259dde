"""What stops a command before it has an answer."""


class CouldNotRun(Exception):  # noqa: N818 - read as a sentence: raise CouldNotRun
    """The command cannot do its work (exit code 2): a sentence, and what to do about it.

    ``message`` is lower case, the thing in backticks, without a full stop; ``hint`` begins with a
    verb.
    """

    exit_code = 2

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
