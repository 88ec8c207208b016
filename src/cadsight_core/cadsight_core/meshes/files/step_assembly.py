"""STEP assemblies whose parts lie in other files: joined to one file, which OpenCASCADE's reader here wants.

ISO 10303-44: NEXT_ASSEMBLY_USAGE_OCCURRENCE places a product definition in another, a DOCUMENT_FILE that refers to a
product definition says where its shape lies. What stands for a part in the assembly becomes the part of the other file.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cadsight_core.errors import CadsightError
from cadsight_core.meshes.source import Source

_BEGIN, _END = b"ISO-10303-21", b"END-ISO-10303-21"
_SUFFIXES = (".stp", ".step")
_COMMENT = re.compile(rb"('(?:[^']|'')*')|/\*.*?\*/", re.DOTALL)
# Strings are taken as they are: a semicolon or a # in one is none.
_ENTITY = re.compile(rb"#(\d+)\s*=\s*((?:'(?:[^']|'')*'|[^';])*);")
_REFERENCE = re.compile(rb"'(?:[^']|'')*'|#(\d+)")
_DATA = re.compile(rb"\bENDSEC\s*;\s*DATA\s*;")
_FILE = re.compile(rb"^DOCUMENT_FILE\s*\(\s*'((?:[^']|'')*)'")
# A small file can name others without end.
_MOST_BYTES, _MOST_FILES = 1 << 30, 1000
# What stands between a DOCUMENT_FILE and the product definition that it is a document of.
_DOCUMENT_FILE, _PRODUCT = b"DOCUMENT_FILE", b"PRODUCT_DEFINITION"
_LINKS = (
    b"PRODUCT_DEFINITION_WITH_ASSOCIATED_DOCUMENTS",
    b"PRODUCT_DEFINITION_FORMATION",
    b"DOCUMENT_PRODUCT_EQUIVALENCE",
    b"DOCUMENT",
    b"APPLIED_DOCUMENT_REFERENCE",
)
_SHAPES = (b"PRODUCT_DEFINITION_SHAPE", b"SHAPE_DEFINITION_REPRESENTATION", b"NEXT_ASSEMBLY_USAGE_OCCURRENCE")
_KINDS = frozenset((*_LINKS, *_SHAPES, _DOCUMENT_FILE, _PRODUCT))


def checked(data: bytes) -> bytes:
    """A file without its comments.

    Raises:
        CadsightError: for what is no STEP, or ends early.
    """
    stripped = _COMMENT.sub(lambda found: found[1] or b"", data)
    if not stripped.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_BEGIN):
        raise CadsightError(f"it begins with {data[:16]!r}, expected {_BEGIN.decode()}: is it encrypted or compressed?")
    if _END not in stripped:
        raise CadsightError(f"it ends before {_END.decode()}, expected a whole file")
    return stripped


def joined(source: Source) -> bytes:
    """The file with the parts that it names, which lie beside it; as it came where it names none.

    Raises:
        CadsightError: for a file that is no STEP, and for a named one that is missing, lies elsewhere, is no STEP or
            does not say which part it is.
    """
    text = checked(source.data)
    # The first look is quick: most files are large and name no other.
    if _DOCUMENT_FILE not in text or not any(_named(entity) for _, entity in _entities(text)):
        return source.data
    whole = _Whole(source)
    whole.add(text, ())
    return text[: _data(text)] + b"\n" + whole.text() + b"ENDSEC;\nEND-ISO-10303-21;\n"


@dataclass(frozen=True)
class _Root:
    """The product that a file is, and its shape's representation."""

    product: int
    shape: int


@dataclass
class _Whole:
    """The entities of all files, each file's numbers moved behind those before."""

    source: Source
    entities: dict[int, bytes] = field(default_factory=dict)
    stands_for: dict[int, int] = field(default_factory=dict)
    roots: dict[str, _Root] = field(default_factory=dict)
    offset: int = 0
    read: int = 0

    def add(self, text: bytes, within: tuple[str, ...]) -> "_File":
        self.read += len(text)
        if self.read > _MOST_BYTES or len(self.roots) > _MOST_FILES:
            raise CadsightError(f"it names more than {_MOST_FILES} files or {_MOST_BYTES >> 30} GiB, expected less")
        file = _File({number + self.offset: _moved(entity, self.offset) for number, entity in _entities(text)})
        self.offset = max((self.offset, *file.entities))
        self.entities.update(file.entities)
        for document, name in file.documents():
            part, root = file.part_of(document, name), self._root(name, within)
            self.stands_for.update({part.product: root.product, part.shape: root.shape})
            for number in file.shape_of(part.product):
                self.entities.pop(number, None)
        return file

    def _root(self, name: str, within: tuple[str, ...]) -> _Root:
        if name in within:
            raise CadsightError(f"the file {name!r} that it needs is a part of itself")
        if name not in self.roots:
            data = self.source.beside(name)
            try:
                self.roots[name] = self.add(checked(data), (*within, name)).root()
            except CadsightError as error:
                raise CadsightError(f"the file {name!r} that it needs could not be read: {error}") from error
        return self.roots[name]

    def text(self) -> bytes:
        return b"".join(
            b"#%d=%s;\n" % (number, _renumbered(entity, lambda n: self.stands_for.get(n, n)))
            for number, entity in self.entities.items()
        )


