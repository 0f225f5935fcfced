"""The knob: reads and sets faults."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints, model_validator

from grainline.sandbox import store
from grainline.sandbox.context import TheSandbox
from grainline.sandbox.fault_rules import KNOWN, Fault, Mode, Name, Partner
from grainline.sandbox.store import Tx

router = APIRouter()


class FaultSetting(BaseModel):
    """One fault, set anew: what is not given takes its default."""

    partner: Partner
    fault: Name
    mode: Mode
    probability: Annotated[float, Field(ge=0, le=1)] = 0.0
    count: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    asks: Annotated[int | None, Field(ge=1, le=1_000_000)] = None
    reason: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}$")] = "rejected"
    delay_s: Annotated[int, Field(ge=0, le=366 * 86_400)] = 30

    @model_validator(mode="after")
    def _makes_sense(self) -> "FaultSetting":
        if self.fault not in KNOWN[self.partner]:
            raise ValueError(f"{self.partner} has no fault {self.fault}")
        if self.mode is Mode.NEXT and self.count < 1:
            raise ValueError("mode next needs a count of 1 or more")
        if self.mode is Mode.PROBABILITY and self.probability == 0:
            raise ValueError("mode probability needs a probability above 0")
        return self


@router.get("/faults.json")
def list_faults(sandbox: TheSandbox) -> list[FaultSetting]:
    """List every fault there is and how it is set."""
    with sandbox.store.transaction() as tx:
        return [shown(fault) for fault in all_faults(tx)]


@router.put("/faults")
def set_fault(setting: FaultSetting, sandbox: TheSandbox) -> list[FaultSetting]:
    """Set one fault and list them all."""
    with sandbox.store.transaction() as tx:
        before = store.fault(tx, setting.partner, setting.fault)
        store.save_fault(
            tx,
            replace(
                before,
                mode=setting.mode,
                probability=setting.probability,
                count=setting.count,
                asks=setting.asks,
                reason=setting.reason,
                delay_s=setting.delay_s,
            ),
        )
        return [shown(fault) for fault in all_faults(tx)]


@router.delete("/faults", status_code=204)
def clear(sandbox: TheSandbox) -> None:
    """Turn every fault off; orders that are held stay held until released."""
    with sandbox.store.transaction() as tx:
        for fault in all_faults(tx):
            if fault.mode is not Mode.OFF:
                store.save_fault(tx, replace(fault, mode=Mode.OFF))


def all_faults(tx: Tx) -> list[Fault]:
    """Return every fault of every partner as it is set."""
    return [store.fault(tx, partner, name) for partner, names in KNOWN.items() for name in names]


def shown(fault: Fault) -> FaultSetting:
    """Show a fault's setting."""
    return FaultSetting.model_construct(
        partner=fault.partner,
        fault=fault.name,
        mode=fault.mode,
        probability=fault.probability,
        count=fault.count,
        asks=fault.asks,
        reason=fault.reason,
        delay_s=fault.delay_s,
    )
