"""The drivers of a real cell; another one is a module beside this one and a row here."""

from cadsight_cell.driver.facts.driver_facts import Driver
from cadsight_cell.driver.facts.realsense2_camera import REALSENSE2_CAMERA
from cadsight_cell.driver.facts.ur_robot_driver import UR_ROBOT_DRIVER

DRIVERS: tuple[Driver, ...] = (UR_ROBOT_DRIVER, REALSENSE2_CAMERA)
