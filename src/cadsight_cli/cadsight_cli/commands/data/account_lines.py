"""Lines that report a set that was found, and its conversion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cadsight_core.formats import Found
    from cadsight_core.formats.account import Account

# More than so many remarks nobody reads.
_MOST = 10


def lines_of(account: Account) -> Iterator[str]:
    """The lines of an account: what was read, written, left out and read otherwise than it was told."""
    yield f"read: {account.read}"
    yield f"written: {account.written}"
    for left in account.left_out:
        yield f"left out: {left}"
    for sentence in account.remarks[:_MOST]:
        yield f"note: {sentence}"
    if len(account.remarks) > _MOST:
        yield f"note: {len(account.remarks) - _MOST} more, which `cadsight data check` tells"
    if account.unlabelled:
        count, first = len(account.unlabelled), account.unlabelled[0]
        yield f"{count} images have no labels, the first is {first}: they are written as showing nothing"


def lines_of_found(found: Found) -> Iterator[str]:
    """The lines of which reader reads which files, and which nobody does."""
    claim = found.claim
    yield f"read as {claim.format}: {claim.why} in {found.folder}"
    yield f"  {len(claim.labels)} files of labels, {len(claim.images)} images"
    for what, files in (("files that look like labels", found.labels), ("images", found.images)):
        if files:
            yield f"  {len(files)} {what} that nothing reads, the first is {files[0].file} ({files[0].what})"
