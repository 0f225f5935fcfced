"""What decides, by hash: the artefacts in force at a moment, and those that a past decision names.

Everything is read, checked and loaded once a process; what is in force is looked up for each decision.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from grainline.kit.calendar import business_date
from grainline.kit.db import Tx
from grainline.products import Pack
from grainline.scoring import Loaded
from grainline.scoring.federated_part import FederatedPart
from grainline.scoring.registry import Models
from grainline.scoring.registry_store import changes_of
from grainline.scoring.routing import NoChampion, RoleChange, Routed, cast_of, route
from grainline.underwriting.deciding import Artefacts, Inputs, canonical, hash_of
from grainline.underwriting.decisions_store import keep_pack, kept_pack, kept_rules
from grainline.underwriting.federated_choice import Own, in_order
from grainline.underwriting.rules import Rules
from grainline.underwriting.rules_store import in_force, loaded


@dataclass(frozen=True)
class Named:
    """The artefacts of one decision, with the hashes by which inputs name them.

    `own` decides or explains where the routed model asks data parties (`federated_choice.py`), else it is None.
    """

    artefacts: Artefacts
    routed: Routed
    second: str | None
    rules: str
    pack: str
    own: Own | None = None


@dataclass
class Shelf:
    """The artefacts of a process."""

    models: Models
    _packs: dict[bytes, Pack] = field(default_factory=dict)
    _written: list[tuple[Pack, bytes, str]] = field(default_factory=list)
    _rules: dict[str, Rules] = field(default_factory=dict)

    async def in_force(self, tx: Tx, pack: Pack, *, member_id: int, now: datetime) -> Named:
        """Return what decides on a member now.

        Raises NoChampion, RulesNotFound, and what loading a model raises.
        """
        product = pack.product.code
        changes = await changes_of(tx, product)
        routed, second = _routed(changes, product=product, member_id=member_id, now=now)
        version = await in_force(tx, product=product, day=business_date(now))
        sha = version.sha256.hex()
        self._rules.setdefault(sha, loaded(version.body))
        artefacts = await self._artefacts(tx, pack, sha, routed.sha256, second, routed.shadows)
        named = Named(artefacts, routed, second, sha, (await self._keep(tx, pack)).hex())
        if isinstance(artefacts.model, Loaded):
            return named
        return replace(named, own=await self._own(tx, in_order(changes, second, as_of=now), product=product))

    async def parts(self, tx: Tx, pack: Pack, *, member_id: int, now: datetime) -> dict[str, FederatedPart]:
        """Return by hash the models with a role for a member now that ask data parties; raise as `in_force`."""
        product = pack.product.code
        routed, second = _routed(await changes_of(tx, product), product=product, member_id=member_id, now=now)
        named = dict.fromkeys([routed.sha256, *([second] if second else []), *routed.shadows])
        loaded = {sha: await self.models.load_scoring(tx, sha) for sha in named}
        return {sha: one for sha, one in loaded.items() if isinstance(one, FederatedPart)}

    async def warm(self, tx: Tx, packs: Iterable[Pack], *, now: datetime) -> None:
        """Load what is in force for these products, so that nobody's application waits for it."""
        for pack in packs:
            cast = cast_of(await changes_of(tx, pack.product.code), product=pack.product.code, as_of=now)
            if cast.champion is not None:
                # Of whom does not matter: champion and challenger are both read for everybody.
                await self.in_force(tx, pack, member_id=0, now=now)

    async def pack_named(self, tx: Tx, sha256: str) -> Pack:
        """Return a pack by its hash, in force or not; raise LookupError."""
        sha = bytes.fromhex(sha256)
        if sha not in self._packs:
            self._packs[sha] = await kept_pack(tx, sha)
        return self._packs[sha]

    async def named_by(self, tx: Tx, inputs: Inputs) -> Artefacts:
        """Return what a past decision was taken with; raise what loading a model raises, LookupError for the rest."""
        pack = await self.pack_named(tx, inputs.pack)
        await self.rules_named(tx, inputs.rules)
        found = await self._artefacts(tx, pack, inputs.rules, inputs.model, inputs.second, inputs.shadows)
        by = inputs.federated.points_by if inputs.federated else None
        return replace(found, points_by=await self.models.load_own(tx, by)) if by else found

    async def rules_named(self, tx: Tx, sha256: str) -> Rules:
        """Return rules by their hash, whether in force or not; raise LookupError."""
        if sha256 not in self._rules:
            self._rules[sha256] = loaded(await kept_rules(tx, bytes.fromhex(sha256)))
        return self._rules[sha256]

    async def _artefacts(
        self, tx: Tx, pack: Pack, rules: str, model: str, second: str | None, shadows: tuple[str, ...]
    ) -> Artefacts:
        return Artefacts(
            pack=pack,
            rules=self._rules[rules],
            model=await self.models.load_scoring(tx, model),
            second=await self.models.load_scoring(tx, second) if second else None,
            shadows={sha: await self.models.load_scoring(tx, sha) for sha in shadows},
        )

    async def _own(self, tx: Tx, candidates: Sequence[str], *, product: str) -> Own:
        for sha in candidates:
            found = await self.models.load(tx, sha)
            if isinstance(found, Loaded):
                return Own(sha, found)
        raise NoChampion(product=product)

    async def _keep(self, tx: Tx, pack: Pack) -> bytes:
        known = next((one for one in self._written if one[0] is pack), None)
        if known is None:
            content = canonical(pack.model_dump(mode="json", by_alias=True))
            known = (pack, hash_of(content), content)
            self._written.append(known)
        # Each time: what was kept in a transaction that was rolled back is not kept.
        await keep_pack(tx, known[1], known[2])
        return known[1]


def _routed(changes: Sequence[RoleChange], *, product: str, member_id: int, now: datetime) -> tuple[Routed, str | None]:
    """Return who decides on a member, and the other of champion and challenger."""
    cast = cast_of(changes, product=product, as_of=now)
    routed = route(cast, member_id=member_id, product=product, as_of=now)
    return routed, cast.challenger if routed.sha256 == cast.champion else cast.champion
