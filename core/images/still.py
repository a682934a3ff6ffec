"""The neutral still: a grey study that shows a tone when no subject picture goes in."""

from __future__ import annotations

import numpy as np
from PIL import Image

# The Macbeth-like patches a colourist would look for, as sRGB; skin tones first.
_PATCHES = ((115, 82, 68), (194, 150, 130), (98, 122, 157), (87, 108, 67), (214, 126, 44), (175, 54, 60))


def neutral_still(width: int, height: int) -> Image.Image:
    """A sphere on a seamless grey sweep above a row of colour patches; RGB, `width` × `height` pixels.

    Shading is Lambert's cosine law with a soft contact shadow.
    """
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    unit = float(min(width, height))
    cx, cy, radius = width * 0.5, height * 0.44, unit * 0.24
    grey = 0.62 - 0.22 * (y / height)
    shadow_y, shadow_x = (
        (y - (cy + radius * 1.02)) / (radius * 0.28),
        (x - cx - radius * 0.25) / (radius * 1.15),
    )
    grey *= 1 - 0.55 * np.exp(-(shadow_x**2 + shadow_y**2))
    nx, ny = (x - cx) / radius, (y - cy) / radius
    inside = nx**2 + ny**2
    nz = np.sqrt(np.clip(1 - inside, 0, 1))
    light = np.clip(-0.5 * nx - 0.6 * ny + 0.62 * nz, 0, None)
    ball = 0.10 + 0.62 * light + 0.25 * np.clip(light, 0, 1) ** 24
    edge = np.clip((1 - np.sqrt(inside)) * radius, 0, 1)
    grey = grey * (1 - edge) + ball * edge
    picture = np.repeat((np.clip(grey, 0, 1) * 255)[..., None], 3, axis=2)
    size, gap = unit * 0.11, unit * 0.03
    left = (width - (len(_PATCHES) * size + (len(_PATCHES) - 1) * gap)) / 2
    top = height * 0.82
    for number, colour in enumerate(_PATCHES):
        x0 = int(left + number * (size + gap))
        picture[int(top) : int(top + size), x0 : int(x0 + size)] = colour
    return Image.fromarray(picture.astype(np.uint8), "RGB")
