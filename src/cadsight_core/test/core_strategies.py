"""Hypothesis strategies for the vocabulary."""

import numpy as np
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.geometry import Pose
from hypothesis import strategies as st

sizes = st.builds(ImageSize, st.integers(8, 2000), st.integers(8, 2000))
lengths = st.floats(-2.0, 2.0, allow_nan=False)
vectors = st.tuples(lengths, lengths, lengths).map(np.array)
rotation_vectors = st.tuples(*[st.floats(-1.7, 1.7)] * 3).map(np.array)
poses = st.builds(Pose.from_rotvec, rotation_vectors, vectors)
directions = vectors.filter(lambda v: np.linalg.norm(v) > 1e-3)


@st.composite
def boxes(draw, image: ImageSize, smallest: float = 0.0):
    """Boxes inside ``image`` with sides of at least ``smallest`` pixels."""
    x = sorted((draw(st.floats(0, image.width - smallest)), draw(st.floats(0, image.width - smallest))))
    y = sorted((draw(st.floats(0, image.height - smallest)), draw(st.floats(0, image.height - smallest))))
    return Box(x[0], y[0], x[1] + smallest, y[1] + smallest)
