"""Where data parties listen: the variable, the file that is read anew, and the options that name running parties."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from grainline.entry.cli import app
from grainline.entry.party_addresses import addresses_in, written
from grainline.entry.settings import PARTY_ADDRESSES, BadSettings, Settings, read
from grainline.federated.identity import Role, make_identity

TWO = {"social": "127.0.0.1:9101", "bureau": "[::1]:9103"}


def test_the_file_is_read_anew_and_the_variable_goes_before_it(tmp_path: Path) -> None:
    given = Settings(data=tmp_path)
    assert given.read_party_addresses() == {}
    file = tmp_path / PARTY_ADDRESSES
    file.write_text(written(TWO))
    assert given.read_party_addresses() == TWO
    file.write_text("nonsense")
    assert given.read_party_addresses() == {}
    named = Settings(data=tmp_path, party_addresses="payment=pay.example:7443")
    assert named.read_party_addresses() == {"payment": "pay.example:7443"}


@pytest.mark.parametrize("text", ["social", "social=host", "=host:1", "social=:1", "social=host:x", "a=h:1,a=h:2"])
def test_what_is_no_list_of_addresses_is_refused_with_the_variable(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="NAME=HOST:PORT"):
        addresses_in(text)
    monkeypatch.setenv("GRAINLINE_PARTY_ADDRESSES", text)
    with pytest.raises(BadSettings, match="GRAINLINE_PARTY_ADDRESSES"):
        read()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--party", "a=h:1"), "--identity"),
        (("--party", "a=h:1", "--identity", "LENDER"), "--labels"),
        (("--party", "a", "--identity", "LENDER", "--labels", "y"), "NAME=HOST:PORT"),
        (("--party", "a=h:1", "--validation-share", "0.2", "--patience", "3"), "--patience"),
        (("--guest", "g.csv"), "--host"),
        (("--host", "h.csv"), "--guest"),
        (("--party", "a=h:1", "--identity", "nowhere", "--labels", "y"), "nowhere"),
    ],
)
def test_options_that_do_not_go_together_are_told_in_one_line(
    words: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    lender = make_identity(tmp_path / "lender", Role.LENDER, now=datetime.now(UTC), random_bytes=os.urandom)
    given = [str(lender.folder) if word == "LENDER" else word for word in words]
    done = CliRunner().invoke(app, ["federated", "train", "--label", "bad", *given])
    assert done.exit_code == 2
    assert told in done.stderr
    assert done.stderr.startswith("grainline federated: ")
    assert done.stderr.count("\n") == 1
