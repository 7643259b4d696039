#!/usr/bin/env python3
"""Makes the pictures that the tests of crates/security/src/upload read: kinds that our own encoder cannot write.

Needs Pillow (scripts/requirements.txt). The results are committed; this is how they came to be.
"""

import io
import struct
import sys
import zlib
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).parent.parent / "crates/security/tests/pictures"
SIZE = (48, 32)
# Left half red, right half blue: which way is up shows.
RED, BLUE = (220, 30, 20), (20, 40, 210)
MARK = b"PLACE-THAT-MUST-GO"


def halves(mode="RGB"):
    picture = Image.new("RGB", SIZE, RED)
    picture.paste(BLUE, (SIZE[0] // 2, 0, *SIZE))
    return picture.convert(mode)


def exif(orientation=1):
    data = Image.Exif()
    data[0x0112] = orientation
    data[0x010E] = MARK.decode()
    place = data.get_ifd(0x8825)
    place[1], place[2] = "N", (52.0, 31.0, 12.0)
    place[3], place[4] = "E", (13.0, 24.0, 36.0)
    place[29] = MARK.decode()
    return data


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks):
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, body) for kind, body in chunks) + chunk(b"IEND", b"")


def header(width, height, depth=8, color=2):
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)


def save(name, picture, **how):
    picture.save(FOLDER / name, **how)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    profile = b"\0" * 128 + MARK
    save("exif.jpg", halves(), exif=exif(6), icc_profile=profile, comment=MARK)
    save("progressive.jpg", halves(), progressive=True, quality=90)
    save("grey.jpg", halves("L"))
    save("cmyk.jpg", halves("CMYK"))
    save("exif.webp", halves(), exif=exif(3), icc_profile=profile, xmp=MARK)
    save("lossless.webp", halves("RGBA"), lossless=True)
    frames = [halves(), halves().transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    save("animated.webp", frames[0], save_all=True, append_images=frames[1:], duration=100)
    save("animated.png", frames[0], save_all=True, append_images=frames[1:], duration=100)
    save("exif.png", halves(), exif=exif(8))
    save("palette.png", halves("P"))
    save("one-bit.png", halves("1"))
    # Pillow writes no colours of sixteen bits.
    row = b"\0" + struct.pack(">3H", *(sample * 257 for sample in RED)) * SIZE[0]
    body = zlib.compress(row * SIZE[1])
    (FOLDER / "sixteen-bit.png").write_bytes(png(header(*SIZE, depth=16), (b"IDAT", body)))
    zeros = zlib.compress(bytes(64 * 1024 * 1024), 9)
    pixels = zlib.compress((b"\0" + bytes(3) * SIZE[0]) * SIZE[1])
    (FOLDER / "text-bomb.png").write_bytes(
        png(header(*SIZE), (b"zTXt", b"Comment\0\0" + zeros), (b"iCCP", b"x\0\0" + zeros), (b"IDAT", pixels))
    )
    # More rows than the header says.
    (FOLDER / "row-bomb.png").write_bytes(png(header(4, 4), (b"IDAT", zeros)))
    (FOLDER / "zero-width.png").write_bytes(png(header(0, 4), (b"IDAT", pixels)))
    for path in sorted(FOLDER.iterdir()):
        print(f"{path.stat().st_size:8} {path.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
