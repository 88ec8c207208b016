"""One page with images in it, to be looked at anywhere."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cadsight_core.imaging.images import Rgb, encode_image
from cadsight_core.storage.output_file import is_page, write_output
from jinja2 import Environment, StrictUndefined

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="CADsight">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
:root { color-scheme: light dark; font-family: system-ui, sans-serif; }
body { margin: 1.5rem auto; max-width: 90rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dt { opacity: .7; }
dd { margin: 0; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1rem; }
figure { margin: 0; }
img { width: 100%; height: auto; border-radius: .3rem; }
figcaption { font-size: .85rem; overflow-wrap: anywhere; }
.wrong img { outline: .25rem solid #d55e00; }
.wrong figcaption { color: #d55e00; }
</style>
</head>
<body>
<h1>{{ title }}</h1>
<dl>
{% for name, value in facts.items() %}<dt>{{ name }}</dt><dd>{{ value }}</dd>
{% endfor %}</dl>
<main>
{% for figure in figures %}<figure{% if figure.wrong %} class="wrong"{% endif %}>
<img src="data:image/jpeg;base64,{{ figure.data }}" alt="{{ figure.alt }}">
<figcaption>{{ figure.caption }}</figcaption>
</figure>
{% endfor %}</main>
</body>
</html>
"""


@dataclass(frozen=True, eq=False)
class Figure:
    """An image (H, W, 3) with what to write beneath it; ``wrong`` ones are marked."""

    image: Rgb
    caption: str
    wrong: bool = False


def write_page(path: str | Path, title: str, facts: Mapping[str, str], figures: Sequence[Figure]) -> Path:
    """Write a page that needs nothing else.

    Raises:
        CadsightError: when the disk refuses the bytes.
    """
    page = Environment(autoescape=True, undefined=StrictUndefined).from_string(_PAGE)
    entries = [
        {
            "data": base64.b64encode(encode_image(figure.image, "image.jpg")).decode(),
            "alt": f"image {number}",
            "caption": figure.caption,
            "wrong": figure.wrong,
        }
        for number, figure in enumerate(figures, 1)
    ]
    return write_output(path, page.render(title=title, facts=dict(facts), figures=entries), is_page)
