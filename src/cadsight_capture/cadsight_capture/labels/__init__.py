"""Labels by colour and by kinematics, and whether they agree."""
