#!/usr/bin/env python3
"""What an avatar costs with Pillow, the work of a Django that follows the guide and then does what the server does.

    pillow_avatar.py make FILE          writes a photograph of 3000 x 2000, turned by its EXIF
    pillow_avatar.py measure FILE TIMES prints milliseconds of CPU for each avatar: two numbers

The first number turns the picture upright and then makes it small, as most code does. The second makes it small
first, where Pillow's JPEG decoder may leave out half of the pixels: the least that Pillow can do.
"""

import io
import random
import sys
import time

from PIL import Image, ImageOps

SIZE = (3000, 2000)
FIT = (512, 512)
QUALITY = 85


def octave(rng, grain):
    width, height = SIZE[0] // grain + 2, SIZE[1] // grain + 2
    noise = Image.frombytes("RGB", (width, height), rng.randbytes(width * height * 3))
    return noise.resize(SIZE, Image.Resampling.BICUBIC)


def make(path):
    """Large shapes, detail and a little noise: about a megabyte, as a camera's picture of that size."""
    rng = random.Random(7)
    picture = octave(rng, 400)
    for grain, share in [(90, 0.35), (25, 0.16), (8, 0.08), (2, 0.05)]:
        picture = Image.blend(picture, octave(rng, grain), share)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(path, "JPEG", quality=90, exif=exif)


def upright_first(data):
    Image.open(io.BytesIO(data)).verify()
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    picture.thumbnail(FIT)
    return save(picture)


def small_first(data):
    Image.open(io.BytesIO(data)).verify()
    picture = Image.open(io.BytesIO(data))
    picture.thumbnail(FIT)
    return save(ImageOps.exif_transpose(picture).convert("RGB"))


def save(picture):
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def measure(path, times):
    with open(path, "rb") as file:
        data = file.read()
    costs = []
    for work in (upright_first, small_first):
        work(data)
        begun = time.process_time()
        for _ in range(times):
            work(data)
        costs.append((time.process_time() - begun) * 1000 / times)
    print(*(f"{cost:.2f}" for cost in costs))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", path]:
            make(path)
        case ["measure", path, times]:
            measure(path, int(times))
        case _:
            sys.exit(__doc__)
