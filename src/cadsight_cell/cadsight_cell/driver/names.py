"""The names of ur_robot_driver's topics and services, which the motion node hears and the simulated driver offers."""

STATUS = "/io_and_status_controller"
ROBOT_MODE = f"{STATUS}/robot_mode"
SAFETY_MODE = f"{STATUS}/safety_mode"
ROBOT_PROGRAM_RUNNING = f"{STATUS}/robot_program_running"
RESEND_ROBOT_PROGRAM = f"{STATUS}/resend_robot_program"
SPEED_SCALING = "/speed_scaling_state_broadcaster/speed_scaling"
DASHBOARD = "/dashboard_client"
LIST_CONTROLLERS = "/controller_manager/list_controllers"
# Of DASHBOARD: what asks for something, and what asks about something.
DASHBOARD_COMMANDS = ("unlock_protective_stop", "play", "pause", "stop", "power_on", "power_off", "brake_release")
DASHBOARD_QUESTIONS = (
    "get_robot_mode", "get_safety_mode", "program_state", "program_running", "is_in_remote_control",
)  # fmt: skip
# Obeys the speed slider; drivers after Kilted have none, and their plain joint_trajectory_controller obeys it.
SCALED_CONTROLLER = "scaled_joint_trajectory_controller"
