"""Waits until a server has seen its client, which is a while after the client has seen the server.

A server drops the answer to a client that it has not matched yet ("client will not receive response"), and nobody
tells the client. The middleware announces the endpoints of a process in the order in which they were made: where the
server answers the youngest, it knows the ones before.
"""

import threading
import time
from typing import Any

# Between two questions; one that goes unanswered is lost for good.
_ASK_AGAIN_S = 0.25


class Meeting:
    """Asks a server's harmless question until it is answered, once."""

    def __init__(self, client: Any, question: Any) -> None:
        """``client`` is made after the endpoints that are to be known, ``question`` changes nothing at the server."""
        self._client, self._question = client, question
        self._met = False

    def wait(self, timeout_s: float) -> bool:
        """Whether the server has answered, now or before; another thread spins the node."""
        end = time.monotonic() + timeout_s
        answered = threading.Event()
        while not self._met:
            future = self._client.call_async(self._question)
            future.add_done_callback(lambda _: answered.set())
            self._met = answered.wait(min(_ASK_AGAIN_S, max(end - time.monotonic(), 0.0)))
            if not self._met:
                self._client.remove_pending_request(future)
                if time.monotonic() >= end:
                    return False
        return True
