"""`make fuzz` finds what it is there for, and gives the same input again."""

import json
from random import Random

import pytest
from script_module import script

script("fuzz_readers")  # which puts our scripts where they are found

from fuzzing.inputs import Inputs  # noqa: E402
from fuzzing.limits import Limits  # noqa: E402
from fuzzing.mutation import mutated  # noqa: E402
from fuzzing.registry import ROOMS, reader  # noqa: E402
from fuzzing.watch import SeedError, fuzz  # noqa: E402
from planted_readers import READ, planted  # noqa: E402

LIMITS = Limits(seconds=0.3, memory=100 << 20)
SEEDS = {
    ".json": b'{"a": [1, 2, {"b": "c"}], "d": 0.5}',
    ".yaml": b"a: [1, 2]\nb: {c: d}\n",
    ".xml": b"<a><b c='1'>2</b><b/></a>",
    ".csv": b'a,b\n1,"{""c"": 2}"\n',
    ".txt": b"0 0.5 0.5 0.1 0.1\n",
    ".bin": bytes(range(256)),
}


def run(name, folder, most):
    return fuzz(planted, name, 120.0, folder, limits=LIMITS, most=most)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("traceback", "exception"),
        ("hang", "hang"),
        ("hang of a child", "hang"),
        ("memory", "memory"),
        ("death", "death"),
    ],
)
def test_a_planted_fault_is_found_and_kept_with_what_makes_it_again(tmp_path, name, kind):
    tally = run(name, tmp_path / "kept", 60 if kind == "exception" else 3)
    assert {found for found, _ in tally.falls} == {kind}
    assert tally.inputs >= 3
    for folder in tally.kept.values():
        document = json.loads((folder / "fall.json").read_text())
        assert (document["reader"], document["kind"], document["changed"]) == (name, kind, "a.json")
        changed, files = (folder / "input" / "a.json").read_bytes(), {f.name for f in (folder / "input").iterdir()}
        assert files == {"a.json", "beside.txt"}
        assert changed != json.dumps(planted.__globals__["WHOLE"]).encode()
        if kind == "exception":
            with pytest.raises((KeyError, TypeError, IndexError)):
                READ[name](folder / "input")


def test_a_sound_reader_does_not_fall(tmp_path):
    tally = run("sound", tmp_path / "kept", 200)
    assert tally.inputs >= 200
    assert not tally.falls
    assert not (tmp_path / "kept").exists()


def test_a_seed_that_is_not_read_is_told(tmp_path):
    with pytest.raises(SeedError, match="the seed only of wrong seed is not read"):
        run("wrong seed", tmp_path, 1)


def test_an_input_is_the_same_again_and_another_for_another_seed(tmp_path):
    planted("sound").seeds(tmp_path)
    first, again, other = (
        [Inputs(planted("sound"), tmp_path, number)[n].data for n in range(50)] for number in (0, 0, 1)
    )
    assert first == again
    assert sum(a != b for a, b in zip(first, other, strict=True)) > 40


@pytest.mark.parametrize("suffix", SEEDS)
def test_changed_files_are_others_and_small_and_some_of_them_still_parse(suffix):
    made = [mutated(SEEDS[suffix], suffix, [SEEDS[suffix]], Random(n)) for n in range(400)]
    assert sum(data != SEEDS[suffix] for data in made) > 350
    assert max(map(len, made)) <= 1_000_000
    if suffix == ".json":
        parsed = 0
        for data in made:
            try:
                json.loads(data)
                parsed += 1
            except (ValueError, RecursionError):
                continue
        assert parsed > 150


@pytest.mark.parametrize("name", [name for name in ROOMS if name not in ("step", "weights", "card")])
def test_what_the_readers_are_tried_with_is_read_when_nobody_changed_it(tmp_path, name):
    found = reader(name)
    found.seeds(tmp_path / "seeds")
    seeds = sorted((tmp_path / "seeds").iterdir())
    assert seeds
    for seed in seeds:
        assert [f for f in seed.rglob("*") if f.suffix in found.suffixes]
        found.read(seed)
