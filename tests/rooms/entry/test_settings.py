"""The settings say in one line what is wrong with them, and the two secrets are made once and kept to us."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grainline.entry.settings import BadSettings, Settings, load, read


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GRAINLINE_PORT", "eighty"),
        ("GRAINLINE_PORT", "0"),
        ("GRAINLINE_WORKERS", "0"),
        ("GRAINLINE_SANDBOX", "perhaps"),
        ("GRAINLINE_SANDBOX_PORT", "8800"),
        ("GRAINLINE_LOG_LEVEL", "loud"),
        ("GRAINLINE_TOWN", "10"),
        ("GRAINLINE_DATABASE_URL", "postgres on the other machine"),
        ("GRAINLINE_MASTER_KEY", "abc"),
    ],
)
def test_bad_value_is_one_line_that_names_the_variable_and_exit_2(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit) as ended:
        load()
    assert ended.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("grainline: ") and variable in line


def test_owner_without_a_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAINLINE_DATABASE_OWNER_URL", "postgresql://owner@db/grainline")
    with pytest.raises(BadSettings, match="GRAINLINE_DATABASE_URL"):
        read()


def test_secrets_and_passwords_are_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAINLINE_MASTER_KEY", "c0ffee")
    monkeypatch.setenv("GRAINLINE_DATABASE_URL", "postgresql://app:hunter2@[db/grainline")
    with pytest.raises(BadSettings) as refused:
        read()
    assert "c0ffee" not in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_empty_variable_is_the_same_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAINLINE_DATABASE_URL", "")
    assert read().database_url is None


def test_every_address_means_this_machine_for_us() -> None:
    assert Settings(host="0.0.0.0", port=9000).url == "http://127.0.0.1:9000"  # noqa: S104
    assert Settings(host="::", port=9000).url == "http://[::1]:9000"


def test_secret_is_made_once_and_readable_by_us_alone(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data")
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: settings.read_master_key(), range(8)))
    assert len(made) == 1
    assert len(made.pop()) == 32
    assert settings.read_partner_secret() != settings.read_master_key()
    assert ((tmp_path / "data" / "master.key").stat().st_mode & 0o777) == 0o600
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["master.key", "partner.secret"]


def test_processes_that_start_together_agree_on_the_secret(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from grainline.entry.settings import Settings;"
        "print(Settings(data=Path(sys.argv[1])).read_master_key().hex())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "data")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert len({process.communicate()[0] for process in running}) == 1
    assert all(process.returncode == 0 for process in running)


def test_given_key_is_used_and_no_file_is_made(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data": tmp_path / "data", "master_key": "ab" * 32})
    assert settings.read_master_key() == b"\xab" * 32
    assert not (tmp_path / "data").exists()
    assert "abab" not in repr(settings)


def test_damaged_secret_is_named_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "master.key").write_bytes(b"short")
    with pytest.raises(BadSettings, match=r"master\.key holds 5 bytes"):
        Settings(data=tmp_path).read_master_key()
    assert (tmp_path / "master.key").read_bytes() == b"short"
