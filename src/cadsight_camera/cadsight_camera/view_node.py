"""Shows images in a browser, where no RViz is."""

from cadsight_core.errors import CadsightError
from cadsight_ros.convert import qos
from cadsight_ros.convert.images import from_message
from cadsight_ros.node.parameters import declare
from cadsight_ros.node.running import run
from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import Image

from cadsight_camera.pages import Pages
from cadsight_camera.parameters import ViewParameters


class ViewNode(Node):
    """Listens to the images only while somebody looks, so that none is drawn for nobody."""

    def __init__(self) -> None:
        super().__init__("view", namespace="cadsight")
        self._pages: Pages | None = None
        p = self._p = declare(self, ViewParameters)
        self._browsers = 0
        self._subscription: Subscription | None = None
        self._changed = self.create_guard_condition(self._listen)
        pages = self._pages = Pages(p.address, p.port, p.quality, self._watched)
        if p.port and not pages.address.endswith(f":{p.port}"):
            self.get_logger().warning(f"the port {p.port} is taken, so another one is used")
        self.get_logger().info(f"ready: look at {pages.address} in a browser, for {p.image_topic}")

    def destroy_node(self) -> None:
        if self._pages is not None:
            self._pages.close()
        super().destroy_node()

    def _watched(self, browsers: int) -> None:
        """So many look now; called by the threads of the page."""
        self._browsers = browsers
        self._changed.trigger()

    def _listen(self) -> None:
        if self._browsers and self._subscription is None:
            self._subscription = self.create_subscription(Image, self._p.image_topic, self._show, qos.IMAGES)
        elif not self._browsers and self._subscription is not None:
            self.destroy_subscription(self._subscription)
            self._subscription = None

    def _show(self, message: Image) -> None:
        if self._pages is None:
            return
        try:
            self._pages.show(from_message(message))
        except CadsightError as error:
            self.get_logger().warning(str(error), throttle_duration_sec=1.0)


def main() -> int:
    return run(ViewNode)


if __name__ == "__main__":
    raise SystemExit(main())
