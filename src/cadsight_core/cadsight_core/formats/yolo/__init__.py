"""YOLO's label files and data.yaml."""
