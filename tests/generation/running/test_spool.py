"""The spool: a finished picture outlives its process and S3's outages on this machine's disk."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from core.errors import NotFound, StorageUnavailable
from core.generation.records.attempt_status import AttemptPhase
from core.generation.records.comparison import Comparison
from core.generation.running.runner import RunLimits, Runner
from core.generation.running.spool import Spool
from core.injection.request.wishes import Mode
from core.storage.local.file_spool import FileSpool
from core.storage.s3 import Store
from tests.faults.proxy import Does, FaultProxy
from tests.generation.comparisons import TONE_ONLY, PaintingEngine, StudioFixture, comparison, png, side_of
from tests.support.timeouts import until


def runner_at(studio: StudioFixture, folder: Path, engine: PaintingEngine, *, store: Store | None = None) -> Runner:
    """A server with its spool in a folder."""
    history = studio.history(store=store)
    return Runner(
        history,
        store or studio.store,
        {engine.name: engine},
        RunLimits(concurrency=2, deadline_s=60),
        spool=Spool(FileSpool(folder), history),
    )


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.generation.running.outcome_writer._STORE_PATIENCE_S", 0.0)
    monkeypatch.setattr("core.generation.running.outcome_writer._CLOSING_PATIENCE_S", 0.0)


def stranded(studio: StudioFixture, folder: Path, engine: PaintingEngine) -> tuple[Comparison, FaultProxy, Runner]:
    """A comparison whose picture S3 did not take, the proxy that holds it back, and the server it is on."""
    proxy = FaultProxy(studio.s3.endpoint_url)
    proxy.rule(r"PUT .*\.png$", Does.REFUSE)
    runner = runner_at(studio, folder, engine, store=studio.store_at(proxy.url, attempts=1))
    wanted = comparison(mode=Mode.TONE_ONLY)
    runner.submit(wanted)
    failed = side_of(runner.wait(wanted.id))
    assert failed.phase is AttemptPhase.FAILED
    assert failed.latest is not None
    assert failed.latest.failure is not None
    assert "kept on this server" in failed.latest.failure.message
    assert len(list(folder.iterdir())) == 1
    return wanted, proxy, runner


@pytest.mark.usefixtures("impatient")
class TestAPictureThatS3DoesNotTake:
    def test_is_delivered_by_the_next_server_on_this_machine(self, studio: StudioFixture, tmp_path: Path) -> None:
        engine = PaintingEngine()
        wanted, _, runner = stranded(studio, tmp_path, engine)
        runner.close()
        after = runner_at(studio, tmp_path, engine)
        assert side_of(after.status(wanted.id)).phase is AttemptPhase.INTERRUPTED
        after.recover()
        done = side_of(after.status(wanted.id))
        assert (done.phase, done.attempt) == (AttemptPhase.DONE, 1)
        assert done.latest is not None
        assert done.latest.cost is not None
        assert (done.latest.request_id, done.latest.cost.usd) == ("req-1", 0.04)
        assert done.picture is not None
        assert studio.store.get(done.picture.key).data == png()
        assert list(tmp_path.iterdir()) == []
        assert len(engine.requests) == 1
        after.close()

    def test_is_stored_by_retry_and_not_made_again(self, studio: StudioFixture, tmp_path: Path) -> None:
        engine = PaintingEngine()
        wanted, proxy, runner = stranded(studio, tmp_path, engine)
        proxy.drop_all()
        runner.retry(wanted.id, TONE_ONLY)
        assert (side_of(runner.status(wanted.id)).phase, len(engine.requests)) == (AttemptPhase.DONE, 1)
        assert list(tmp_path.iterdir()) == []
        runner.close()

    def test_is_stored_by_the_retry_of_a_server_that_has_not_delivered_yet(
        self, studio: StudioFixture, tmp_path: Path
    ) -> None:
        engine = PaintingEngine()
        wanted, _, runner = stranded(studio, tmp_path, engine)
        runner.close()
        after = runner_at(studio, tmp_path, engine)
        after.retry(wanted.id, TONE_ONLY)
        assert (side_of(after.status(wanted.id)).phase, len(engine.requests)) == (AttemptPhase.DONE, 1)
        after.close()

    def test_goes_along_with_the_next_one_that_s3_takes(self, studio: StudioFixture, tmp_path: Path) -> None:
        engine = PaintingEngine()
        wanted, proxy, runner = stranded(studio, tmp_path, engine)
        proxy.drop_all()
        another = comparison(mode=Mode.TONE_ONLY)
        runner.submit(another)
        runner.wait(another.id)
        until(lambda: side_of(studio.history().status(wanted.id)).phase is AttemptPhase.DONE)
        runner.close()
        assert list(tmp_path.iterdir()) == []

    def test_waits_on_while_s3_is_away(self, studio: StudioFixture, tmp_path: Path) -> None:
        wanted, _, runner = stranded(studio, tmp_path, PaintingEngine())
        runner.close()
        away = runner_at(studio, tmp_path, PaintingEngine(), store=studio.store_at("http://127.0.0.1:9", attempts=1))
        away.recover()
        assert [file.name for file in tmp_path.iterdir()] == [f"{wanted.id}.tone-only.1.made"]
        away.close()

    def test_delivered_by_two_servers_at_once_it_is_the_same_picture(
        self, studio: StudioFixture, tmp_path: Path
    ) -> None:
        wanted, _, runner = stranded(studio, tmp_path, PaintingEngine())
        (kept,) = tmp_path.iterdir()
        bytes_kept = kept.read_bytes()
        runner.close()
        for _ in range(2):
            kept.write_bytes(bytes_kept)
            after = runner_at(studio, tmp_path, PaintingEngine())
            after.recover()
            assert side_of(after.status(wanted.id)).phase is AttemptPhase.DONE
            assert list(tmp_path.iterdir()) == []
            after.close()


def test_what_was_stored_leaves_the_disk(studio: StudioFixture, tmp_path: Path) -> None:
    runner = runner_at(studio, tmp_path, PaintingEngine())
    wanted = comparison()
    runner.submit(wanted)
    runner.wait(wanted.id)
    runner.close()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_nothing_costs_no_picture_while_s3_is_there(studio: StudioFixture, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    runner = runner_at(studio, tmp_path / "file", PaintingEngine())
    wanted = comparison(mode=Mode.TONE_ONLY)
    runner.submit(wanted)
    assert side_of(runner.wait(wanted.id)).phase is AttemptPhase.DONE
    runner.close()


def test_a_file_that_makes_no_sense_holds_up_no_other(studio: StudioFixture, tmp_path: Path) -> None:
    FileSpool(tmp_path).keep("00.made", b"nonsense\n", b"picture")
    runner = runner_at(studio, tmp_path, PaintingEngine())
    runner.recover()
    runner.close()
    assert [file.name for file in tmp_path.iterdir()] == ["00.made"]


class TestFileSpool:
    def test_what_is_kept_is_read_again_and_only_by_its_owner(self, tmp_path: Path) -> None:
        storage = FileSpool(tmp_path / "made" / "on demand")
        assert storage.names() == []
        storage.keep("b", b"one, ", b"two")
        storage.keep("a", b"")
        assert (storage.names(), storage.read("b")) == (["a", "b"], b"one, two")
        assert stat.S_IMODE((tmp_path / "made" / "on demand" / "b").stat().st_mode) == 0o600
        storage.drop("b")
        storage.drop("b")
        with pytest.raises(NotFound):
            storage.read("b")

    def test_what_was_not_finished_is_not_there(self, tmp_path: Path) -> None:
        (tmp_path / "half.abcd.tmp").write_bytes(b"ha")
        assert FileSpool(tmp_path).names() == []

    def test_a_folder_that_cannot_be_used_says_so(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(StorageUnavailable, match="cannot be used"):
            FileSpool(tmp_path / "file").keep("a", b"")
