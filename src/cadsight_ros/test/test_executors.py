import threading

from std_msgs.msg import Empty


def test_a_node_is_spun_on_whatever_is_destroyed_meanwhile(node):
    for _ in range(60):
        for passing in [node.create_subscription(Empty, "passing", lambda _: None, 1) for _ in range(50)]:
            node.destroy_subscription(passing)
    heard = threading.Event()
    node.create_subscription(Empty, "stays", lambda _: heard.set(), 1)
    publisher = node.create_publisher(Empty, "stays", 1)
    for _ in range(200):
        publisher.publish(Empty())
        if heard.wait(0.1):
            return
    raise AssertionError("the node is not spun any more")
