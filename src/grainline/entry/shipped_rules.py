"""The rules and the regulatory profiles that the platform is shipped with, beside the packs."""

from grainline.entry.settings import PROJECT_ROOT
from grainline.products import BadPack, Pack
from grainline.products.profile import Profile, load_profile
from grainline.underwriting.rules import BadRules, Rules, load_rules, misfits

PACKS = PROJECT_ROOT / "packs"


def profile_of(pack: Pack) -> Profile:
    """Return the regulatory profile that a pack names; raise BadPack."""
    return load_profile(PACKS / "profiles" / f"{pack.regulation.profile}.toml")


def shipped_rules(pack: Pack) -> Rules:
    """Return the rules beside a pack, held against it and its profile; raise BadPack, a line for each fault."""
    path = PACKS / f"{pack.product.code}.rules.json"
    try:
        rules = load_rules(path.read_bytes())
    except FileNotFoundError:
        raise BadPack(f"{path}: there are no such rules") from None
    except BadRules as error:
        raise BadPack("\n".join(f"{path}: {problem}" for problem in error.problems)) from error
    wrong = misfits(rules, pack, profile_of(pack))
    if wrong:
        raise BadPack("\n".join(f"{path}: {problem}" for problem in wrong))
    return rules
