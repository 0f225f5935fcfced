"""The page of messages tells all there are, as they are."""

from pathlib import Path

from grainline.federated.message_page import MODULES, page
from grainline.federated.wire import shapes

PAGE = Path(__file__).resolve().parents[3] / "docs" / "federated-messages.md"


def test_the_page_is_that_of_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "grainline party messages --out docs/federated-messages.md"


def test_no_message_of_ours_is_missing() -> None:
    ours = [shape for shape in shapes() if str(getattr(shape.make, "__module__", "")).startswith("grainline.")]
    assert {getattr(shape.make, "__module__", "") for shape in ours} <= {module.__name__ for module in MODULES}
    assert all(f"| `{shape.name}` |" in page() for shape in ours)
    assert len(ours) > 20
