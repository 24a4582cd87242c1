"""Write the seeds of the fuzzers: a few small inputs per target, the same bytes every time.

    python cpp/fuzz/make_seeds.py

The texts are made up. A target reads its settings from the first bytes (see each target) and text
from the rest. FE ends a row, and a row that is FF is null (text_rows.hpp).
"""

from __future__ import annotations

import struct
from pathlib import Path

SEEDS = Path(__file__).parent / "seeds"

TEXTS = {
    "plain": "The ship's captain can't see 3.5 miles, can he? No...",
    "spaces": " \t a  b\r\nc \x1c d \x0b\u2003e\u3000f\u00a0g ",
    "capitals": "\u0391\u03a3 \u039f\u03a3\u03a3\u0391. A\u03a3. \u03a3 "
    "\u0130stanbul I\u0307 \u1e9e \u212a",
    "quotes": "\"He said: 'it''s ``fine''\", she wrote (\"really\")--or so. "
    "\u201cyes\u201d \u00abno\u00bb",
    "clitics": "cannot gonna gimme lemme wanna d'ye more'n 'tis 'twas they'll we've it's",
    "numbers": "1,000.50 3.14 $5 50% a,b 12:30 e.g. 1.. 2,,3 7.",
    "kana": "\u6771\u4eac\u3067\u3001\u30c6\u30b9\u30c8\u3002\u6587\u66f8\u306e\u9078\u629e\uff01",
    "emoji": "a\U0001f600b \U0001f468\u200d\U0001f469 \u0301\u0302 \U0010ffff \ud7ff\ue000",
    "long": "x" * 70 + " " + "\u00e9" * 40 + "!" * 65,
}
SEGMENTS = {
    "mids": "don't 3.14 1,000 a.b a..b e.g. x_1 a:b 1:2 it\u2019s a\u00b7b 'x' .5 5. "
    "a\uff07a 1\uff0c2 a\uff1ab 1\uff0e2",
    "hebrew": "\u05d0'5 \u05d0'\u05d0 \u05d0\"\u05d0 \u05d0\"a \u05d0'!",
    "joiners": "a\u200d\u2764!b !\u200d\u2139b ?! \u200d\u2764 \u6771\u200d\u2764x",
    "kana": "\u30ab_\u30ab \u30ab\u0301_\u0301\u30ab \u3042_a _\u3042 \uff3f\u30ab \u30ab\u30ab",
    "marks": "\u0301 \u0301a .\u0301a a.\u0301b 1,\u03012 \u0928\u094d\u092f\u093e "
    "\u0e19\u0e35\u0e48",
    "clusters": "\U0001f1e9\U0001f1ea\U0001f1eb \u0600a "
    "\u1100\u1161\u11a8 \u2764\ufe0f\u200d\u2764",
}
FORMS = {
    "decomposed": "e\u0301cole a\u0302\u0323 x\u0323\u0302 \u00e9\u0323 "
    "\u1112\u1161\u11ab \ud558\u11ab",
    "composed": "\u00e9cole \u1ead \ud55c "
    "\u0e01\u0e38\u0e48 \u0995\u09be \u0438\u0301 \u0c46\u0c56",
    "singletons": "\u212b\u2126\u037e\u0958\u0344\uf900\U0001d15e\u2adc\U0002f800",
    "compatible": "\ufb01 \uff21\uff22\u3000 \uff76\uff9e\uff8a\uff9f \uffa1\uffc2\uffa2 "
    "\u00a0\u2026\u00bd \u017f\u0323\u0307 \u1e9b\u0323 \ufdfa \ufc5e \u00a8\u0301",
    "blocked": "\u0b47\u0300\u0b3e \u0301e\u0301 a\u0315\u0300\u05ae\u0300b \u1100\u0300\u1161",
}
BAD = [b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"ok \xe2\x82 no"]
ROWS = b"\xfe".join(
    [TEXTS["plain"].encode(), b"", b"\xff", TEXTS["kana"].encode(), b"bad \xc3", b"the the the a"]
)
LINES = b'{"text": "a"}\n\n \t\r\n{"b": [1]}\r\n[2]\n{"c": "\\u00e9"} '


