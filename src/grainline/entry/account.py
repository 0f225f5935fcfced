"""Who PostgreSQL runs as: ourselves, or, because it refuses uid 0, a lesser user when we are root."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# The first allows less and is enough where it may be given; the second is what containers have.
CAPABILITIES = ("dac_read_search", "dac_override")


class Unreachable(Exception):
    """The user PostgreSQL runs as cannot get to a folder; the message says which and what to do."""


@dataclass(frozen=True)
class Account:
    """A user to run PostgreSQL's programs as; `prefix` is what must come before a command to become it."""

    uid: int
    gid: int
    switch: bool = False
    prefix: tuple[str, ...] = ()

    def run(self, folder: Path, command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        """Run a program of `folder` to its end and return what it said."""
        return subprocess.run(
            [*self.prefix, str(folder / command[0]), *command[1:]],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=_environment(),
            user=self._user,
            group=self._group,
            extra_groups=self._groups,
        )

    def popen(self, folder: Path, command: Sequence[str], *, output: int) -> "subprocess.Popen[bytes]":
        """Start a program of `folder` in a session of its own, so that a Ctrl-C at our terminal spares it."""
        return subprocess.Popen(
            [*self.prefix, str(folder / command[0]), *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
            env=_environment(),
            user=self._user,
            group=self._group,
            extra_groups=self._groups,
        )

    def give(self, path: Path) -> None:
        """Make the account the owner of a file or folder that we made as root."""
        if self.switch:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    # With a prefix it is setpriv that switches, because it must keep a capability across the switch.
    @property
    def _user(self) -> int | None:
        return self.uid if self.switch and not self.prefix else None

    @property
    def _group(self) -> int | None:
        return self.gid if self.switch and not self.prefix else None

    @property
    def _groups(self) -> list[int] | None:
        return [] if self.switch and not self.prefix else None


def account_for(folder: Path, programs: Path) -> Account:
    """Return who runs PostgreSQL on `folder` (which exists), and as root make that user its owner.

    Raises Unreachable when that user cannot get to the folder or to the programs.
    """
    owner = folder.stat()
    if os.geteuid() != 0:
        if owner.st_uid != os.geteuid():
            raise Unreachable(f"{folder} belongs to {_name(owner.st_uid)}; run as that user or set GRAINLINE_DATA")
        return Account(os.geteuid(), os.getegid())
    if owner.st_uid == 0:
        # A folder just made by us as root in somebody's data folder is theirs: they may go on without root.
        owner = folder.parent.stat()
    owned = owner.st_uid != 0
    account = Account(owner.st_uid, owner.st_gid, switch=True) if owned else _lesser_user()
    if folder.stat().st_uid == 0:
        for path in (folder, *folder.rglob("*")):
            account.give(path)
    return _reaching(account, folder, programs)


def _reaching(account: Account, folder: Path, programs: Path) -> Account:
    """Return the account as it is, or with one capability added where the way to the folders is closed to it.

    That is so for a project cloned under /root: the folders are there and belong to the account, but a parent
    lets nobody through. The capability is PostgreSQL's alone; nothing else of root's power is left to it.
    """
    variants = [
        account,
        *(_with_capability(account, name) for name in CAPABILITIES if shutil.which("setpriv")),
    ]
    for variant in variants:
        if _enters(variant, folder) and _enters(variant, programs):
            return variant
    who = f"PostgreSQL does not run as root, and {_name(account.uid)}, as whom it would run, cannot enter"
    if not _enters(account, programs):
        raise Unreachable(f"{who} {programs}: move the project to a folder open to others (/opt, say)")
    raise Unreachable(f"{who} {folder.parent}: name another folder with GRAINLINE_DATA=/var/lib/grainline, say")


def _with_capability(account: Account, name: str) -> Account:
    prefix = (
        "setpriv",
        f"--reuid={account.uid}",
        f"--regid={account.gid}",
        "--clear-groups",
        f"--inh-caps=+{name}",
        f"--ambient-caps=+{name}",
        f"--bounding-set=-all,+{name}",
        # access(2), with which initdb looks for its programs, heeds capabilities only under this bit.
        "--securebits=+no_setuid_fixup",
    )
    return Account(account.uid, account.gid, switch=True, prefix=prefix)


def _enters(account: Account, folder: Path) -> bool:
    try:
        found = account.run(Path("/bin"), ["sh", "-c", 'cd "$1" && test -r . && test -x .', "sh", str(folder)])
    except (OSError, subprocess.SubprocessError):
        return False
    return found.returncode == 0


def _lesser_user() -> Account:
    """Return the system's user for PostgreSQL, or one made for us, or nobody."""
    for name in ("postgres", "grainline"):
        if (found := _account(name)) is not None:
            return found
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is not None:
        command = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        subprocess.run([*command, "grainline"], capture_output=True, check=False)
    found = _account("grainline") or _account("nobody")
    if found is None:
        raise Unreachable("PostgreSQL does not run as root, and there is no other user; add one named postgres")
    return found


def _account(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid, switch=True)


def _name(uid: int) -> str:
    try:
        return f"the user {pwd.getpwuid(uid).pw_name!r}"
    except KeyError:
        return f"the user with uid {uid}"


def _environment() -> dict[str, str]:
    # Nothing of ours: PGDATA, PGPORT or a foreign locale would change what the server does.
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"}