@dataclass(frozen=True)
class _File:
    """One file's entities by number."""

    entities: dict[int, bytes]

    @cached_property
    def _of_kind(self) -> dict[bytes, list[tuple[int, list[int]]]]:
        """Number and references of the entities of each kind that matters here."""
        found: dict[bytes, list[tuple[int, list[int]]]] = {}
        for number, entity in self.entities.items():
            if (kind := _kind(entity)) in _KINDS:
                found.setdefault(kind, []).append((number, _references(entity)))
        return found

    def _all(self, *kinds: bytes) -> Iterator[tuple[int, list[int]]]:
        for kind in kinds:
            yield from self._of_kind.get(kind, ())

    @cached_property
    def _products(self) -> frozenset[int]:
        return frozenset(number for number, _ in self._all(_PRODUCT))

    def documents(self) -> list[tuple[int, str]]:
        """Number and name of each file that is named."""
        return [(number, name) for number, _ in self._all(_DOCUMENT_FILE) if (name := _named(self.entities[number]))]

    def part_of(self, document: int, name: str) -> _Root:
        """What stands for the part that a file holds.

        Raises:
            CadsightError: where that is not one product.
        """
        if Path(name).suffix.lower() not in _SUFFIXES:
            raise CadsightError(f"it is an assembly whose parts lie in {name}: export it as one file")
        links = dict(self._all(*_LINKS))
        seen, near = set[int](), {document}
        while near:
            seen |= near
            near = {n for n, refs in links.items() if seen.intersection(refs)}
            near |= {r for n in near | seen for r in links.get(n, ()) if r in links or r in self._products}
            near -= seen
        parts = [root for root in self._shaped() if root.product in seen]
        if len(parts) != 1:
            raise CadsightError(
                f"it is an assembly with a part in {name}, and {len(parts) or 'none'} of its products are that part, "
                "expected one: export it as one file"
            )
        return parts[0]

    def shape_of(self, part: int) -> list[int]:
        """What says which representation is a part's shape."""
        return [number for number, product, _ in self._shapes if product == part]

    def root(self) -> _Root:
        """The one product that is placed in no other.

        Raises:
            CadsightError: where there is none, or several.
        """
        placed = {refs[1] for _, refs in self._all(b"NEXT_ASSEMBLY_USAGE_OCCURRENCE") if len(refs) > 1}
        roots = [root for root in self._shaped() if root.product not in placed]
        if len(roots) != 1:
            raise CadsightError(f"it holds {len(roots) or 'no'} products that are placed in no other, expected one")
        return roots[0]

    def _shaped(self) -> list[_Root]:
        """Each product that has a shape."""
        return [_Root(product, shape) for _, product, shape in self._shapes]

    @cached_property
    def _shapes(self) -> list[tuple[int, int, int]]:
        """Number of what says so, product, and representation of its shape."""
        definitions = {number: refs[0] for number, refs in self._all(b"PRODUCT_DEFINITION_SHAPE") if refs}
        return [
            (number, definitions[refs[0]], refs[1])
            for number, refs in self._all(b"SHAPE_DEFINITION_REPRESENTATION")
            if len(refs) > 1 and definitions.get(refs[0]) in self._products
        ]


def _entities(text: bytes) -> Iterator[tuple[int, bytes]]:
    for found in _ENTITY.finditer(text, _data(text)):
        if len(found[1]) > 15:
            raise CadsightError(f"an entity of it has a number of {len(found[1])} digits, expected less")
        yield int(found[1]), found[2].strip()


def _data(text: bytes) -> int:
    """Where its entities begin."""
    found = _DATA.search(text)
    return found.end() if found else len(text)


def _kind(entity: bytes) -> bytes:
    return entity.partition(b"(")[0].strip()


def _named(entity: bytes) -> str:
    found = _FILE.match(entity)
    return found[1].replace(b"''", b"'").decode("latin-1") if found else ""


def _references(entity: bytes) -> list[int]:
    return [int(found[1]) for found in _REFERENCE.finditer(entity) if found[1]]


def _moved(entity: bytes, by: int) -> bytes:
    return _renumbered(entity, lambda number: number + by) if by else entity


def _renumbered(entity: bytes, new: Callable[[int], int]) -> bytes:
    return _REFERENCE.sub(lambda found: b"#%d" % new(int(found[1])) if found[1] else found[0], entity)
