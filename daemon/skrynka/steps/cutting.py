"""Cut documents out of scans: a PDF of some of their pages, in order, without loss, and with nothing else in it.

Streams are copied as they stand, so an image's bytes are the original's, and each page keeps its size. The same pages
give the same bytes every time: a second cut after a crash has the first one's hash.

Another applicant's page must not hide in the file. So a page isn't copied with all that it refers to. Kept are
its boxes, /Rotate, /UserUnit, /Group, its contents, what these contents use by name (scanners often share one
dictionary of resources among all pages), and what its annotations show, as stamps. Left behind is the rest:
the document's own (information, metadata, outlines, names, labels, forms, layers, structure, attachments) and the
page's (thumbnail, article beads, actions, links, form fields, private data of the program that made it).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Dictionary, Name

from skrynka.core.errors import ScanRejected
from skrynka.core.model import PageRef
from skrynka.core.reasons import QuarantineReason
from skrynka.saving import save_pdf

_PAGE_KEYS = (
    "/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox", "/Rotate", "/UserUnit", "/Group", "/Resources",
    "/Contents",
)  # fmt: skip
_ASIDE = (
    "/Metadata", "/PieceInfo", "/StructParent", "/StructParents", "/OPI", "/Ref", "/Alternates", "/LastModified", "/AF",
    "/Thumb", "/B", "/Measure", "/PtData",
)  # fmt: skip
"""What streams carry beside what they show."""
_ODD_OBJECT = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
"""What pikepdf raises when an object isn't of the kind, or the form, that it should be."""
_HIDDEN = 0x02 | 0x20
"""Annotation flags Hidden and NoView (ISO 32000-1, 12.5.3)."""
_ID_BYTES = 16
_NAME = re.compile(rb"/([^\x00\t\n\f\r ()<>\[\]{}/%]*)")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Source:
    """A scan that is open, or some of it."""

    pdf: pikepdf.Pdf
    sha256: str
    """Of its bytes."""
    first: int = 1
    """The number of the scan's page that it begins with."""


def cut(pages: Sequence[PageRef], scans: Mapping[str, Source], target: Path) -> None:
    """Write the document of these pages, in this order, to the new file `target`; nothing is synced.

    `scans` are what is open of the scans, by id. Raises ScanRejected (cut_failed) when a page can't be copied, and
    OSError of the disk as it comes.
    """
    document = pikepdf.new()
    for ref in pages:
        try:
            document.pages.append(pikepdf.Page(_copy_page(document, scans[ref.scan_id], ref.number)))
        except (pikepdf.PikepdfError, *_ODD_OBJECT) as error:
            raise ScanRejected(QuarantineReason.CUT_FAILED, ref.number) from error
    origin = repr([(scans[ref.scan_id].sha256, ref.number) for ref in pages])
    identity = pikepdf.String(hashlib.sha256(origin.encode()).digest()[:_ID_BYTES])
    document.trailer[Name.ID] = pikepdf.Array([identity, identity])
    try:
        save_pdf(
            document,
            target,
            min_version=max(scans[ref.scan_id].pdf.pdf_version for ref in pages),
            # The first half is the one above. qpdf's own that is the same every time is taken from all that it writes,
            # which takes as long as the rest.
            static_id=True,
            compress_streams=False,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
        )
    except pikepdf.PikepdfError as error:
        raise ScanRejected(QuarantineReason.CUT_FAILED) from error


def _copy_page(document: pikepdf.Pdf, scan: Source, number: int) -> pikepdf.Object:
    """Copy a page into the document, without what isn't its own."""
    page = scan.pdf.pages[number - scan.first].obj
    kept = Dictionary({key: page[key] for key in _PAGE_KEYS if key in page})
    copy = document.copy_foreign(scan.pdf.make_indirect(kept))
    copy[Name.Type] = Name.Page
    pruner = _Pruner()
    contents = copy.get("/Contents", pikepdf.Array())
    streams = contents if isinstance(contents, pikepdf.Array) else [contents]
    copy[Name.Resources] = pruner.used(copy.get("/Resources"), b" ".join(stream.read_bytes() for stream in streams))
    stamps = pikepdf.Array()
    for shown in _shown_annotations(page):
        appearance = document.copy_foreign(shown["/AP"])
        pruner.prune(appearance)
        stamp = Dictionary(Type=Name.Annot, Subtype=Name.Stamp, Rect=shown["/Rect"], F=shown["/F"])
        stamp[Name.AP] = Dictionary(N=appearance)
        stamps.append(document.make_indirect(stamp))
    if len(stamps):
        copy[Name.Annots] = stamps
    return copy


