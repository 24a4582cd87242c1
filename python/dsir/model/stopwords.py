"""English stop words: the function words of the language, as the tokenisers cut them.

The list holds the closed word classes of English grammar. Contractions are cut in both ways:
"don't" is `don ' t` for wordpunct and `do n't` for word_tokenize. Content words are left out,
whatever their frequency. This is version 1. A change needs a new version, because the share of
informative tokens, and with it a filter, depends on the list.
"""

from __future__ import annotations

STOP_WORDS_VERSION = 1

_CLASSES = {
    "articles and determiners": """
        a an the this that these those each every either neither some any no none all both half
        much many more most few fewer fewest little less least several enough such other another
        others own same what which whichever whatever whose
    """,
    "personal, possessive and reflexive pronouns": """
        i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his
        himself she her hers herself it its itself they them their theirs themselves one oneself
        thou thee thy thine ye
    """,
    "other pronouns": """
        who whom whoever whomever someone somebody something anyone anybody anything everyone
        everybody everything nobody nothing noone
    """,
    "prepositions": """
        about above across after against along alongside amid among amongst around as at before
        behind below beneath beside besides between beyond by concerning despite down during except
        for from in inside into like near of off on onto out outside over past per regarding since
        than through throughout till to toward towards under underneath unlike until unto up upon
        versus via with within without
    """,
    "conjunctions": """
        and but or nor so yet if unless although though because whereas while whilst whether lest
        once
    """,
    "auxiliary and modal verbs": """
        am is are was were be been being have has had having do does did done doing can could may
        might must shall should will would ought cannot
    """,
    "adverbs of place, time, degree and connection": """
        here there where wherever when whenever why how however then now again ever never always
        often sometimes already still just only also too very quite rather almost even not else
        thus hence therefore thereby moreover furthermore nevertheless nonetheless otherwise instead
        meanwhile indeed perhaps maybe away back further soon later first
    """,
    "contractions, cut at the apostrophe": """
        s t d m ll re ve don doesn didn isn aren wasn weren haven hasn hadn won wouldn couldn
        shouldn mustn mightn needn shan ain
    """,
    "contractions, cut as in a treebank": """
        n't 's 'd 'm 'll 're 've ca wo sha ai
    """,
}

STOP_WORDS: tuple[str, ...] = tuple(sorted({w for c in _CLASSES.values() for w in c.split()}))
"""The stop words, lower-cased, sorted, each once."""
