"""The history index knows what S3 holds: quickly from its month files, and without them all the same."""

from __future__ import annotations

import gzip
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from ulid import ULID

from core.errors import StorageError, StorageUnavailable
from core.generation.records.comparison import Comparison
from core.generation.records.history import History, HistoryFilter
from core.generation.records.month_file import MONTH_FILE, Row
from core.injection.request.wishes import Mode, Wishes
from core.record_index.listing import RecordListing
from core.record_index.month_file import MonthFile, day_of
from core.unicode import searchable
from tests.generation.comparisons import StudioFixture, comparison, slot
from tests.support.timeouts import until

MARCH = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
FILE = "history/v1/2026-03.jsonl.gz"
SUFFIX = "/comparison.json"


def at(moment: datetime, prompt: str = "a portrait", *keys: str, person: str = "demo@localhost") -> Comparison:
    """A comparison made at that time."""
    return comparison(
        *(slot(key, "e") for key in keys),
        mode=Mode.TONE_ONLY,
        id=str(ULID.from_datetime(moment)),
        created_at=moment,
        wishes=Wishes(prompt=prompt, mode=Mode.TONE_ONLY),
        person=person,
    )


def days(count: int, *, before: datetime = MARCH) -> list[Comparison]:
    """One comparison a day, the newest first."""
    return [at(before - timedelta(days=day), f"prompt {day}") for day in range(count)]


def fill(studio: StudioFixture, records: list[Comparison]) -> None:
    """Put records into S3 behind every index's back."""
    for record in records:
        put(studio, record)


def put(studio: StudioFixture, record: Comparison) -> None:
    data = record.model_dump_json().encode()
    studio.store.put(key_of(studio, record), data, content_type="application/json")


def key_of(studio: StudioFixture, record: Comparison) -> str:
    return f"{studio.history().folder_of(record.id)}comparison.json"


def files(studio: StudioFixture) -> dict[str, str]:
    """The month files and their etags."""
    return {row.key.rsplit("/", 1)[-1]: row.etag for row in studio.store.list(f"{studio.prefix}history/")}


def ids(history: History, **wanted: str) -> list[str]:
    return [record.id for record in history.newest(limit=1000, wanted=HistoryFilter(**wanted))]


def ids_of(records: list[Comparison]) -> list[str]:
    return sorted((record.id for record in records), reverse=True)


@pytest.mark.parametrize("written_down", [False, True])
def test_a_fresh_server_finds_everything_with_month_files_and_without(
    studio: StudioFixture, written_down: bool
) -> None:
    records = days(70)[::3]  # in three months
    fill(studio, records)
    if written_down:
        studio.history().catch_up()
        assert sorted(files(studio)) == [f"2026-0{month}.jsonl.gz" for month in (1, 2, 3)]
    fresh = studio.history()
    assert ids(fresh) == ids_of(records)
    assert ids(fresh, text="prompt 69") == [records[-1].id]
    assert fresh.count() == len(records)
    assert fresh.coverage.days_left == 0


def test_looking_writes_nothing_and_what_is_known_is_not_written_again(studio: StudioFixture) -> None:
    fill(studio, days(3))
    ids(studio.history())
    assert files(studio) == {}
    studio.history().catch_up()
    before = files(studio)
    studio.history().catch_up()
    assert files(studio) == before != {}


def test_a_month_file_says_what_the_records_say(studio: StudioFixture) -> None:
    records = [at(MARCH, "비 오는 서울", "refs/a.png", "refs/b.png"), *days(2, before=MARCH - timedelta(days=1))]
    fill(studio, records)
    studio.history().catch_up()
    file = MONTH_FILE.unpack(studio.store.get(f"{studio.prefix}{FILE}").data)
    etags = {row.key.split("/")[-2]: row.etag for row in studio.store.list(f"{studio.prefix}generations/")}
    assert file.rows == tuple(Row.of(record, etags[record.id]) for record in sorted(records, key=lambda r: r.id))


def test_only_the_newest_days_are_read_for_the_newest_records(studio: StudioFixture) -> None:
    fill(studio, days(40))
    history = studio.history()
    assert len(history.newest(limit=2)) == 2
    assert history.coverage.days_left > 30


def test_a_record_that_arrives_late_is_found_by_the_next_round(studio: StudioFixture) -> None:
    records = days(5)
    fill(studio, records)
    running = studio.history()
    running.catch_up()
    late = at(MARCH - timedelta(days=200, hours=1)), at(MARCH - timedelta(days=2, hours=1))
    fill(studio, list(late))
    running.catch_up()
    assert ids(running) == ids_of([*records, *late])
    assert ids(studio.history()) == ids_of([*records, *late])
    assert sorted(files(studio)) == ["2025-09.jsonl.gz", "2026-03.jsonl.gz"]


