"""The perception node, as the loop asks it to serve other models."""

import threading
from collections.abc import Callable

from cadsight_active.loop.cycle import SilentServerError
from cadsight_core.errors import CadsightError
from cadsight_core.served import ServedNames
from cadsight_ros.clients import ServiceClient, UnansweredError
from cadsight_ros.convert import qos
from cadsight_ros.convert.messages import served_models_from_message
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from cadsight_interfaces.msg import ServedModels
from cadsight_interfaces.srv import LoadModel

# Whoever is not there for so long is asked again later.
_FIND_S = 1.0
# A model may have to be exported for it first, on a machine that is busy.
_PATIENCE_S = 600.0


class PerceptionServer:
    """What the perception node called ``name`` serves, by its results, and its service to change that.

    Args:
        changed: is called with what serves when that is another generation, whoever changed it.
    """

    def __init__(self, node: Node, name: str, changed: Callable[[ServedNames], None]) -> None:
        self._changed = changed
        self._lock = threading.Lock()
        self._served: ServedNames | None = None
        group = ReentrantCallbackGroup()
        node.create_subscription(ServedModels, f"{name}/models", self._on_models, qos.RESULTS, callback_group=group)
        self._client: ServiceClient[LoadModel.Request, LoadModel.Response] = ServiceClient(
            node, LoadModel, f"{name}/load_model", timeout_s=_FIND_S, answer_s=_PATIENCE_S
        )

    def close(self) -> None:
        """End a call that waits."""
        self._client.give_up()

    def served(self) -> ServedNames:
        with self._lock:
            known = self._served
        # Without names nothing changes, and the answer says what there is.
        return known or self._asked(LoadModel.Request())

    def serve(self, detector: str) -> ServedNames:
        return self._asked(LoadModel.Request(detector=detector))

    def _asked(self, request: LoadModel.Request) -> ServedNames:
        try:
            answer = self._client.call(request)
        except UnansweredError as error:
            raise SilentServerError(str(error)) from error
        if not answer.success:
            raise CadsightError(f"{request.detector or 'the model'} is not served: {answer.message}")
        served = served_models_from_message(answer.models)
        self._note(served)
        return served

    def _on_models(self, message: ServedModels) -> None:
        self._note(served_models_from_message(message))

    def _note(self, served: ServedNames) -> None:
        with self._lock:
            # Results that were on their way may come behind the answer to a change.
            news = self._served is None or served.generation > self._served.generation
            if news:
                self._served = served
        if news:
            self._changed(served)
