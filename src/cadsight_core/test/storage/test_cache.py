import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.storage.cache import cache_folder, cache_path


def test_one_variable_sets_the_folder_of_the_whole_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CADSIGHT_CACHE", str(tmp_path / "mine"))
    assert cache_path("meshes") == tmp_path / "mine" / "meshes"
    assert not (tmp_path / "mine").exists()
    assert cache_folder("meshes").is_dir()


def test_without_it_the_users_cache_is_taken(tmp_path, monkeypatch):
    monkeypatch.delenv("CADSIGHT_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_path("exports", "a") == tmp_path / "cadsight" / "exports" / "a"


def test_a_cache_that_cannot_be_made_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CADSIGHT_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(CadsightError, match="cannot be used: Not a directory, set CADSIGHT_CACHE"):
        cache_folder()
