"""What the platform is told from outside: the `GRAINLINE_*` variables, and the secrets it keeps in files.

Only here is the environment read. Everything has a default with which one machine runs the whole of it.
"""

import os
import re
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Literal

from granian.log import LogLevels
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from grainline.entry.logs import set_up
from grainline.entry.party_addresses import addresses_in

PREFIX = "GRAINLINE_"
PROJECT_ROOT = Path(__file__).resolve().parents[3]
SECRET_BYTES = 32
PARTY_ADDRESSES = "party-addresses"
SECRETS = frozenset({"master_key", "partner_secret", "lender_keys", "model_key"})

LogLevel = Literal["debug", "info", "warning", "error"]


class BadSettings(Exception):
    """A setting cannot be used; the message is one line and names the variable or the file."""


class Settings(BaseSettings):
    """The settings of one installation; build it with `load`, which turns mistakes into one clear line."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    data: Path = PROJECT_ROOT / ".data"
    database_url: str | None = None
    database_owner_url: str | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8800, ge=1, le=65535)
    workers: int = Field(default=2, ge=1, le=64)
    sandbox: bool = True
    sandbox_port: int = Field(default=8801, ge=1, le=65535)
    partners_url: str | None = None
    # How many of the shipped people live in the sandbox, the first ones; fewer of them have too few defaults to learn
    # from, and all of them are the default.
    town: int | None = Field(default=None, ge=1_000, le=30_000)
    # Where the data parties' files lie when they are read on this machine; left out: `parties` in the data folder.
    parties: Path | None = None
    pool_size: int = Field(default=4, ge=1, le=64)
    master_key: SecretStr | None = None
    partner_secret: SecretStr | None = None
    # Several, with commas between them, the newest first; see `read_lender_keys`.
    lender_keys: SecretStr | None = None
    model_key: SecretStr | None = None
    # Public keys, with commas between them, under which models may be signed besides `model_key`'s own.
    model_signers: str | None = None
    # Where the federated model's parties listen, `social=HOST:PORT,payment=…`; left out: see `read_party_addresses`.
    party_addresses: str | None = None
    log_level: LogLevel = "info"

    @field_validator("data", "parties")
    @classmethod
    def _absolute(cls, folder: Path | None) -> Path | None:
        return folder and folder.expanduser().absolute()

    @field_validator("database_url", "database_owner_url")
    @classmethod
    def _connectable(cls, url: str | None) -> str | None:
        try:
            conninfo_to_dict(url or "")
        except ProgrammingError as error:
            # libpq's own message repeats what was given, which may hold a password.
            raise ValueError("is no PostgreSQL connection URL (postgresql://user@host/name)") from error
        return url

    @field_validator("master_key", "partner_secret", "model_key")
    @classmethod
    def _thirty_two_bytes(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            _from_hex(secret.get_secret_value())
        return secret

    @field_validator("lender_keys")
    @classmethod
    def _some_keys(cls, keys: SecretStr | None) -> SecretStr | None:
        if keys is not None and len(set(found := _list_from_hex(keys.get_secret_value()))) != len(found):
            raise ValueError("names one key twice")
        return keys

    @field_validator("model_signers")
    @classmethod
    def _public_keys(cls, keys: str | None) -> str | None:
        if keys is not None:
            _list_from_hex(keys)
        return keys

    @field_validator("party_addresses")
    @classmethod
    def _named_addresses(cls, text: str | None) -> str | None:
        addresses_in(text or "")
        return text

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, level: object) -> object:
        return level.lower() if isinstance(level, str) else level

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        if self.sandbox and self.port == self.sandbox_port:
            raise ValueError(f"{PREFIX}SANDBOX_PORT must differ from {PREFIX}PORT; both are {self.port}")
        if self.database_owner_url and not self.database_url:
            raise ValueError(f"{PREFIX}DATABASE_OWNER_URL needs {PREFIX}DATABASE_URL beside it")
        if not self.sandbox and not self.partners_url:
            raise ValueError(f"{PREFIX}PARTNERS_URL must be given where {PREFIX}SANDBOX is off")
        return self

    def read_master_key(self) -> bytes:
        """Return the 32 bytes under which every member's key is sealed, making the file at the first use.

        Whoever loses them loses all personal data for good, and whoever copies them can read it.
        Raises BadSettings when the file is there but cannot be used.
        """
        return _secret(self.master_key, self.data / "master.key", f"{PREFIX}MASTER_KEY")

    def read_partner_secret(self) -> bytes:
        """Return the 32 bytes that sign messages to and from partners, making the file at the first use.

        Raises BadSettings when the file is there but cannot be used.
        """
        return _secret(self.partner_secret, self.data / "partner.secret", f"{PREFIX}PARTNER_SECRET")

    def read_model_key(self) -> bytes:
        """Return the 32 bytes of the Ed25519 key under which models are registered, making the file at the first use.

        Whoever has them can have anybody scored by any model. Raises BadSettings when the file cannot be used.
        """
        return _secret(self.model_key, self.data / "model.key", f"{PREFIX}MODEL_KEY")

    @property
    def other_model_signers(self) -> frozenset[bytes]:
        """Return the public keys whose signatures count besides the own one: of former keys, or of another desk."""
        return frozenset(_list_from_hex(self.model_signers) if self.model_signers else ())

    def read_lender_keys(self) -> list[bytes]:
        """Return the secrets, of 32 bytes, to whose public keys devices seal what they say; the newest first.

        They are the files lender-1.key, lender-2.key …, the highest number the newest; the first is made at the first
        use. A further file is a rotation, and deleting an old one ends it. Raises BadSettings when one cannot be used.
        """
        if self.lender_keys is not None:
            return _list_from_hex(self.lender_keys.get_secret_value())
        names = [re.fullmatch(r"lender-([1-9]\d*)\.key", file.name) for file in self.data.glob("lender-*.key")]
        numbers = sorted((int(name[1]) for name in names if name), reverse=True) or [1]
        variable = f"{PREFIX}LENDER_KEYS"
        return [_secret(None, self.data / f"lender-{number}.key", variable) for number in numbers]

    def read_party_addresses(self) -> dict[str, str]:
        """Return where data parties listen, by name: as given, else the file `party-addresses`, else nowhere.

        The file is read anew each time, so that parties that come are found without a restart; one that cannot be read
        is as none.
        """
        if self.party_addresses is not None:
            return addresses_in(self.party_addresses)
        try:
            return addresses_in((self.data / PARTY_ADDRESSES).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    @property
    def url(self) -> str:
        """Return the address at which the app answers on this machine."""
        return f"http://{_reachable(self.host)}:{self.port}"

    @property
    def sandbox_url(self) -> str:
        """Return the address at which the simulated partners answer on this machine."""
        return f"http://{_reachable(self.host)}:{self.sandbox_port}"

    @property
    def granian_log_level(self) -> LogLevels:
        """Return our log level in the server's words: it tells of its own starts and stops only on request."""
        return LogLevels("warning" if self.log_level == "info" else self.log_level)

    @property
    def partners_address(self) -> str:
        """Return the address under which each partner is found by its name."""
        return (self.partners_url or self.sandbox_url).rstrip("/")