def texts(settings: bytes) -> dict[str, bytes]:
    """Every text after the same settings, and bytes that are not UTF-8."""
    seeds = {name: settings + text.encode("utf-8") for name, text in TEXTS.items()}
    return seeds | {f"bad-{i}": settings + bad for i, bad in enumerate(BAD)}


def rows(*settings: bytes) -> dict[str, bytes]:
    """The same rows after each of several settings."""
    return {f"rows-{i}": one + ROWS for i, one in enumerate(settings)}


def hostile_arrays() -> dict[str, bytes]:
    """Kind; then for every array length, offset, validity, buffers, null count, damage."""
    offsets = struct.pack("<4i", 0, 2, 1, 3)
    strings = b"\x03\x00" + b"\xff" + offsets + b"\x03abc" + b"\x00"
    wide = b"\x02\x00" + b"\x01" + struct.pack("<3q", 0, 1, 2) + b"\x02ab" + b"\xff"
    view = struct.pack("<i4sii", 13, b"abcd", 0, 1) + struct.pack("<i12s", 3, b"abc")
    views = b"\x02\x00" + b"\x03" + view + b"\x01" + b"\x10" + b"0123456789abcdef" + b"\x00"
    codes = b"\x02\x00" + b"\x03" + b"\x01\x00" + b"\x00"
    seeds = {"strings": b"\x00" + strings, "wide": b"\x01" + wide, "views": b"\x02" + views}
    seeds["dictionary"] = b"\x04" + strings + b"\x00" + codes
    damaged = {f"damage-{i}": b"\x00" + strings + bytes([i]) + b"\x01\x02" for i in range(1, 12)}
    return seeds | damaged


def rows_and_graphs() -> dict[str, bytes]:
    """Kind, then sizes and numbers; see lexrank_fuzz.cpp."""
    sparse = b"\x00\x04\x03" + b"\x01\x02\x03" + b"\x07\x04\x05\x05\x06\x05\x04\x03" * 4
    dense = b"\x01\x05\x03" + bytes(range(15)) + b"\x10\x01\x01\x03\x02"
    graph = b"\x02\x03" + b"\x02\x01\x00\x01\x02\x00\x01" * 3 + b"\x01\x0e"
    squares = b"\x00\x04\x03\x01\x00\x03\x07" + b"\xf3" * 12 + b"\x02\x04"  # found: 1e-160
    return {"sparse": sparse, "dense": dense, "graph": graph, "squares": squares}


def fasttext_model(loss: int, *, maxn: int = 0, quantised: bool = False, kept: int = -1) -> bytes:
    """A model file of fastText: six words, three labels, matrices of small numbers."""
    words = ["</s>", "the", "ship", "of", "sea", "\u00e9t\u00e9"]
    labels = ["__label__a", "__label__b", "__label__c"]
    dim, bucket = 4, 10
    model = struct.pack("<14id", 793712314, 12, dim, 5, 5, 1, 5, 2, loss, 3, bucket, 1, maxn, 9, 1)
    model += struct.pack("<iiiqq", 9, 6, 3, 50, kept)
    for names, kind in ((words, 0), (labels, 1)):
        for number, name in enumerate(names):
            model += name.encode() + b"\0" + struct.pack("<qb", 9 - number, kind)
    model += b"".join(struct.pack("<ii", 3 * i, i) for i in range(max(kept, 0)))
    rows = 6 + (bucket if kept < 0 else kept)
    numbers = [struct.pack("<f", (7 * i % 19 - 9) / 4) for i in range(256 * dim)]
    if quantised:
        codes = bytes(i * 37 % 256 for i in range(2 * rows))
        model += struct.pack("<bbqqi", 1, 1, rows, dim, len(codes)) + codes
        model += struct.pack("<iiii", dim, 2, 2, 2) + b"".join(numbers)
        model += bytes(rows) + struct.pack("<iiii", 1, 1, 1, 1) + b"".join(numbers[:256])
    else:
        model += struct.pack("<bqq", 0, rows, dim) + b"".join(numbers[: rows * dim])
    return model + struct.pack("<bqq", 0, 3, dim) + b"".join(numbers[: 3 * dim])


