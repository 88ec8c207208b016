import threading

from cadsight_ros.domains import own_domain
from std_msgs.msg import String


def test_a_test_gets_a_node_that_is_spun_in_a_domain_below_the_ports_of_linux(node):
    assert 1 <= own_domain() <= 100
    assert node.context.get_domain_id() == own_domain()
    received = threading.Event()
    node.create_subscription(String, "word", lambda message: received.set(), 10)
    publisher = node.create_publisher(String, "word", 10)
    for _ in range(100):
        publisher.publish(String(data="a"))
        if received.wait(0.1):
            break
    assert received.is_set()
