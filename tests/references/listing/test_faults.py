"""Whatever goes wrong with a listing, in one request or among many, ends in a clear state, and the last index stays."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from bench.list_server import Bucket, ListServer, Raw, answer, error
from core.errors import StorageDenied, StorageError, StorageUnavailable
from core.references.catalog import Catalog
from core.storage.client import Reach
from core.storage.list_pages import ListPages
from tests.injection.libraries import VOCABULARY

FEW = [f"refs/01. Model/noir/Ada {n:02d}.jpg" for n in range(3)]
# more than two pages: the second refresh asks for three ranges at once
MANY = [f"refs/01. Model/noir/Ada {n:05d}.jpg" for n in range(2500)]
NAMESAKES = [
    "refs/01. Model/noir/caf\u00e9.jpg",
    "refs/01. Model/noir/cafe\u0301.jpg",
    "refs/01. Model/noir/50%.jpg",
    "refs/01. Model/noir/a+b.jpg",
    "refs/01. Model/noir/a b.jpg",
    "refs/01. Model/noir/ both ends.jpg",
    "refs/ 01. Model /noir / both ends.jpg",
    "refs/01. Model/noir//twice.jpg",
    "refs/01. Model/noir/../up.jpg",
    "/refs/leading.jpg",
    "refs/01. Model/noir/\x01.jpg",
    "refs/01. Model/noir/\U0001f39e\ufe0f.jpg",
    "refs/01. Model/noir/" + "\uac00" * 333 + ".jpg",
    "refs/01. Model/noir/Case.jpg",
    "refs/01. Model/noir/case.jpg",
    "refs/01. Model/noir/CASE.JPG",
]


def endless(_nth: int) -> Raw:
    page = Bucket(FEW).page({}).replace(b">false<", b">true<")
    return answer(page.replace(b"<KeyCount>", b"<NextContinuationToken>again</NextContinuationToken><KeyCount>"))


def cut(_nth: int) -> Raw:
    page = Bucket(FEW).page({})
    return answer(page[: len(page) // 2], announce=len(page))


FAULTS: dict[str, tuple[Callable[[int], Raw], type[StorageError], str]] = {
    "no such bucket": (lambda _nth: error("NoSuchBucket", "404 Not Found"), StorageUnavailable, "does not exist"),
    "no permission": (lambda _nth: error("AccessDenied", "403 Forbidden"), StorageDenied, "may not"),
    "the key is wrong": (lambda _nth: error("InvalidAccessKeyId", "403 Forbidden"), StorageDenied, "credentials"),
    "it hangs": (lambda _nth: Raw(hold=True), StorageUnavailable, "in time"),
    "cut in the middle of a page": (cut, StorageUnavailable, "broke off"),
    "the same token for ever": (endless, StorageUnavailable, "for ever"),
    "malformed XML": (lambda _nth: answer(b"<ListBucketResult><Contents><Key>a"), StorageUnavailable, "S3|http"),
    "malformed rows": (
        lambda _nth: answer(Bucket(MANY[-1:]).page({}).replace(b"<Size>", b"<Size>x")),
        StorageUnavailable,
        "cannot be read",
    ),
    "always overloaded": (lambda _nth: error("SlowDown", "503 Slow Down"), StorageUnavailable, "SlowDown"),
    "an empty answer": (lambda _nth: answer(b""), StorageUnavailable, "S3|http"),
}


def catalog_over(server: ListServer) -> Catalog:
    list_pages = ListPages(
        Reach("bench", server.endpoint_url, "AKIDTEST", "secret", read_timeout_s=0.3),
        attempts=2,
        sleep=lambda _s: None,
    )
    return Catalog(list_pages, VOCABULARY, library_prefix="refs/", app_prefix="studio/", refresh_s=3600, workers=4)


@pytest.mark.parametrize("keys", [FEW, MANY], ids=["one request", "many at once"])
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_and_the_last_good_index_serves(name: str, keys: list[str]) -> None:
    fault, error, said = FAULTS[name]
    broken = threading.Event()
    with ListServer(Bucket(keys), script=lambda nth, _query: fault(nth) if broken.is_set() else None) as server:
        catalog = catalog_over(server)
        good = catalog.refresh()
        broken.set()
        with pytest.raises(error, match=said):
            catalog.refresh()
        assert catalog.index is good
        assert [ref.key for ref in catalog.index.references] == keys
        assert catalog.status.error
        assert not catalog.status.refreshing
        broken.clear()
        assert len(catalog.refresh()) == len(keys)
        assert catalog.status.error is None


@pytest.mark.parametrize("name", ["no permission", "it hangs", "cut in the middle of a page", "malformed rows"])
def test_one_faulty_range_of_many_keeps_the_last_good_index(name: str) -> None:
    fault, error, _said = FAULTS[name]
    broken = threading.Event()

    def only_the_last_range(nth: int, query: dict[str, str]) -> Raw | None:
        return fault(nth) if broken.is_set() and query.get("start-after", "") >= MANY[1900] else None

    with ListServer(Bucket(MANY), script=only_the_last_range) as server:
        catalog = catalog_over(server)
        good = catalog.refresh()
        broken.set()
        with pytest.raises(error):
            catalog.refresh()
        assert catalog.index is good


def test_an_empty_bucket_is_an_empty_library_and_no_fault() -> None:
    with ListServer(Bucket([])) as server:
        catalog = catalog_over(server)
        assert len(catalog.refresh()) == 0
        assert (catalog.status.ready, catalog.status.error) == (True, None)
        assert (catalog.index.folders, catalog.index.problems) == ((), ())


def test_every_awkward_key_is_a_reference_of_its_own_at_its_exact_key() -> None:
    with ListServer(Bucket(NAMESAKES)) as server:
        index = catalog_over(server).refresh()
    expected = sorted((key for key in NAMESAKES if key.startswith("refs/")), key=str.encode)
    assert [ref.key for ref in index.references] == expected
    for key in expected:
        assert index.resolve(key) == (index.get(key),)
    assert index.get("/refs/leading.jpg") is None, "it does not lie under the library prefix"
