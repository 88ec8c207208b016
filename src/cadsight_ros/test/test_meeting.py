import rclpy
from cadsight_ros.clients import spinning
from cadsight_ros.meeting import Meeting
from std_srvs.srv import Trigger


def test_a_server_is_asked_again_until_it_answers_and_then_never_again(node):
    server = rclpy.create_node("server")
    requests = []

    def on_question(request, response):
        requests.append(request)
        return response

    server.create_service(Trigger, "question", on_question)
    meeting = Meeting(node.create_client(Trigger, "question"), Trigger.Request())
    assert not meeting.wait(0.6), "nobody spins the server yet"
    with spinning(server):
        assert meeting.wait(60.0)
    assert requests
    server.destroy_node()
    assert meeting.wait(0.0), "a server that was met is not asked again"
