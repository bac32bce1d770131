"""The committed style sheet is what building it now would write."""

import pytest

from console.assets import building


def test_the_style_sheet_is_up_to_date():
    assert building.is_current(), "run: python -m console.assets"


def test_classes_of_the_templates_are_in_it():
    built = building.BUILT.read_text()
    assert ".btn-primary" in built
    assert "[data-theme=dark]" in built


def test_fonts_are_found_from_where_it_is_served():
    built = building.BUILT.read_text()
    assert "../vendor/inter/inter-latin-wght-normal.woff2" in built
    assert (building.BUILT.parent / "../vendor/inter/inter-latin-wght-normal.woff2").is_file()


def test_a_source_that_makes_no_sense_is_an_error(tmp_path, monkeypatch):
    broken = tmp_path / "console.css"
    broken.write_text('@import "./nothing-here.css";')
    monkeypatch.setattr(building, "SOURCE", broken)
    with pytest.raises(building.BuildFailed, match="nothing-here"):
        building.build(tmp_path / "out.css")
