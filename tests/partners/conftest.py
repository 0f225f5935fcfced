"""A running sandbox, and every implementation of every port."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from grainline.partners.card_network import HttpCardNetwork
from grainline.partners.identity_authority import HttpIdentityAuthority
from grainline.partners.rail import HttpRail
from grainline.partners.sms import HttpSms
from grainline.sandbox.client import SandboxClient
from sandbox_process import Running, run_sandbox, sign


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    yield from run_sandbox(tmp_path_factory.mktemp("sandbox"))


@pytest.fixture
def sandbox(shared_sandbox: Running) -> Running:
    """The sandbox most tests share, with every fault off."""
    shared_sandbox.hands().clear_faults()
    return shared_sandbox


@pytest.fixture
def slow_town(tmp_path: Path) -> Iterator[Running]:
    """A sandbox of one's own, where settling takes an hour of its clock and callbacks are tried 3 times."""
    yield from run_sandbox(tmp_path, settlement_delay_s=3600, callback_attempts_max=3)


@pytest.fixture
def hands(sandbox: Running) -> SandboxClient:
    return sandbox.hands()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


# Another vendor's adapter joins its port's list, and the whole suite of the port runs against it.
@pytest.fixture(params=[HttpIdentityAuthority])
def authority(request, sandbox, http):
    return request.param(sandbox.link(http, "identity-authority"))


@pytest.fixture(params=[HttpCardNetwork])
def network(request, sandbox, http):
    return request.param(sandbox.link(http, "card-network"))


@pytest.fixture(params=[HttpSms])
def sms(request, sandbox, http):
    return request.param(sandbox.link(http, "sms"))


@pytest.fixture(params=[HttpRail])
def rail(request, sandbox, http):
    return request.param(sandbox.link(http, "rail"))


@pytest.fixture(params=[HttpRail])
def impatient_rail(request, sandbox, http):
    """A rail whose answers are waited for half a second only."""
    return request.param(sandbox.link(http, "rail", timeout_s=0.5))


@pytest.fixture
async def agreement(sandbox, network) -> str:
    """The signed agreement of a card that no other test has met."""
    return await sign(network, sandbox.someone())
