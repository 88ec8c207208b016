"""What our libraries log in Python's own way, in a node's log."""

import logging

from rclpy.impl.rcutils_logger import RcutilsLogger


class PassedOn(logging.Handler):
    """Passes on to ``logger`` what the library ``name`` logs, from :data:`logging.INFO` on, until it is closed.

    The library knows nothing of ROS, and a node's user looks nowhere else.
    """

    def __init__(self, name: str, logger: RcutilsLogger) -> None:
        super().__init__(logging.INFO)
        self._source, self._logger = logging.getLogger(name), logger
        self._source.setLevel(logging.INFO)
        self._source.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        # One line a severity: rclpy refuses a call that changes it.
        if record.levelno >= logging.WARNING:
            self._logger.warning(record.getMessage())
        else:
            self._logger.info(record.getMessage())

    def close(self) -> None:
        self._source.removeHandler(self)
        super().close()
