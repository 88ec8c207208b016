"""Figures of the paper, listed beside ours (Comillas, tables 1 and 2, YOLO nano on its real test images)."""

REAL_NANO = {
    "precision": 0.964,
    "recall": 0.849,
    "map50": 0.921,
    "map50_95": 0.916,
    "box_loss": 0.058,
    "object_loss": 0.117,
}
SYNTHETIC_NANO = {
    "precision": 1.000,
    "recall": 0.824,
    "map50": 0.850,
    "map50_95": 0.850,
    "box_loss": 0.271,
    "object_loss": 0.318,
}
TABLE = (
    ("precision", "Precision"),
    ("recall", "Recall"),
    ("map50", "mAP50"),
    ("map50_95", "mAP50:95"),
    ("box_loss", "Box loss"),
    ("object_loss", "Object loss"),
)
