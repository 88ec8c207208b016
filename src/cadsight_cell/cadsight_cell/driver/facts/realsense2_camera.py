"""realsense2_camera, the RealSense wrapper: github.com/IntelRealSense/realsense-ros.

Jazzy and Kilted release later versions than the newest that was read; ``installed`` reads those where they are.
"""

from cadsight_cell.driver.facts.driver_facts import Driver, DriverFacts

# 4.51.1 is the last one that knows the L515.
_ARGUMENTS_4_51 = frozenset(
    {
        "accel_fps", "align_depth.enable", "allow_no_texture_points", "calib_odom_file", "camera_name",
        "clip_distance", "colorizer.enable", "config_file", "decimation_filter.enable", "depth_module.exposure.1",
        "depth_module.exposure.2", "depth_module.gain.1", "depth_module.gain.2", "depth_module.profile",
        "device_type", "diagnostics_period", "enable_accel", "enable_color", "enable_confidence", "enable_depth",
        "enable_fisheye1", "enable_fisheye2", "enable_gyro", "enable_infra1", "enable_infra2", "enable_pose",
        "enable_sync", "gyro_fps", "infra_rgb", "initial_reset", "json_file_path", "linear_accel_cov", "log_level",
        "ordered_pc", "output", "pointcloud.enable", "pointcloud.stream_filter", "pointcloud.stream_index_filter",
        "pose_fps", "reconnect_timeout", "rgb_camera.profile", "rosbag_filename", "serial_no", "tf_publish_rate",
        "topic_odom_in", "tracking_module.profile", "unite_imu_method", "usb_port_id", "wait_for_device_timeout",
    }
)  # fmt: skip
_ARGUMENTS_4_55 = frozenset(
    {
        "accel_fps", "accelerate_gpu_with_glsl", "align_depth.enable", "angular_velocity_cov", "camera_name",
        "camera_namespace", "clip_distance", "colorizer.enable", "config_file", "decimation_filter.enable",
        "depth_module.depth_format", "depth_module.depth_profile", "depth_module.enable_auto_exposure",
        "depth_module.exposure", "depth_module.exposure.1", "depth_module.exposure.2", "depth_module.gain",
        "depth_module.gain.1", "depth_module.gain.2", "depth_module.hdr_enabled", "depth_module.infra1_format",
        "depth_module.infra2_format", "depth_module.infra_format", "depth_module.infra_profile", "device_type",
        "diagnostics_period", "disparity_filter.enable", "enable_accel", "enable_color", "enable_depth",
        "enable_gyro", "enable_infra", "enable_infra1", "enable_infra2", "enable_rgbd", "enable_sync", "gyro_fps",
        "hdr_merge.enable", "hole_filling_filter.enable", "initial_reset", "json_file_path", "linear_accel_cov",
        "log_level", "output", "pointcloud.allow_no_texture_points", "pointcloud.enable", "pointcloud.ordered_pc",
        "pointcloud.stream_filter", "pointcloud.stream_index_filter", "publish_tf", "reconnect_timeout",
        "rgb_camera.color_format", "rgb_camera.color_profile", "rgb_camera.enable_auto_exposure", "rosbag_filename",
        "serial_no", "spatial_filter.enable", "temporal_filter.enable", "tf_publish_rate", "unite_imu_method",
        "usb_port_id", "wait_for_device_timeout",
    }
)  # fmt: skip
_ARGUMENTS_4_56 = _ARGUMENTS_4_55 | {"depth_module.color_profile", "depth_module.inter_cam_sync_mode"}


def _topics(node: str) -> frozenset[str]:
    names = ("color/image_raw", "color/camera_info", "aligned_depth_to_color/image_raw")
    return frozenset(f"{node}/{name}" for name in names)


# Up to 4.51.1 its topics are relative to the namespace, which is the camera's name; since then they are the node's.
_OLD_TOPICS, _TOPICS = _topics("/camera"), _topics("/camera/camera")

REALSENSE2_CAMERA = Driver(
    "realsense2_camera",
    "the real camera: simulated:=false",
    ("launch/rs_launch.py",),
    "",
    (
        DriverFacts("4.51.1", ("humble",), "2026-11-28", "2a65533e", _ARGUMENTS_4_51, _OLD_TOPICS),
        DriverFacts("4.55.1", ("foxy", "humble", "iron"), "2026-11-28", "8a86cb88", _ARGUMENTS_4_55, _TOPICS),
        DriverFacts("4.56.1", ("foxy", "humble", "iron", "jazzy"), "2026-11-28", "53169f32", _ARGUMENTS_4_56, _TOPICS),
    ),
)