def thrift(*fields: tuple[int, object]) -> bytes:
    """A structure in Thrift's compact protocol: its ids, and numbers, texts, structures and lists.

    A number is (bits, number); a structure is bytes, as this function gives them.
    """

    def varint(value: int) -> bytes:
        low = value & 0x7F
        return bytes([low]) if value < 0x80 else bytes([low | 0x80]) + varint(value >> 7)

    def encoded(value: object) -> tuple[int, bytes]:
        match value:
            case (int(bits), int(number)):
                return {32: 5, 64: 6}[bits], varint(
                    number << 1 if number >= 0 else ~number << 1 | 1
                )
            case str():
                return 8, varint(len(value.encode())) + value.encode()
            case bytes():
                return 12, value
            case list():
                elements = [encoded(one) for one in value]
                return 9, bytes([len(value) << 4 | elements[0][0]]) + b"".join(
                    element for _, element in elements
                )
        raise TypeError(value)

    out, last = b"", 0
    for number, value in fields:
        kind, content = encoded(value)
        out += bytes([number - last << 4 | kind]) + content
        last = number
    return out + b"\x00"


def parquet_files() -> dict[str, bytes]:
    """What is read: a footer after its place, a page header, plain values, indices."""

    def chunk(path: str, values: int, at: int) -> bytes:
        column = thrift(
            *((1, (32, 6)), (2, [(32, 0), (32, 8)]), (3, [path]), (4, (32, 6)), (5, (64, values))),
            *((6, (64, 90)), (7, (64, 50)), (9, (64, at + 20)), (11, (64, at))),
        )
        return thrift((2, (64, at)), (3, column))

    schema = [
        thrift((4, "schema"), (5, (32, 2))),
        thrift((1, (32, 6)), (3, (32, 1)), (4, "text"), (6, (32, 0))),
        thrift((1, (32, 6)), (3, (32, 2)), (4, "tags")),
    ]
    groups = [
        thrift(
            (1, [chunk("text", 20, at), chunk("tags", 31, at + 50)]), (2, (64, 100)), (3, (64, 20))
        )
        for at in (4, 104)
    ]
    footer = thrift((1, (32, 2)), (2, schema), (3, (64, 40)), (4, groups), (6, "a writer"))
    page = thrift(
        (1, (32, 0)), (2, (32, 90)), (3, (32, 50)), (5, thrift((1, (32, 20)), (2, (32, 8))))
    )
    levels = ((5, (32, 4)), (6, (32, 3)))
    second = thrift((1, (32, 20)), (2, (32, 1)), (3, (32, 20)), (4, (32, 0)), *levels)
    return {
        "footer": b"\x00" + struct.pack("<I", 204) + footer,
        "page": b"\x01" + page + b"what follows",
        "page-2": b"\x01" + thrift((1, (32, 3)), (2, (32, 90)), (3, (32, 50)), (8, second)),
        "dictionary": b"\x01"
        + thrift((1, (32, 2)), (2, (32, 9)), (3, (32, 9)), (7, thrift((1, (32, 2))))),
        "values": b"\x02\x03" + b"\x03\x00\x00\x00abc" + b"\x00" * 4 + b"\x02\x00\x00\x00de",
        "indices": b"\x03\x04\x00\x00" + b"\x02\x0a\x01\x03\xe4\xe4",
        "levels": b"\x03\x04\x00\x02" + b"\x01\x00\x00\x00L" * 2 + b"\x02\x0a\x01\x03\xe4\xe4",
        "wide": b"\x03\x00\x01\x00" + b"\x0b\x05" + bytes(range(22)),
    }


