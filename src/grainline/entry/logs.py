"""Logging, set up where a process begins: one event a line on standard error, JSON unless that is a terminal.

What we log on purpose holds nobody's data. Libraries are heard from warnings on only, because below that an HTTP client
tells addresses, and with them phones. Tracebacks are plain, without the local variables.
"""

import logging
import sys
from typing import TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor

# For the HTTP server, which would otherwise write lines of its own form to the standard output.
SERVER_LOGGING = {"loggers": {"_granian": {"handlers": [], "propagate": True}}}

BOTH: tuple[Processor, ...] = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what the standard error is at the moment of writing."""

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, given: TextIO) -> None:
        """Keep nothing: whoever redirects the standard error is heeded."""


def set_up(level: str) -> None:
    """Log from a level (debug, info, warning, error) on, ours by structlog or logging alike; the last call counts."""
    number = logging.getLevelNamesMapping()[level.upper()]
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _StandardError)]:
        root.removeHandler(handler)
    handler = _StandardError()
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=BOTH,
            processors=[ProcessorFormatter.remove_processors_meta, _renderer(terminal=sys.stderr.isatty())],
        )
    )
    root.addHandler(handler)
    root.setLevel(max(number, logging.WARNING))
    logging.getLogger("grainline").setLevel(number)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *BOTH, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _renderer(*, terminal: bool) -> Processor:
    if terminal:
        return structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    return structlog.processors.JSONRenderer(ensure_ascii=False)
