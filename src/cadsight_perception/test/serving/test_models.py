import pytest
from cadsight_core.errors import CadsightError
from cadsight_perception.parameters import PerceptionParameters
from cadsight_perception.serving.models import serve


def parameters(models, **changes) -> PerceptionParameters:
    return PerceptionParameters(models_folder=str(models), warm_up_width=64, warm_up_height=48, **changes)


def test_only_the_model_that_changes_is_loaded(models):
    given = parameters(models)
    first = serve("detector", "normals", given)
    second = serve("detector", "other_normals", given, first)
    assert second.pipeline.detector is first.pipeline.detector
    assert second.pipeline.regressor is not first.pipeline.regressor
    assert serve("detector", "other_normals", given, second) is second


@pytest.mark.parametrize(
    ("detector", "regressor", "sentence"),
    [
        ("nowhere", "normals", "no model"),
        ("normals", "normals", "is a model of kind 'normals', expected 'detector'"),
        ("detector", "detector", "is a model of kind 'detector', expected 'normals'"),
        ("../detector", "normals", "leads out of the folder"),
        ("/etc", "normals", "leads out of the folder"),
    ],
)
def test_a_model_that_cannot_be_served_is_refused_by_name(models, detector, regressor, sentence):
    with pytest.raises(CadsightError, match=sentence):
        serve(detector, regressor, parameters(models))


def test_a_missing_registry_is_named(tmp_path):
    with pytest.raises(CadsightError, match=r"models_folder .*nowhere does not exist"):
        serve("detector", "normals", parameters(tmp_path / "nowhere"))


@pytest.mark.parametrize("changes", [{"confidence": 1.5}, {"max_detections": 0}, {"threads": -1}, {"silence_s": 0.0}])
def test_parameters_out_of_range_are_refused(models, changes):
    with pytest.raises(CadsightError, match=next(iter(changes))):
        parameters(models, **changes)