def load() -> Settings:
    """Return the settings from the environment, with logging set up as they say: how every process begins.

    What is wrong is said in one line, and ends the process with 2.
    """
    try:
        given = read()
    except BadSettings as error:
        print(f"grainline: {error}", file=sys.stderr)  # noqa: T201  (the logger is set up from these settings)
        raise SystemExit(2) from None
    set_up(given.log_level)
    return given


def read() -> Settings:
    """Return the settings from the environment. Raises BadSettings, which names every variable at fault."""
    try:
        return Settings()
    except ValidationError as error:
        raise BadSettings("; ".join(_one_line(dict(problem)) for problem in error.errors())) from None


def _one_line(problem: dict[str, object]) -> str:
    """Say what is wrong with one variable; a secret's value is never repeated."""
    where = problem["loc"]
    message = str(problem["msg"]).removeprefix("Value error, ").replace("\n", " ")
    if not isinstance(where, tuple) or not where:
        return message
    name = str(where[0])
    shown = "" if name in SECRETS or "url" in name else f"={problem['input']}"
    return f"{PREFIX}{name.upper()}{shown}: {message}"


def _reachable(host: str) -> str:
    """Return a host that can be connected to, where `host` may be "every address of this machine"."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  (compared, not bound)
    return f"[{host}]" if ":" in host else host


def _from_hex(text: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != SECRET_BYTES:
        raise ValueError(f"must be {2 * SECRET_BYTES} hexadecimal digits ({SECRET_BYTES} bytes)")
    return value


def _list_from_hex(text: str) -> list[bytes]:
    return [_from_hex(part.strip()) for part in text.split(",")]


def _secret(given: SecretStr | None, file: Path, variable: str) -> bytes:
    if given is not None:
        return _from_hex(given.get_secret_value())
    try:
        if not file.exists():
            _create_once(file, secrets.token_bytes(SECRET_BYTES))
        value = file.read_bytes()
    except OSError as error:
        raise BadSettings(f"{file} cannot be read ({error.strerror}); or give {variable}") from error
    if len(value) != SECRET_BYTES:
        raise BadSettings(f"{file} holds {len(value)} bytes instead of {SECRET_BYTES}; restore it from a backup")
    return value


def _create_once(file: Path, value: bytes) -> None:
    """Write a file only its owner may read, whole or not at all; of two racing writers the first wins."""
    make_folder(file.parent)
    descriptor, draft = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # 0600
    try:
        os.write(descriptor, value)
        os.fsync(descriptor)
        # A link fails when the name exists, where a rename would replace a key already in use.
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        os.close(descriptor)
        Path(draft).unlink()


def make_folder(folder: Path) -> None:
    """Make the data folder, closed to others; as root passable, because PostgreSQL then is another user."""
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
