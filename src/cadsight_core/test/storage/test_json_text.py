import json
import math

import numpy as np
import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.storage.json_text import figures_text, json_text, with_nan
from hypothesis import given
from hypothesis import strategies as st


def refuse(word):
    raise AssertionError(word)


def test_a_number_that_is_not_finite_is_refused_with_its_position():
    with pytest.raises(CadsightError, match=r"^boxes\[1\]\.x is nan, expected a finite number$"):
        json_text({"boxes": [{"x": 1.0}, {"x": math.nan}]})
    with pytest.raises(CadsightError, match=r"^what is written is inf, expected a finite number$"):
        json_text(math.inf)


def test_a_figure_that_is_not_finite_becomes_null_and_is_nan_again():
    figures = {"map50": np.float32(math.nan), "loss": 0.5, "pictures": np.int64(3)}
    assert json.loads(figures_text(figures)) == {"map50": None, "loss": 0.5, "pictures": 3}
    back = with_nan({"map50": None, "loss": 0.5})
    assert math.isnan(back["map50"])
    assert back["loss"] == 0.5


@given(
    st.recursive(
        st.floats() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_figures_of_any_shape_are_json_by_the_letter(value):
    json.loads(figures_text(value), parse_constant=refuse)
