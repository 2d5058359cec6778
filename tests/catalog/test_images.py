import numpy as np
import pytest
from PIL import Image

from sweeper.catalog.images import load
from sweeper.catalog.preprocessing import Pixels
from sweeper.errors import DataError

COLORS = {"blue": (0, 0, 255), "red": (255, 0, 0)}


@pytest.fixture
def folder(tmp_path):
    for name, color in COLORS.items():
        (tmp_path / "shots" / name).mkdir(parents=True)
        for i in range(3):
            Image.new("RGB", (20 + i, 30), color).save(tmp_path / "shots" / name / f"{i}.png")
    return tmp_path


def problem(folder, **options):
    with pytest.raises(DataError) as caught:
        load("images", {"path": "shots", **options}, folder)
    return caught.value.problems[0]


def test_subfolders_are_classes(folder):
    data = load("images", {"path": "shots"}, folder)
    assert data.x.shape == (6, 64, 64, 3)
    assert data.x.dtype == np.uint8
    assert data.info.class_names == ("blue", "red")
    assert data.y.tolist() == [0, 0, 0, 1, 1, 1]
    assert data.x[0, 0, 0].tolist() == [0, 0, 255]
    assert data.preprocessing == Pixels()


def test_size_and_color(folder):
    data = load("images", {"path": "shots", "size": 8, "color": "grayscale"}, folder)
    assert data.info.input_shape == (8, 8, 1)
    assert set(data.x[:, 0, 0, 0].tolist()) == {29, 76}  # luma of blue and red, ITU-R 601


def test_other_files_and_hidden_ones_are_passed_over(folder):
    (folder / "shots" / "red" / "notes.txt").write_text("three shots")
    (folder / "shots" / "red" / ".hidden.png").write_text("no image")
    (folder / "shots" / ".cache").mkdir()
    assert len(load("images", {"path": "shots"}, folder)) == 6


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1", "CMYK"])
def test_images_of_other_modes(folder, mode):
    suffix = "jpg" if mode == "CMYK" else "png"
    Image.new("RGB", (9, 9), (255, 255, 255)).convert(mode).save(folder / "shots" / "red" / f"x.{suffix}")
    data = load("images", {"path": "shots", "size": 8}, folder)
    assert data.x[-1].min() > 250


def test_sixteen_bits_are_scaled_and_not_clipped(folder):
    Image.fromarray(np.full((9, 9), 32768, dtype=np.uint16)).save(folder / "shots" / "red" / "deep.png")
    assert np.all(load("images", {"path": "shots", "size": 8}, folder).x[-1] == 128)


def test_an_image_is_turned_upright(folder):
    half = np.zeros((16, 16, 3), dtype=np.uint8)
    half[:8] = 255
    turned = Image.fromarray(half)
    exif = turned.getexif()
    exif[0x0112] = 3  # orientation: rotated by 180 degrees
    turned.save(folder / "shots" / "red" / "turned.png", exif=exif)
    image = load("images", {"path": "shots", "size": 16}, folder).x[-1]
    assert (image[0, 0, 0], image[-1, 0, 0]) == (0, 255)


@pytest.mark.parametrize("content", [b"", b"no image"])
def test_an_image_that_cannot_be_read_is_named(folder, content):
    (folder / "shots" / "red" / "broken.png").write_bytes(content)
    assert problem(folder).where.endswith("red/broken.png")


def test_an_image_that_ends_early_is_named(folder):
    whole = (folder / "shots" / "red" / "1.png").read_bytes()
    (folder / "shots" / "red" / "1.png").write_bytes(whole[:60])
    assert problem(folder).where.endswith("red/1.png")


def test_folders_that_are_no_classes(folder):
    (folder / "shots" / "green").mkdir()
    assert problem(folder).where.endswith("green")
    assert "two classes" in problem(folder / "shots", path="red").expected


def test_options_that_make_no_sense(folder):
    assert problem(folder, size=0).where == "data.size"
    assert problem(folder, size=True).where == "data.size"
    assert problem(folder, color="greyscale").cure == "did you mean 'grayscale'?"
    assert problem(folder, path="shot").cure == "did you mean 'shots'?"
    assert problem(folder, path="shots/red/1.png").received == "a file"
