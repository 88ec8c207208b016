"""Pascal VOC's and CVAT's XML."""