def _shown_annotations(page: pikepdf.Object) -> Iterator[dict[str, Any]]:
    """Give /Rect, flags and the appearance stream of each annotation that shows something."""
    for annotation in page.get("/Annots", pikepdf.Array()):
        if not isinstance(annotation, Dictionary) or annotation.get("/Subtype") in ("/Link", "/Popup"):
            continue
        flags = int(annotation.get("/F", 0))
        appearance = annotation.get("/AP", Dictionary()).get("/N")
        if isinstance(appearance, Dictionary):
            appearance = appearance.get(str(annotation.get("/AS", "/Off")))
        if isinstance(appearance, pikepdf.Stream) and "/Rect" in annotation and not flags & _HIDDEN:
            rectangle = [float(side) for side in annotation["/Rect"]]
            yield {"/Rect": pikepdf.Array(rectangle), "/F": flags, "/AP": appearance}


class _Pruner:
    """Takes out of copied objects what their contents don't use. Works on the copies, never on the scan."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, int]] = set()

    def used(self, resources: pikepdf.Object | None, contents: bytes) -> pikepdf.Dictionary:
        """Give a dictionary of resources with only what `contents` name, each pruned in its turn."""
        if not isinstance(resources, Dictionary):
            return Dictionary()
        kept = Dictionary()
        names = _names(contents)
        while True:
            for category, entries in resources.items():
                if isinstance(entries, Dictionary):
                    used = {name: entry for name, entry in entries.items() if name in names}
                    if used:
                        kept[category] = Dictionary(used)
            # Forms and Type 3 fonts without resources of their own use those of the page.
            more = names.union(*(_names(_contents(entry)) for entry in _entries(kept) if "/Resources" not in entry))
            if more == names:
                break
            names = more
        for entry in _entries(kept):
            self.prune(entry)
        return kept

    def prune(self, entry: pikepdf.Object) -> None:
        """Take out of a form, image, pattern, font or graphics state what it doesn't need for what it shows."""
        if entry.is_indirect:
            if entry.objgen in self._seen:
                return
            self._seen.add(entry.objgen)
        for key in _ASIDE:
            if key in entry:
                del entry[key]
        if "/Resources" in entry:
            entry[Name.Resources] = self.used(entry["/Resources"], _contents(entry))
        mask = entry.get("/SMask")
        if isinstance(mask, Dictionary) and isinstance(mask.get("/G"), pikepdf.Stream):
            self.prune(mask["/G"])
        elif isinstance(mask, pikepdf.Stream):
            self.prune(mask)


def _entries(resources: pikepdf.Dictionary) -> list[pikepdf.Object]:
    """Give the streams and dictionaries that are named in resources."""
    named = [entry for category in resources.values() for entry in category.values()]
    return [entry for entry in named if isinstance(entry, pikepdf.Stream | Dictionary)]


def _contents(entry: pikepdf.Object) -> bytes:
    """Give the content that a form, a tiling pattern or a Type 3 font draws; nothing for anything else."""
    if isinstance(entry, pikepdf.Stream) and (entry.get("/Subtype") == "/Form" or "/PatternType" in entry):
        return entry.read_bytes()
    if isinstance(entry, Dictionary) and entry.get("/Subtype") == "/Type3":
        glyphs = entry.get("/CharProcs", Dictionary())
        return b" ".join(glyph.read_bytes() for glyph in glyphs.values() if isinstance(glyph, pikepdf.Stream))
    return b""


def _names(contents: bytes) -> frozenset[str]:
    """Find every name in a content stream; a few too many (in strings) do no harm."""
    found = frozenset(_NAME.findall(contents))
    plain = (_ESCAPE.sub(lambda code: bytes([int(code[1], 16)]), name) for name in found)
    return frozenset("/" + name.decode("utf-8", "surrogateescape") for name in plain)