def test_what_another_server_writes_today_is_there_at_once(studio: StudioFixture) -> None:
    one, other = studio.history(), studio.history()
    assert (ids(one), ids(other)) == ([], [])
    made = [at(datetime.now(UTC) + timedelta(milliseconds=n)) for n in range(3)]
    for record in made:
        one.add(record)
        assert ids(other)[0] == record.id
        assert one.count() == other.count()


def test_a_record_that_has_left_s3_is_never_shown(studio: StudioFixture) -> None:
    records = days(6)
    fill(studio, records)
    running = studio.history()
    running.catch_up()
    assert ids(running) == ids_of(records)
    studio.store.delete(key_of(studio, records[2]))
    assert ids(running) == ids_of([*records[:2], *records[3:]])
    assert running.newest(limit=3)[-1].id == records[3].id  # the next one takes its place
    assert ids(studio.history()) == ids_of([*records[:2], *records[3:]])
    studio.store.delete(key_of(studio, records[4]))
    running.catch_up()
    assert running.count() == 4
    assert studio.history().count() == 4


def test_a_month_of_which_nothing_is_left_is_forgotten(studio: StudioFixture) -> None:
    records = days(2)
    fill(studio, records)
    running = studio.history()
    running.catch_up()
    for record in records:
        studio.store.delete(key_of(studio, record))
    assert studio.history().count() == 0
    running.catch_up()
    assert running.count() == 0


def packed(*lines: object) -> bytes:
    return gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode())


GOOD = packed({"listed_at": "2026-04-02T00:00:00+00:00", "rows": 0})
BROKEN = {
    "empty": b"",
    "no gzip": b"hello",
    "cut off": MONTH_FILE.pack(MonthFile(MARCH, (Row.of(at(MARCH), "e"),)))[:-9],
    "damaged": GOOD[:12] + b"\xff\xff" + GOOD[14:],
    "no text": gzip.compress(b"\xff\xfe"),
    "no header": packed(),
    "another header": packed([1, 2]),
    "no time": packed({"listed_at": None, "rows": 0}),
    "fewer rows than said": packed({"listed_at": "2026-04-02T00:00:00+00:00", "rows": 1}),
    "a short row": packed({"listed_at": "2026-04-02T00:00:00+00:00", "rows": 1}, ["x"]),
    "no id": packed({"listed_at": "2026-04-02T00:00:00+00:00", "rows": 1}, ["?", "", "", "", None, None, "", []]),
    "an id beyond time": packed(
        {"listed_at": "2026-04-02T00:00:00+00:00", "rows": 1}, ["Z" * 26, "", "", "", None, None, "", []]
    ),
    "nested for ever": gzip.compress(b'{"listed_at":"2026-04-02","rows":1}\n' + b"[" * 100_000 + b"\n"),
}


@pytest.mark.parametrize("damage", BROKEN)
def test_a_broken_month_file_hides_nothing_and_is_written_anew(studio: StudioFixture, damage: str) -> None:
    records = days(3)
    fill(studio, records)
    studio.store.put(f"{studio.prefix}{FILE}", BROKEN[damage], content_type="application/gzip")
    with capture_logs() as log:
        assert ids(studio.history()) == ids_of(records)
    assert [line["event"] for line in log] == ["month_file_left_out"]
    studio.history().catch_up()
    mended = MONTH_FILE.unpack(studio.store.get(f"{studio.prefix}{FILE}").data)
    assert [row.id for row in mended.rows] == ids_of(records)[::-1]


def test_a_month_file_that_lies_is_not_believed(studio: StudioFixture) -> None:
    record, never = at(MARCH, "a red coat"), at(MARCH - timedelta(hours=3), "a red hat")
    fill(studio, [record])
    etag = studio.store.head(key_of(studio, record)).etag
    lies = (Row.of(never, "e"), Row.of(at(MARCH).model_copy(update={"id": record.id}), etag))
    listed = MARCH + timedelta(days=2)
    studio.store.put(
        f"{studio.prefix}{FILE}", MONTH_FILE.pack(MonthFile(listed, lies)), content_type="application/gzip"
    )
    history = studio.history()
    assert ids(history, text="hat") == []
    assert ids(history, text="portrait") == []
    assert ids(history, text="red coat") == [record.id]  # what was read on the way has put the row right
    assert ids(history) == [record.id]


