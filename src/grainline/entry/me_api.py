"""What the commands of `grainline me` share: the API as the one who signed in calls it, and how an answer is shown."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import httpx
import typer
from rich.console import Console

from grainline.entry import settings as env
from grainline.kit.money import yuan

out = Console(highlight=False, soft_wrap=True)

Call = Callable[..., Any]


@contextmanager
def api() -> Iterator[Call]:
    """Yield what calls the API; what it refuses, and its silence, end the command with 1."""
    headers = {"Accept-Language": "en"}
    if token_file().exists():
        headers["Authorization"] = f"Bearer {token_file().read_text()}"
    base = f"{env.load().url}/api/v1"
    with httpx.Client(base_url=base, headers=headers, trust_env=False, timeout=30) as client:

        def call(method: str, path: str, body: object = None, more: dict[str, str] | None = None) -> Any:
            answer = client.request(method, path, json=body, headers=more)
            if not answer.is_success:
                problem = answer.json()
                stop(f"{problem['detail']} ({problem['code']})")
            return answer.json()

        try:
            yield call
        except httpx.TransportError as error:
            stop(f"the platform does not answer ({error}); is `make run` running?")


def about(path: str, product: str | None) -> str:
    """Return a path, of the product that is named."""
    return str(httpx.URL(path, params={"product": product})) if product else path


def show(answer: dict[str, Any], indent: str = "") -> None:
    """Print an answer as names and values; what ends in _fen is shown in yuan."""
    for name, value in answer.items():
        if isinstance(value, dict):
            out.print(f"{indent}{name}")
            show(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for item in value:
                out.print(f"{indent}{name}:")
                show(item, indent + "  ")
        elif name.endswith("_fen") and isinstance(value, int):
            out.print(f"{indent}{name.removesuffix('_fen'):<24} ¥{yuan(value)}")
        elif value is not None and value != []:
            out.print(f"{indent}{name:<24} {value}")


def token_file() -> Path:
    """Return where the session's token is kept."""
    return env.load().data / "me.token"


def stop(message: str) -> NoReturn:
    """End the command with a sentence and 1."""
    typer.echo(f"grainline me: {message}", err=True)
    raise typer.Exit(1)
