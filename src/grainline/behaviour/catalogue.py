"""The page that lists every feature, docs/features.md."""

from collections import Counter
from collections.abc import Sequence

from grainline.behaviour.events import Party
from grainline.behaviour.families import Family, Feature
from grainline.behaviour.features import FAMILIES, all_features, features

HEAD = """\
# Features

Figures about a resident that a data party makes of its own event files. This page is generated: `grainline features
catalogue --out docs/features.md`; a test holds it against the code. The definitions are in `src/grainline/behaviour`:
`payment.py`, `social.py` and `bureau.py` say which families there are, `groups.py` which events belong to a group,
`measures.py` what is told of them.

- A name is `group.measure.90d`: the last 90 days, from 90 days before the moment up to and without it. `{30,90}d` in a
  table stands for one feature of each window. A trend, `30d_180d`, holds a short window against a long one.
- A moment is an instant. A business date stands for its first instant in Shanghai, so it sees all of the day before.
  Only events before the moment count, and only those that had been ingested by another, given, instant.
- Days, hours, nights (00:00 to 06:00) and weekends are Shanghai's. Entropies are in bits, amounts in fen. Deviations
  are those of a sample. Large is at least 1,000 yuan.
- Every value is a 64-bit float. Where there is nothing to tell it is null: a mean, share or entropy of nothing, a
  deviation of fewer than two, a ratio to nought. A number or a sum of nothing is 0.
- A balance is -1 to 1: the first less the second, over both together.
- A resident has a row once there is an event of theirs before the moment.

"""


def page() -> str:
    """Return the page as Markdown."""
    counts = {party: len(features(party)) for party in Party}
    serves = Counter(need for feature in all_features() for need in feature.serves)
    text = HEAD + f"There are {sum(counts.values()):,} features: "
    text += ", ".join(f"{count:,} of the {party} party" for party, count in counts.items()) + ". By the requirement "
    text += "they serve: " + ", ".join(f"{need} {count:,}" for need, count in sorted(serves.items())) + ".\n"
    for party in Party:
        text += f"\n## {party.capitalize()}\n"
        for family in FAMILIES:
            if family.party is party:
                text += _section(family, [one for one in features(party) if one.family == family.name])
    return text


def _section(family: Family, members: Sequence[Feature]) -> str:
    text = (
        f"\n### {family.name} {family.zh}\n\n{family.en}. Serves {', '.join(family.serves)}; {len(members)} features.\n"
    )
    text += "\n| name | unit | 中文 | English |\n|---|---|---|---|\n"
    together: dict[str, list[Feature]] = {}
    for feature in members:
        together.setdefault(feature.stem, []).append(feature)
    for stem, same in together.items():
        first = same[0]
        text += f"| `{stem}{_windows(same)}` | {first.unit} | {first.zh} | {first.en} |\n"
    return text


def _windows(same: Sequence[Feature]) -> str:
    if not same[0].windows:
        return ""
    names = ["_".join(f"{window}d" for window in one.windows) for one in same]
    if len(names) == 1:
        return f".{names[0]}"
    if len(same[0].windows) == 1:
        return ".{" + ",".join(str(one.windows[0]) for one in same) + "}d"
    return ".{" + ",".join(names) + "}"