def test_a_file_written_before_its_month_was_over_does_not_hide_what_came_after(studio: StudioFixture) -> None:
    records = [*days(10), at(MARCH + timedelta(days=20))]
    fill(studio, records)
    early = tuple(Row.of(record, studio.store.head(key_of(studio, record)).etag) for record in records[6:10])
    file = MonthFile(MARCH - timedelta(days=5, hours=12), early)
    studio.store.put(f"{studio.prefix}{FILE}", MONTH_FILE.pack(file), content_type="application/gzip")
    assert ids(studio.history()) == ids_of(records)
    running = studio.history()
    running.catch_up()
    assert MONTH_FILE.unpack(studio.store.get(f"{studio.prefix}{FILE}").data).listed_at > MARCH


def test_a_server_that_was_away_for_days_reads_those_days_and_shows_the_rest_at_once(studio: StudioFixture) -> None:
    now = datetime.now(UTC)
    known, missed = days(4, before=now - timedelta(days=40)), days(9, before=now)
    fill(studio, [*known, *missed])
    rows = tuple(Row.of(record, studio.store.head(key_of(studio, record)).etag) for record in known)
    for month in {day_of(record.id)[:7] for record in known}:
        mine = tuple(row for row in rows if day_of(row.id).startswith(month))
        file = MONTH_FILE.pack(MonthFile(now - timedelta(days=39), mine))
        key = f"{studio.prefix}history/v1/{month.replace('/', '-')}.jsonl.gz"
        studio.store.put(key, file, content_type="application/gzip")
    history = studio.history()
    assert [record.id for record in history.newest(limit=2)] == ids_of(missed)[:2]
    assert history.coverage.days_left >= 6
    assert ids(history) == ids_of([*known, *missed])
    assert history.coverage.days_left == 0


