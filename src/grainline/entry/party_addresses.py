"""Where the data parties of the federated model listen, in one line: `NAME=HOST:PORT,…`."""

from collections.abc import Mapping


def addresses_in(text: str) -> dict[str, str]:
    """Read `NAME=HOST:PORT,…`; raise ValueError for what is written otherwise, or names a party twice."""
    found: dict[str, str] = {}
    for one in filter(None, (part.strip() for part in text.split(","))):
        name, _, address = one.partition("=")
        host, _, port = address.rpartition(":")
        if not (name and host and port.isdigit()) or name in found:
            raise ValueError(f"{one!r} is not NAME=HOST:PORT, or names a party twice")
        found[name] = address
    return found


def written(addresses: Mapping[str, str]) -> str:
    """Write what `addresses_in` reads."""
    return ",".join(f"{name}={address}" for name, address in addresses.items())
