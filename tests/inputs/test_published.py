"""Published files: identified by their bytes, downloaded whole or not at all, kept once."""

import hashlib
import io
import os
import threading
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from inoc_evals.errors import InputError
from inoc_evals.inputs import published
from inoc_evals.inputs.published import PublishedFile, add, entries, fetch, locate, named, verify
from inoc_evals.store.store import inoc_home

TALE, SONG = b'{"a": "tale"}', b'{"a": "song"}\n'


def packed(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"inner/{name}.jsonl", data)
    return buffer.getvalue()


BOX = packed(poem=b"a poem\n", play=b"a play\n")


class Web(BaseHTTPRequestHandler):
    """Serves ``pages``; a page that is cut promises more bytes than come, an endless one none."""

    pages: ClassVar[dict[str, bytes]] = {}
    cut: ClassVar[set[str]] = set()
    asked: ClassVar[list[str]] = []
    endless: ClassVar[set[str]] = set()
    sent: ClassVar[list[int]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        page = self.pages.get(self.path)
        if self.path in self.endless and page is not None:
            self.go_on(page)
            return
        self.send_response(404 if page is None else 200)
        more = 5 if self.path in self.cut else 0
        self.send_header("Content-Length", str(len(page or b"") + more))
        self.end_headers()
        self.wfile.write(page or b"")

    def go_on(self, page: bytes) -> None:
        """Send 128 MiB after the page, or what is taken of that."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(page)
        with suppress(OSError):
            for _ in range(128):
                self.wfile.write(bytes(2**20))
                self.sent.append(2**20)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Web]]:
    """A server on this machine, and a list of published files that are there."""
    Web.pages, Web.cut, Web.asked = {"/tale": TALE, "/song": SONG, "/box": BOX}, set(), []
    Web.endless, Web.sent = set(), []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("NO_PROXY", "*")

    def entry(name: str, file: str, data: bytes, **more: str) -> PublishedFile:
        sha256 = hashlib.sha256(data).hexdigest()
        kind = "archive" if name == "box" else "rows"
        url = None if more else f"http://127.0.0.1:{server.server_port}/{name}"
        size = None if name == "play" else len(data)
        return PublishedFile(name, file, kind, sha256, "MIT", f"a {name}", size, url, **more)

    listed = (
        entry("tale", "tale.jsonl", TALE),
        entry("song", "song.jsonl", SONG),
        entry("poem", "poem.jsonl", b"a poem\n", archive="box", member="inner/poem.jsonl"),
        entry("play", "play.jsonl", b"a play\n", archive="box", member="inner/play.jsonl"),
        entry("box", "box.zip", BOX),
    )
    monkeypatch.setattr(published, "entries", lambda: listed)
    yield Web
    server.shutdown()
    server.server_close()


def everything_kept() -> set[str]:
    return {path.name for path in inoc_home().rglob("*") if path.is_file()}


# ---- the list --------------------------------------------------------------------------------


def test_every_file_is_pinned_and_has_one_place_it_comes_from() -> None:
    for entry in entries():
        assert len(entry.sha256) == 64 and set(entry.sha256) <= set("0123456789abcdef")
        assert (entry.url is None) == (entry.archive is not None) == (entry.member is not None)
        assert entry.license in ("MIT", "CC-BY-4.0") and entry.about
        if entry.archive:
            assert named(entry.archive).kind == "archive"
        elif entry.url:
            commit = entry.url.removeprefix("https://raw.githubusercontent.com/").split("/")[2]
            assert len(commit) == 40 and entry.url != commit
    for key in ("name", "file", "sha256"):
        assert len({getattr(entry, key) for entry in entries()}) == len(entries())


def test_the_files_at_hand_are_those_of_the_list(
    upstream: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INOC_PUBLISHED", str(upstream))
    found = {status.entry.name: status.path for status in verify() if status.state == "intact"}
    here = {path for path in upstream.iterdir() if path.suffix in (".jsonl", ".yaml")}
    assert set(found.values()) == here
    for name, path in found.items():
        assert path is not None and named(name).bytes == path.stat().st_size


# ---- fetching --------------------------------------------------------------------------------


def test_a_file_is_downloaded_once(web: type[Web]) -> None:
    path = fetch("tale")
    assert path.read_bytes() == TALE
    assert path == inoc_home() / "published" / hashlib.sha256(TALE).hexdigest()[:16] / "tale.jsonl"
    assert path.stat().st_mode & 0o777 == 0o644
    assert fetch("tale") == locate("tale") == path
    assert web.asked == ["/tale"]
    assert everything_kept() == {"tale.jsonl"}


def test_of_an_archive_its_member_is_taken_and_the_archive_kept(web: type[Web]) -> None:
    assert fetch("poem").read_bytes() == b"a poem\n"
    assert everything_kept() == {"box.zip", "poem.jsonl"}
    assert fetch("play").read_bytes() == b"a play\n"
    assert web.asked == ["/box"]


def test_a_damaged_file_is_fetched_again(web: type[Web]) -> None:
    path = fetch("song")
    path.write_bytes(SONG[:-1] + b" ")
    assert {s.entry.name: s.state for s in verify()}["song"] == "damaged"
    with pytest.raises(InputError, match=r"'song' is damaged \(.*song\.jsonl\): song\.jsonl"):
        locate("song")
    assert fetch("song").read_bytes() == SONG
    assert web.asked == ["/song", "/song"]


def test_verify_reads_the_bytes_even_of_a_file_that_looks_untouched(web: type[Web]) -> None:
    path = fetch("song")
    written = path.stat().st_mtime_ns
    path.write_bytes(SONG.swapcase())
    os.utime(path, ns=(written, written))
    assert {s.entry.name: s.state for s in verify()}["song"] == "damaged"


@pytest.mark.parametrize("fault", ["another", "cut"])
def test_nothing_is_kept_of_what_is_not_the_file(web: type[Web], fault: str) -> None:
    if fault == "another":
        web.pages["/tale"] = TALE.swapcase()
    else:
        web.pages["/tale"] = TALE[:-3]
        web.cut.add("/tale")
    with pytest.raises(InputError, match=r"what came is not tale|cannot be downloaded"):
        fetch("tale")
    assert everything_kept() == set()
    assert {s.entry.name: s.state for s in verify()}["tale"] == "absent"


@pytest.mark.parametrize("listed", [True, False])
def test_a_download_stops_at_the_length_that_the_list_says(
    web: type[Web], monkeypatch: pytest.MonkeyPatch, listed: bool
) -> None:
    if not listed:
        entries = [replace(entry, bytes=None) for entry in published.entries()]
        monkeypatch.setattr(published, "entries", lambda: entries)
        monkeypatch.setattr(published, "_MOST_BYTES", 13)
    web.endless.add("/tale")
    with pytest.raises(InputError, match=r"/tale: more came than the 13 bytes of tale\.jsonl"):
        fetch("tale")
    assert sum(web.sent) < 64 * 2**20
    assert everything_kept() == set()


def test_a_failed_download_leaves_what_was_there(web: type[Web]) -> None:
    path = fetch("song")
    path.write_bytes(b"mine")
    web.pages["/song"] = TALE
    with pytest.raises(InputError):
        fetch("song")
    assert path.read_bytes() == b"mine"


def test_an_archive_without_the_member_is_refused(
    web: type[Web], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = [
        replace(e, member="inner/gone") if e.name == "poem" else e for e in published.entries()
    ]
    monkeypatch.setattr(published, "entries", lambda: listed)
    with pytest.raises(InputError, match=r"box\.zip: inner/gone cannot be read"):
        fetch("poem")
    listed = [replace(e, sha256="0" * 64) if e.name == "play" else e for e in listed]
    with pytest.raises(InputError, match=r"its member inner/play\.jsonl is not play\.jsonl"):
        fetch("play")
    assert everything_kept() == {"box.zip"}


def test_a_page_that_is_gone_is_said_in_two_lines(web: type[Web]) -> None:
    del web.pages["/tale"]
    with pytest.raises(InputError) as caught:
        fetch("tale")
    first, second = str(caught.value).splitlines()
    assert first.startswith("http://127.0.0.1:") and first.endswith("downloaded (HTTP 404)")
    assert second == "get tale.jsonl on a machine that can, then: inoc data add tale.jsonl"


def test_offline_is_said_in_two_lines(web: type[Web], monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [replace(entry, url="http://127.0.0.1:9/box") for entry in published.entries()]
    monkeypatch.setattr(published, "entries", lambda: listed)
    with pytest.raises(InputError) as caught:
        fetch("poem")
    first, second = str(caught.value).splitlines()
    assert first == "http://127.0.0.1:9/box: cannot be downloaded (ConnectionError)"
    assert second == "get box.zip on a machine that can, then: inoc data add box.zip"


# ---- locating --------------------------------------------------------------------------------


def test_a_missing_file_is_described_with_all_it_takes_to_get_it(web: type[Web]) -> None:
    with pytest.raises(InputError) as caught:
        locate("poem")
    first, second = str(caught.value).splitlines()
    assert first.startswith("published file 'poem' is not on this machine: poem.jsonl (7 bytes, ")
    assert hashlib.sha256(b"a poem\n").hexdigest() in first
    assert first.endswith("/box, member inner/poem.jsonl")
    assert "inoc data fetch poem" in second and "inoc data add FILE" in second
    with pytest.raises(InputError, match=r"play\.jsonl \(sha256 [0-9a-f]{64}\), from http"):
        locate("play")
    assert web.asked == []


def test_an_unknown_name_is_refused_with_those_there_are(web: type[Web]) -> None:
    with pytest.raises(InputError, match="called 'tail'; there are: tale, song, poem, play, box"):
        locate("tail")


def test_a_folder_of_files_is_used_as_it_is_whatever_their_names(
    web: type[Web], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INOC_PUBLISHED", str(tmp_path))
    (tmp_path / "tale.jsonl").write_bytes(SONG.replace(b"song", b"sung"))
    (tmp_path / "song.jsonl").write_bytes(TALE)
    assert locate("tale") == tmp_path / "song.jsonl"
    with pytest.raises(InputError, match="'song' is not on this machine"):
        locate("song")
    (tmp_path / "song.jsonl").write_bytes(TALE.swapcase())
    os.utime(tmp_path / "song.jsonl", ns=(5, 5))
    with pytest.raises(InputError, match="'tale' is not on this machine"):
        locate("tale")
    assert not inoc_home().exists()


# ---- adding ----------------------------------------------------------------------------------


def test_a_file_is_known_by_its_bytes(web: type[Web], tmp_path: Path) -> None:
    mine = tmp_path / "tale.jsonl"
    mine.write_bytes(TALE)
    assert add(mine) == (named("tale"), locate("tale"), None)
    swapped = tmp_path / "poem.jsonl"
    swapped.write_bytes(SONG)
    added = add(swapped)
    assert (added.entry.name, added.path) == ("song", locate("song"))
    assert added.note == "poem.jsonl has the name of poem, but by its bytes it is song"
    renamed = tmp_path / "x.txt"
    renamed.write_bytes(SONG)
    assert add(renamed).note == "x.txt is published as song.jsonl"
    assert everything_kept() == {"tale.jsonl", "song.jsonl"}


def test_a_last_newline_more_or_less_is_put_right(web: type[Web], tmp_path: Path) -> None:
    for name, data in {"tale": TALE + b"\n", "song": SONG[:-1]}.items():
        path = tmp_path / f"{name}.jsonl"
        path.write_bytes(data)
        added = add(path)
        assert added.note is not None and "but for its last byte, a newline" in added.note
    assert locate("tale").read_bytes() == TALE and locate("song").read_bytes() == SONG


def test_an_archive_brings_its_members(web: type[Web], tmp_path: Path) -> None:
    path = tmp_path / "box.zip"
    path.write_bytes(BOX)
    assert add(path).entry.name == "box"
    assert locate("poem").read_bytes() == b"a poem\n"
    assert locate("play").read_bytes() == b"a play\n"
    assert web.asked == []


def test_a_file_nobody_published_is_refused(web: type[Web], tmp_path: Path) -> None:
    path = tmp_path / "tale.jsonl"
    path.write_bytes(TALE[:-2])
    with pytest.raises(InputError, match=r"tale\.jsonl: not one of the published files.*\(11, sha"):
        add(path)
    with pytest.raises(InputError, match="nothing: cannot be read"):
        add(tmp_path / "nothing")
    assert everything_kept() == set()
