"""What `cadsight benchmark training` asks for; that it measures is shown by running it."""

import pytest
from cadsight_cli.benchmarks.learning.training import TrainingBenchmark
from cadsight_cli.main import build_parser
from cadsight_core.errors import CadsightError


def test_both_sides_train_with_the_same_options_and_one_epoch_more_than_counts():
    options = TrainingBenchmark(family="mask-rcnn", epochs=2, image_size=96, batch=4).options()
    assert (options.family, options.epochs, options.image_size, options.batch) == ("mask-rcnn", 3, 96, 4)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--image-size", "100"], "image size is 100"),
        (["--batch", "1"], "batch is 1"),
        (["--family", "mask-rcnn-lite0"], "the family is mask-rcnn-lite0, which nothing but CADsight trains"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_is_trained(words, sentence):
    args = build_parser(["benchmark"]).parse_args(["benchmark", "training", *words])
    with pytest.raises(CadsightError, match=sentence):
        args.run(args)
