"""The keys of the registry of models: the lender's own, which signs, and those whose signatures count."""

from grainline.entry.settings import Settings
from grainline.scoring.registry import Models
from grainline.scoring.signing import Signer


def signer_of(given: Settings) -> Signer:
    """Return the lender's signer, whose key is made at the first use. Raises BadSettings."""
    return Signer.of(given.read_model_key())


def models_of(given: Settings) -> Models:
    """Return an empty shelf of models for a process: what it loads must be signed by a key that is known here."""
    return Models({signer_of(given).public_key, *given.other_model_signers})
