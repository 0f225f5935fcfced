"""What operators do: for now, proving that the books, the loans and the lines agree."""

from grainline.desk.verify import Finding, verify

__all__ = ["Finding", "verify"]
