"""Write word_tokenize.json: texts, and what NLTK 3.9 makes of them in lower case.

Usage: ``python tests/data/make_word_tokenize.py`` (on Python 3.11, whose tables the core has).
"""

from __future__ import annotations

import json
from pathlib import Path

from nltk.tokenize import NLTKWordTokenizer

TEXTS = [
    "Good muffins cost $3.88 (roughly 3,36 euros)\nin New York.  Buy me\ntwo of them.\nThanks.",
    "I can't, won't and shouldn't've; they'll say we're his dogs' and John's.",
    "\"Quoted,\" she said. ''Twice,'' he said: \"No!\"",
    "D'ye want more'n that? 'Tis so, 'twas so. I cannot. Gimme! Gonna wanna go, gotta lemme wanna",
    "\xabOui\xbb \u201cyes\u201d \u2018no\u2019 \u201eja\u201d \u2014 en\u2013dash \u2015bar\u2012",
    "a... b.. c. d .",
    "http://example.org/a?b=c&d=e#f, e-mail@host.net; 50% *bold* <tag> [x] {y}",
    "10:30 a,b 1,000 a::b :::1 :",
    "\u0130STANBUL \u039f\u0394\u039f\u03a3 \u03a3\u039f\u03a3 g\u0131mme 't\u0131\u017f",
    "dash--dash---dash",
    "`` already '' `one` ```three",
    "'a' 'ab' x'y z' ('') '''",
    "NUL\x00 nbsp\xa0ideographic\u3000line\u2028sep\x1cend\x85next",
    "\u0661\u0662\u0663:\u0664 \xb2:\xb2 a,\u0661",
    "\u65e5\u672c\u8a9e \u3001 \u4e2d\u6587\u3002\u0e44\u0e17\u0e22",
    "",
    ".",
    "a.)\"'",
    'a. "',
    "the end.'\n\n",
    "x's'm' he'll's don't's",
    "\U0001f600:\U0001f600 \xe9\u0301's can\u0301not cannot\u0301",
    "wanna\u0301 wanna. wanna",
]


def main() -> None:
    vectors = {text: NLTKWordTokenizer().tokenize(text.lower()) for text in TEXTS}
    path = Path(__file__).with_name("word_tokenize.json")
    path.write_text(json.dumps(vectors, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
