"""Which product a request is about."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Query, Request

from grainline.kit.errors import Kind, Refusal
from grainline.products.pack import Pack


class UnknownProduct(Refusal):
    """Not a product that is offered here."""

    code = "unknown_product"
    kind = Kind.NOT_FOUND


def chosen(packs: Mapping[str, Pack], product: str | None) -> Pack:
    """Return the pack with this code, or the first where none is named; raise UnknownProduct."""
    if product is None:
        return next(iter(packs.values()))
    if product not in packs:
        raise UnknownProduct(allowed=", ".join(packs))
    return packs[product]


async def _packs(request: Request) -> Mapping[str, Pack]:
    packs: Mapping[str, Pack] = request.app.state.packs
    return packs


async def _chosen(request: Request, product: Annotated[str | None, Query(max_length=32)] = None) -> Pack:
    return chosen(request.app.state.packs, product)


ThePacks = Annotated[Mapping[str, Pack], Depends(_packs)]
ChosenPack = Annotated[Pack, Depends(_chosen)]
