"""How log lines look: for people on a terminal, and one JSON object a line for everything else."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog
from structlog.types import EventDict, Processor


def configure_logs(process: str, level: str, kind: str, stream: TextIO = sys.stderr) -> None:
    """Let every line of this process go to `stream`, from `level` on, as `kind` says.

    `auto` means the console's form on a terminal, and else JSON. Each line names the `process`,
    and the request that it is about, if there is one.
    """

    def name_process(_: object, __: str, line: EventDict) -> EventDict:
        return {"process": process, **line}

    is_console = kind == "console" or (kind == "auto" and stream.isatty())
    last: list[Processor] = (
        [structlog.dev.ConsoleRenderer()]
        if is_console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                name_process,
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
