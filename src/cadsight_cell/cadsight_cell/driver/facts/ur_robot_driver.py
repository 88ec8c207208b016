"""ur_robot_driver: github.com/UniversalRobots/Universal_Robots_ROS2_Driver."""

from cadsight_cell.driver.facts.driver_facts import Driver, DriverFacts

# The same in all four versions, ur_rsp.launch.py's among them.
_ARGUMENTS = frozenset(
    {
        "activate_joint_controller", "controller_spawner_timeout", "controllers_file", "description_file",
        "description_launchfile", "headless_mode", "initial_joint_controller", "joint_limit_params_file",
        "kinematics_params_file", "launch_dashboard_client", "launch_rviz", "mock_sensor_commands",
        "physical_params_file", "reverse_ip", "reverse_port", "robot_ip", "rviz_config_file", "safety_k_position",
        "safety_limits", "safety_pos_margin", "script_command_port", "script_sender_port", "tf_prefix",
        "tool_baud_rate", "tool_device_name", "tool_parity", "tool_rx_idle_chars", "tool_stop_bits",
        "tool_tcp_port", "tool_tx_idle_chars", "tool_voltage", "trajectory_port", "update_rate_config_file",
        "ur_type", "use_mock_hardware", "use_tool_communication", "verify_robot_model", "visual_params_file",
    }
)  # fmt: skip
_CONTROLLERS = frozenset(
    {
        "force_mode_controller", "force_torque_sensor_broadcaster", "forward_effort_controller",
        "forward_position_controller", "forward_velocity_controller", "freedrive_mode_controller",
        "friction_model_controller", "gravity_update_controller", "io_and_status_controller",
        "joint_state_broadcaster", "joint_trajectory_controller", "passthrough_trajectory_controller",
        "speed_scaling_state_broadcaster", "tcp_pose_broadcaster", "tool_contact_controller",
        "ur_configuration_controller",
    }
)  # fmt: skip
_SCALED, _PRIMITIVES = {"scaled_joint_trajectory_controller"}, {"motion_primitive_forward_controller"}
# gpio_controller.cpp and speed_scaling_state_broadcaster.cpp; joint_state_broadcaster's is ros2_controllers'.
_TOPICS = frozenset(
    {
        "/io_and_status_controller/robot_mode", "/io_and_status_controller/robot_program_running",
        "/io_and_status_controller/safety_mode", "/joint_states", "/speed_scaling_state_broadcaster/speed_scaling",
    }
)  # fmt: skip
# gpio_controller.cpp and dashboard_client_ros.cpp; list_controllers is the controller manager's.
_DASHBOARD = (
    "brake_release", "get_robot_mode", "get_safety_mode", "is_in_remote_control", "pause", "play", "power_off",
    "power_on", "program_running", "program_state", "stop", "unlock_protective_stop",
)  # fmt: skip
_SERVICES = frozenset(
    {
        *(f"/dashboard_client/{name}" for name in _DASHBOARD),
        "/io_and_status_controller/resend_robot_program",
        "/controller_manager/list_controllers",
    }
)  # fmt: skip


def _version(version: str, branch: str, commit: str, controllers: set[str]) -> DriverFacts:
    return DriverFacts(
        version, (branch,), "2026-11-28", commit, _ARGUMENTS, _TOPICS, _SERVICES, _CONTROLLERS | controllers
    )


UR_ROBOT_DRIVER = Driver(
    "ur_robot_driver",
    "the real arm: simulated:=false",
    ("launch/ur_control.launch.py", "launch/ur_rsp.launch.py"),
    "config/ur_controllers.yaml",
    (
        _version("3.8.0", "jazzy", "a16a2687", _SCALED),
        _version("4.8.0", "kilted", "3252ef56", _SCALED | _PRIMITIVES),
        _version("6.0.0", "lyrical", "dcf9d0d1", _PRIMITIVES),
        _version("7.0.0", "main", "696e1a7b", _PRIMITIVES),
    ),
)