def test_records_of_the_first_day_of_all_are_no_trouble(studio: StudioFixture) -> None:
    oldest = at(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    fill(studio, [oldest])
    history = studio.history()
    history.catch_up()
    assert ids(history) == [oldest.id] == ids(studio.history())


def test_a_month_file_that_somebody_removed_is_written_again(studio: StudioFixture) -> None:
    fill(studio, days(3))
    running = studio.history()
    running.catch_up()
    studio.store.delete(f"{studio.prefix}{FILE}")
    assert ids(studio.history()) == ids(running)
    running.catch_up()
    assert list(files(studio)) == ["2026-03.jsonl.gz"]


def test_servers_that_race_for_a_month_file_all_stay_right(studio: StudioFixture) -> None:
    records = days(12)
    servers = [studio.history() for _ in range(3)]
    gate = threading.Barrier(3)

    def work(number: int) -> None:
        for record in records[number::3]:
            servers[number].add(record)
            gate.wait()
            servers[number].catch_up()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    for server in (*servers, studio.history()):
        server.catch_up()
        assert ids(server) == ids_of(records)
    file = MONTH_FILE.unpack(studio.store.get(f"{studio.prefix}{FILE}").data)
    assert [row.id for row in file.rows] == ids_of(records)[::-1]


def test_broken_and_misplaced_records_are_left_out_and_cost_no_other(studio: StudioFixture) -> None:
    good, broken, other = days(3)
    fill(studio, [good])
    studio.store.put(key_of(studio, broken), b"{", content_type="application/json")
    data = good.model_dump_json().encode()
    studio.store.put(key_of(studio, other), data, content_type="application/json")  # says that it is another
    generations = f"{studio.prefix}generations"
    for key in (f"{generations}/2020/01/01/{good.id}", f"{generations}/2026/03/{good.id}", f"{generations}/{good.id}"):
        studio.store.put(f"{key}/comparison.json", data, content_type="application/json")
    history = studio.history()
    with capture_logs() as log:
        history.catch_up()
        history.catch_up()
    assert [line["event"] for line in log] == ["record_left_out"] * 2  # each once, not in every round
    assert ids(history) == [good.id]
    put(studio, broken)  # mended
    history.catch_up()
    assert ids(history) == ids_of([good, broken])


def test_a_listing_of_many_pages_is_the_same_whichever_way_it_is_read(studio: StudioFixture) -> None:
    """S3 gives 1,000 keys a page: the records lie before, between and behind more than that of other objects."""
    records = sorted(days(1) + [at(MARCH.replace(hour=hour)) for hour in (1, 12)], key=lambda one: one.id)
    fill(studio, records)
    crowded = studio.history().folder_of(records[1].id)
    with ThreadPoolExecutor(16) as pool:
        for made in [
            pool.submit(studio.store.put, f"{crowded}z-{n}.png", b"", content_type="image/png") for n in range(1001)
        ]:
            made.result()
    root = f"{studio.prefix}generations/"
    ways = [
        RecordListing(studio.store, root, list_pages, suffix=SUFFIX).below(root)
        for list_pages in (studio.list_pages, None)
    ]
    assert ways[0] == ways[1]
    assert sorted(ways[0]) == [one.id for one in records]
    behind = f"{root}2026/03/31/{records[0].id}/comparison.json"
    assert sorted(
        RecordListing(studio.store, root, studio.list_pages, suffix=SUFFIX).below(root, start_after=behind)
    ) == sorted(one.id for one in records[1:])


def test_it_is_known_which_comparisons_a_reference_went_into(studio: StudioFixture) -> None:
    key, other = "refs/02. Tone/b(vivid)/노을 1.png", "refs/x.png"
    records = [at(MARCH, "one", key), at(MARCH - timedelta(days=3), "two", other, key), at(MARCH, "three", other)]
    fill(studio, records)
    history = studio.history()
    assert list(history.used_in(key)) == ids_of(records[:2]) == ids(history, reference=key)
    assert history.used_in("refs/never.png") == ()
    history.add(at(datetime.now(UTC), "four", key))
    assert len(history.used_in(key)) == 3


def test_started_it_reads_all_in_the_background_and_follows_other_servers(studio: StudioFixture) -> None:
    records = days(40)
    fill(studio, records)
    history = studio.history()
    history.start()
    try:
        until(lambda: history.coverage.checked)
        assert history.coverage.days_left == 0
        assert ids(history) == ids_of(records)
        assert len(files(studio)) == 2
        new = at(datetime.now(UTC))
        studio.history().add(new)
        assert history.last_given("demo@localhost") == ()
        assert ids(history)[0] == new.id
    finally:
        history.stop()
    until(lambda: "history-index" not in {thread.name for thread in threading.enumerate()})


def test_an_s3_that_is_away_is_told_and_forgotten_when_it_is_back(studio: StudioFixture) -> None:
    fill(studio, days(2))
    away = studio.history(store=studio.store_at("http://127.0.0.1:9", attempts=1))
    for ask in (away.count, away.catch_up, lambda: away.used_in("x"), lambda: away.last_given("x")):
        with pytest.raises(StorageUnavailable):
            ask()


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
moments = st.datetimes(datetime(1970, 1, 2), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - as asked
rows = st.builds(
    Row,
    moments.map(lambda moment: str(ULID.from_datetime(moment))),
    texts,
    texts,
    texts,
    st.none() | texts,
    st.none() | texts,
    texts.map(searchable),
    st.lists(texts, max_size=3).map(tuple),
)


@settings(max_examples=100, deadline=None)
@given(moments, st.lists(rows, max_size=5).map(tuple))
def test_every_month_file_comes_back_as_it_was_written(listed_at: datetime, written: tuple[Row, ...]) -> None:
    file = MonthFile(listed_at, written)
    assert MONTH_FILE.unpack(MONTH_FILE.pack(file)) == file


@settings(max_examples=200, deadline=None)
@given(moments)
def test_a_day_is_the_one_its_ulid_says(moment: datetime) -> None:
    assert day_of(str(ULID.from_datetime(moment))) == f"{moment.year:04}/{moment:%m/%d}"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | st.binary(max_size=60).map(gzip.compress))
def test_no_bytes_are_taken_for_a_month_file_by_mistake(data: bytes) -> None:
    with pytest.raises(StorageError, match="cannot be read"):
        MONTH_FILE.unpack(data)


KINDS = st.sampled_from(["put", "delete", "round", "other round", "break", "drop"])
OPS = st.lists(st.tuples(KINDS, st.integers(0, 7)), max_size=8)
POOL = days(8, before=datetime(2026, 4, 3, tzinfo=UTC))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ops=OPS)
def test_whatever_happens_a_round_later_it_is_what_s3_holds(studio: StudioFixture, ops: list[tuple[str, int]]) -> None:
    own = StudioFixture(studio.s3, f"{studio.prefix}{uuid4()}/")
    running, other = own.history(), own.history()
    there: dict[str, Comparison] = {}
    month = f"{own.prefix}{FILE}"
    for op, number in ops:
        record = POOL[number]
        if op == "put":
            put(own, record)
            there[record.id] = record
        elif op == "delete":
            own.store.delete(key_of(own, record))
            there.pop(record.id, None)
        elif op == "break":
            own.store.put(month, b"broken", content_type="application/gzip")
        elif op == "drop":
            own.store.delete(month)
        else:
            (running if op == "round" else other).catch_up()
        assert set(ids(running)) <= there.keys()
        assert set(ids(own.history())) <= there.keys()
    for history in (running, other, own.history()):
        history.catch_up()
        assert ids(history) == ids_of(list(there.values()))
        assert history.count() == len(there)
