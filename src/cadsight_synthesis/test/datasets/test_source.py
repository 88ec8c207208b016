"""A recipe's identity, by which a set knows that it is gone on with."""

from dataclasses import replace
from pathlib import Path

from cadsight_synthesis.datasets.source import recipe_identity
from cadsight_synthesis.recipes.reader import read_recipe

BRACKET = Path(__file__).parents[4] / "config/parts/bracket.yaml"
# What the last version gave that called an image a picture.
DIGEST = "e3758e31c6b157612d12970eaf38c79cdd9ee9b59d4fbd9f821199b131132f03"


def identity(path: Path) -> dict:
    recipe = read_recipe(path)
    return recipe_identity(replace(recipe, parts=(replace(recipe.parts[0], mesh="bracket.ply"),)))


def test_a_recipe_in_the_words_of_an_earlier_version_is_the_same_recipe(tmp_path, caplog):
    path = tmp_path / "wet.yaml"
    for image in ("picture", "image"):
        path.write_text(
            f"kind: weather\nname: wet\nseed: 3\nparts: [{BRACKET}]\n"
            f"{image}: {{width: 64, height: 48}}\nenvironment: {{{image}s: []}}\n"
        )
        assert identity(path)["recipe_sha256"] == DIGEST
    assert [record.message for record in caplog.records] == [
        f"{path} line 5 has the key 'picture', which is called 'image' now",
        f"{path} line 6, environment has the key 'pictures', which is called 'images' now",
    ]
