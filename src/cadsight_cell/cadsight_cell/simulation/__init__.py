"""A cell that stands where the drivers stand: MuJoCo draws it, its motion is exact, its sensors err."""