def seeds() -> dict[str, dict[str, bytes]]:
    """Topic, name and content of every seed."""
    return {
        "arrow": hostile_arrays(),
        "chunk": rows(b"\x00\x03\x01\x00\x01\x00", b"\x01\x02\x01\x02\x01\x01\x00\x01\x02"),
        "classifier": rows(
            b"\x01\x04\x00\x01\x00\x05", b"\x08\x03\x02\x00\x01\x2a", b"\x20\x02\x04\x01\x05\x07"
        ),
        "contamination": rows(
            b"\x01\x02\x01\x08\x00\x01", b"\x01\x04\x02\x01\x03\x00", b"\x00\x0c\x03\x00\x04\x01"
        )
        | {
            "shared": b"\x01\x01\x01\x08\x02\x01" + b"a b c d e f\xfe" + b"x a b c y b c d e\xfea b"
        },
        "fasttext": {
            "softmax": fasttext_model(3),
            "tree": fasttext_model(1, maxn=3),
            "one_vs_all": fasttext_model(4, maxn=2),
            "quantised": fasttext_model(3, quantised=True),
            "pruned": fasttext_model(2, quantised=True, kept=3, maxn=2),
        },
        "json": {
            "plain": b'\x00{"id": 1, "text": "a b", "tags": [null, true, {"x": -1.5e3}]}',
            "escapes": b'\x00{"text": "\\u00e9\\n\\ud83d\\ude00\\ud800 \xe6\x9d\xb1", "a": {}}',
            "nested": b'\x01{"doc": {"body": "' + b"x" * 150 + b'"}, "text": 3}',
            "null": b'\x03{"a": {"b": null}}',
            "names": b'\x04{"t\\"\\\\\\n": "a", "text": "b", "text": "c"}',
        },
        "language_model": {
            "texts": b"\x01\x30\x02\x01"
            + b"\xfe".join([b"the ship the sea", b"a sea", b"the sea x"]),
            "one": b"\x04\x00\xff\x00" + b"abcabcabcabd",
            "unknown": b"\x02\x07\x01\x01" + b"aab\xfe\xfezzz\xfeaabz",
        },
        "lexrank": rows_and_graphs(),
        "lines": texts(b"")
        | {"lines": LINES, "sentences": b"Dr. A. B. went. He is. \n\n (So.) on"},
        "minhash": rows(b"\x00\x00", b"\x03\x01", b"\x04\x01"),
        "ngram": rows(
            b"\x01\x04\x00\x01\x00\x01", b"\x0a\x05\x02\x01\x01\x03", b"\x20\x02\x04\x01\x09\x04"
        ),
        "normalizer": texts(b"\x00")
        | {name: b"\x3d" + text.encode() for name, text in FORMS.items()},
        "pair_counts": texts(b"\x01\x00\x10\x07\x00")
        | {name: b"\x01\x00\x10\x07\x01" + text.encode() for name, text in SEGMENTS.items()}
        | {
            "bytes": b"\x00\x01\x10\x07\x01" + b"a Bc\xfea\xc3\xa9\xfe\xfebad \xc3",
            "points": b"\x02\x01\x02\x00\x00" + "Éé ß\u3000東京\u0301 \u1100\u1161".encode(),
        },
        "parquet": parquet_files(),
        "prototypes": {f"rows-{i}": bytes(i * j % 251 for j in range(200)) for i in (1, 7, 40)},
        "quality": rows(b"\x00\x00\x01\x00", b"\x01\x03\x01\x01", b"\x02\x04\x01\x02"),
        "segments": texts(b"\x00")
        | {name: b"\x02" + text.encode() for name, text in SEGMENTS.items()},
        "simd": texts(b"\x05\x02\x03\x01\x09\x00\x02\x01"),
        "terms": rows(b"\x00\x00\x01\x00", b"\x01\x04\x01\x01"),
        "word_tokenize": texts(b"\x00") | {"twice": b"\x05" + TEXTS["clitics"].encode()},
        "wordpunct": texts(b"\x00") | {"twice": b"\x05" + TEXTS["capitals"].encode()},
    }


def main() -> None:
    """Write them."""
    for topic, of_topic in seeds().items():
        folder = SEEDS / topic
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in of_topic.items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
