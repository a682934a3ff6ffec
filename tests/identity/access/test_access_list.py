"""The access list: who may come in and as what, changed by admins only, with a trail that lacks nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from structlog.testing import capture_logs

from core.errors import AccessDenied, ConfigError, InputError, StorageUnavailable, StudioError, WriteConflict
from core.identity.access.access import Access
from core.identity.access.access_list import DEMO_EMAIL, AccessLevel, AccessList
from core.objects.documents import MAX_AGE_S, parse_settings
from core.settings import Settings
from core.storage.s3 import Store
from core.viewer import PersonRole, Viewer
from tests.identity.conftest import Clock
from tests.support.s3.moto_server import fill, remove
from tests.support.s3.servers import S3Server
from tests.support.timeouts import LONG_S

ROOT = Path(__file__).parents[3]
ADA, BO, CY = "ada@studio.example", "bo@studio.example", "cy@freelance.example"
ADMIN = Viewer(ADA, PersonRole.ADMIN, "Ada")
WHEN = datetime(2026, 11, 22, 12, tzinfo=UTC)


def configured(app_prefix: str, **changes: object) -> Settings:
    said = {
        "s3_bucket": "studio",
        "s3_app_prefix": app_prefix,
        "admin_emails": ADA,
        "allowed_domains": "studio.example",
    }
    return Settings.model_validate(said | changes)


def server(store: Store, settings: Settings, clock: Clock) -> Access:
    """A server's access list: another one has another memory."""
    return Access(store, settings, now=lambda: WHEN, monotonic=clock)


@pytest.fixture
def settings(app_prefix: str) -> Settings:
    return configured(app_prefix)


@pytest.fixture
def access(store: Store, settings: Settings, clock: Clock) -> Access:
    return server(store, settings, clock)


def role(access: Access, email: str, hosted_domain: str = "") -> PersonRole | None:
    try:
        return access.role_of(email, hosted_domain=hosted_domain)
    except AccessDenied:
        return None


# ---- who comes in


def test_until_somebody_changes_the_list_the_settings_decide(store: Store, app_prefix: str, clock: Clock) -> None:
    """The highest level of several counts."""
    said = configured(app_prefix, allowed_emails=f"{CY}, {BO}, {ADA}", ops_emails=f"{BO},{ADA}")
    access = server(store, said, clock)
    assert role(access, ADA) is PersonRole.ADMIN
    assert role(access, BO) is PersonRole.OPS
    assert role(access, CY) is PersonRole.DESIGNER
    assert role(access, "dee@studio.example", "studio.example") is PersonRole.DESIGNER
    assert role(access, "eve@elsewhere.example", "elsewhere.example") is None


def test_as_soon_as_there_is_a_list_it_alone_decides(
    access: Access, store: Store, settings: Settings, clock: Clock
) -> None:
    """Who was removed in the dashboard does not come back with a restart, though the settings still name them."""
    seen = access.change(ADMIN, BO, AccessLevel.ADMIN, seen=access.read(ADMIN))
    seen = access.change(ADMIN, "studio.example", None, seen=seen)
    access.change(Viewer(BO, PersonRole.ADMIN), ADA, None, seen=seen)
    restarted = server(store, settings, clock)
    assert role(restarted, ADA, "studio.example") is None
    assert role(restarted, BO) is PersonRole.ADMIN


@pytest.mark.parametrize(
    ("email", "hosted_domain", "expected"),
    [
        pytest.param("kim@studio.example", "studio.example", PersonRole.DESIGNER, id="an account of the domain"),
        pytest.param("kim@studio.example", "", None, id="a private account under an address of the domain"),
        pytest.param("kim@studio.example", "other.example", None, id="hosted by another domain"),
        pytest.param("kim@other.example", "studio.example", None, id="another address hosted by the domain"),
        pytest.param("kim@sub.studio.example", "sub.studio.example", None, id="a domain below it"),
        pytest.param("kim@sub.studio.example", "studio.example", None, id="an address below it"),
        pytest.param("kim@notstudio.example", "notstudio.example", None, id="a domain that ends alike"),
        pytest.param("kim@studio.example.evil.example", "studio.example.evil.example", None, id="begins alike"),
        pytest.param("studio.example", "studio.example", None, id="the domain itself"),
        pytest.param("", "", None, id="nobody"),
    ],
)
def test_a_domain_stands_for_the_accounts_google_says_it_hosts(
    access: Access, email: str, hosted_domain: str, expected: PersonRole | None
) -> None:
    """Anybody can open a private Google account under an address they once had."""
    assert role(access, email, hosted_domain) is expected


def test_a_blocked_person_of_an_allowed_domain_stays_out(access: Access) -> None:
    access.change(ADMIN, "Mal@Studio.example", AccessLevel.BLOCKED, seen=access.read(ADMIN))
    assert role(access, "mal@studio.example", "studio.example") is None
    assert role(access, "kim@studio.example", "studio.example") is PersonRole.DESIGNER


def test_an_entry_of_ones_own_counts_without_a_domain(access: Access) -> None:
    access.change(ADMIN, CY, AccessLevel.OPS, seen=access.read(ADMIN))
    assert role(access, CY, "") is PersonRole.OPS


def test_who_is_not_on_the_list_hears_whom_to_ask(access: Access, store: Store, app_prefix: str, clock: Clock) -> None:
    with pytest.raises(
        AccessDenied, match=rf"{CY} is not on the studio's list\. Ask an admin of the studio to add you"
    ):
        access.role_of(CY, hosted_domain="")
    leaderless = server(store, configured(app_prefix, admin_emails=""), clock)
    with pytest.raises(AccessDenied, match="Ask whoever runs this server"):
        leaderless.role_of(CY, hosted_domain="")


def test_the_studio_names_whom_a_stranger_may_ask_and_no_admins_address_is_told(
    store: Store, app_prefix: str, clock: Clock
) -> None:
    named = server(store, configured(app_prefix, access_contact="Kim at the front desk"), clock)
    with pytest.raises(AccessDenied, match="Ask Kim at the front desk to add you") as refused:
        named.role_of(CY, hosted_domain="")
    assert ADA not in refused.value.message


@pytest.mark.parametrize("domain", ["gmail.com", "@GMail.com", "googlemail.com", "naver.com"])
def test_a_domain_that_would_let_nobody_in_is_refused_with_what_to_do(domain: str, access: Access) -> None:
    """Google names no hosted domain for a private account, so the entry would never count."""
    with pytest.raises(InputError, match="let nobody in: add the addresses one by one"):
        access.change(ADMIN, domain, AccessLevel.DESIGNER, seen=access.read(ADMIN))
    access.change(ADMIN, f"kim{domain if domain[0] == '@' else f'@{domain}'}", AccessLevel.OPS, seen=access.read(ADMIN))


def test_such_a_domain_from_before_is_still_read_and_can_be_removed(
    store: Store, app_prefix: str, clock: Clock
) -> None:
    access = server(store, configured(app_prefix, allowed_domains="gmail.com,studio.example"), clock)
    seen = access.read(ADMIN)
    assert seen.value.idle_domains == ("gmail.com",)
    assert role(access, "kim@studio.example", "studio.example") is PersonRole.DESIGNER
    assert access.change(ADMIN, "gmail.com", None, seen=seen).value.domains == {"studio.example": AccessLevel.DESIGNER}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_EMAILS", "kim"),
        ("OPS_EMAILS", "kim@studio"),
        ("ADMIN_EMAILS", "ada@studio.example; bo@studio.example"),
        ("ALLOWED_DOMAINS", "https://studio.example"),
    ],
)
def test_a_typing_error_in_the_settings_is_said_at_the_start(store: Store, name: str, value: str, clock: Clock) -> None:
    """Else it would quietly keep somebody out, or leave the studio without an admin."""
    with pytest.raises(ConfigError, match=name) as refused:
        server(store, configured("x/", **{name.lower(): value}), clock)
    assert refused.value.setting == name


# ---- how soon


def test_a_removal_holds_on_every_server_within_a_minute(
    access: Access, store: Store, settings: Settings, clock: Clock
) -> None:
    access.change(ADMIN, CY, AccessLevel.DESIGNER, seen=access.read(ADMIN))
    other = server(store, settings, clock)
    assert role(other, CY) is PersonRole.DESIGNER
    access.change(ADMIN, CY, None, seen=access.read(ADMIN))
    assert role(access, CY) is None  # at once where it was made
    clock.now += MAX_AGE_S
    assert role(other, CY) is None


def test_a_busy_server_hears_of_it_as_soon(access: Access, store: Store, settings: Settings, clock: Clock) -> None:
    """Asking all the time does not keep an old answer alive."""
    access.change(ADMIN, CY, AccessLevel.DESIGNER, seen=access.read(ADMIN))
    other = server(store, settings, clock)
    assert role(other, CY) is PersonRole.DESIGNER
    access.change(ADMIN, CY, None, seen=access.read(ADMIN))
    heard_after = next(later for later in range(70) if _a_second_later(clock) and role(other, CY) is None)
    assert heard_after < MAX_AGE_S


def _a_second_later(clock: Clock) -> bool:
    clock.now += 1
    return True


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"people": ["ada@studio.example"]}',
        b'{"people": {"ada@studio.example": "owner"}}',
        b'{"people": {"ada": "admin"}}',
        b'{"people": {"bo@studio.example": "blocked", "Bo@studio.example": "admin"}}',
        b'{"domains": {"studio.example": "admin"}}',
        b'{"domains": {"*": "designer"}}',
        b'{"everybody": true}',
        b"\xff\xfe{}",
    ],
)
def test_with_a_damaged_list_nobody_comes_in_on_a_guess(
    access: Access, s3: S3Server, app_prefix: str, content: bytes, clock: Clock
) -> None:
    """The settings do not step in either: they may name people who have been removed since."""
    assert role(access, ADA) is PersonRole.ADMIN
    fill(s3, {f"{app_prefix}access.json": content})
    clock.now += MAX_AGE_S
    for ask in (lambda: access.role_of(ADA, hosted_domain="studio.example"), lambda: access.read(ADMIN)):
        with pytest.raises(StorageUnavailable, match=r"access\.json in S3 is damaged .*restore its last good version"):
            ask()


def test_a_capital_letter_written_by_hand_does_not_undo_a_block() -> None:
    listed = parse_settings(
        AccessList,
        "access.json",
        b'{"people": {"Mal@Studio.example": "blocked"}, "domains": {"@Studio.example": "designer"}}',
    )
    with pytest.raises(AccessDenied):
        listed.role_of("mal@studio.example", hosted_domain="studio.example")
    assert listed.role_of("kim@studio.example", hosted_domain="studio.example") is PersonRole.DESIGNER


def test_a_list_that_was_removed_gives_way_to_the_settings(
    access: Access, s3: S3Server, app_prefix: str, clock: Clock
) -> None:
    access.change(ADMIN, CY, AccessLevel.DESIGNER, seen=access.read(ADMIN))
    remove(s3, f"{app_prefix}access.json")
    clock.now += MAX_AGE_S
    assert role(access, CY) is None
    assert role(access, ADA) is PersonRole.ADMIN


# ---- who changes it


@pytest.mark.parametrize("person", [PersonRole.DESIGNER, PersonRole.OPS])
def test_designers_and_ops_neither_read_nor_change_the_list(access: Access, person: PersonRole) -> None:
    viewer, seen = Viewer(BO, person), access.read(ADMIN)
    for ask in (
        lambda: access.read(viewer),
        lambda: access.change(viewer, BO, AccessLevel.ADMIN, seen=seen),
        lambda: access.change(viewer, ADA, None, seen=seen),
    ):
        with pytest.raises(AccessDenied):
            ask()
    assert access.read(ADMIN).etag is None


def test_an_admin_who_was_removed_cannot_undo_it_within_the_minute(access: Access) -> None:
    """Their page may still believe that they are one; the list they would change does not."""
    bo = Viewer(BO, PersonRole.ADMIN)
    access.change(ADMIN, BO, AccessLevel.ADMIN, seen=access.read(ADMIN))
    before = access.read(bo)
    removed = access.change(ADMIN, BO, None, seen=before)
    with pytest.raises(AccessDenied, match="not an admin of the studio any more"):
        access.change(bo, BO, AccessLevel.ADMIN, seen=removed)
    with pytest.raises(WriteConflict):
        access.change(bo, BO, AccessLevel.OPS, seen=before)
    assert role(access, BO) is None


def test_the_last_admin_stays_one(access: Access) -> None:
    """Not by removal, not by another role, not by a block, not by two who remove each other."""
    for level in (None, AccessLevel.OPS, AccessLevel.DESIGNER, AccessLevel.BLOCKED):
        with pytest.raises(InputError, match=f"{ADA} is the last admin: make somebody else an admin first"):
            access.change(ADMIN, ADA, level, seen=access.read(ADMIN))
    seen = access.change(ADMIN, BO, AccessLevel.ADMIN, seen=access.read(ADMIN))
    access.change(ADMIN, BO, None, seen=seen)
    with pytest.raises(WriteConflict):
        access.change(Viewer(BO, PersonRole.ADMIN), ADA, None, seen=seen)
    assert access.read(ADMIN).value.admins == (ADA,)


def test_the_demos_one_person_is_its_admin(store: Store, app_prefix: str, clock: Clock) -> None:
    demo = Viewer(DEMO_EMAIL, PersonRole.ADMIN, "Demo")
    access = server(store, Settings(s3_app_prefix=app_prefix), clock)
    access.change(demo, CY, AccessLevel.OPS, seen=access.read(demo))
    assert role(access, CY) is PersonRole.OPS


@pytest.mark.parametrize(
    "entry",
    ["", " ", "@", "kim", "kim@", "kim@studio", "a b@studio.example", "x@y@studio.example", "<x>@a.b", "*", "."],
)
def test_what_is_no_address_and_no_domain_is_refused_in_a_sentence(access: Access, entry: str) -> None:
    with pytest.raises(InputError, match=r"is not (an e-mail address|a domain)"):
        access.change(ADMIN, entry, AccessLevel.DESIGNER, seen=access.read(ADMIN))


@pytest.mark.parametrize("level", [AccessLevel.ADMIN, AccessLevel.BLOCKED])
def test_a_whole_domain_is_never_admin_nor_blocked(access: Access, level: AccessLevel) -> None:
    with pytest.raises(InputError, match="whole domain"):
        access.change(ADMIN, "other.example", level, seen=access.read(ADMIN))


def test_who_loses_a_race_sees_the_other_change(access: Access, store: Store, settings: Settings, clock: Clock) -> None:
    other = server(store, settings, clock)
    seen = other.read(ADMIN)
    access.change(ADMIN, BO, AccessLevel.OPS, seen=access.read(ADMIN))
    with pytest.raises(WriteConflict) as lost:
        other.change(ADMIN, CY, AccessLevel.OPS, seen=seen)
    theirs = parse_settings(AccessList, "access.json", lost.value.theirs or b"")
    assert theirs.people[BO] is AccessLevel.OPS
    assert CY not in theirs.people


def test_two_processes_that_change_the_list_at_once_lose_nothing(s3: S3Server, settings: Settings) -> None:
    """Both add people as fast as they can; every one of them is on the list and on the trail."""
    environment = {
        "PATH": os.environ["PATH"],
        "S3_BUCKET": s3.bucket,
        "S3_ENDPOINT_URL": s3.endpoint_url,
        "S3_APP_PREFIX": settings.s3_app_prefix,
        "AWS_ACCESS_KEY_ID": s3.access_key,
        "AWS_SECRET_ACCESS_KEY": s3.secret_key,
        "ADMIN_EMAILS": f"{ADA},{BO}",
    }
    added = {
        admin: [f"{name}{number}@studio.example" for number in range(8)] for admin, name in ((ADA, "x"), (BO, "y"))
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.identity.change_access_list", admin, json.dumps(people)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for admin, people in added.items()
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=LONG_S)
    assert [process.returncode for process in processes] == [0, 0]
    listed = parse_settings(AccessList, "access.json", s3.store().get(f"{settings.s3_app_prefix}access.json").data)
    everybody = {person for people in added.values() for person in people}
    assert set(listed.people) == {ADA, BO, *everybody}
    trail = [(change.by, change.entry) for change in listed.changes]
    assert sorted(trail) == sorted((admin, person) for admin, people in added.items() for person in people)


# ---- the trail

entries = st.sampled_from([ADA, BO, CY, "Cy@Freelance.example ", "studio.example", "@other.example", "nonsense"])


@given(st.lists(st.tuples(entries, st.none() | st.sampled_from(AccessLevel)), max_size=12))
@examples(max_examples=60, deadline=None)
def test_the_trail_tells_every_change_and_nothing_else(changes: list[tuple[str, AccessLevel | None]]) -> None:
    """Replayed from the beginning it gives the list as it is; and there is always an admin."""
    start = AccessList(people={ADA: AccessLevel.ADMIN}, domains={"studio.example": AccessLevel.DESIGNER})
    now = start
    for entry, level in changes:
        before = now
        try:
            now = now.with_entry(entry, level, by=ADA, at=WHEN)
        except InputError:
            continue
        assert len(now.changes) - len(before.changes) == (now != before)
        assert now.admins
    replayed = dict(start.people) | dict(start.domains)
    for change in now.changes:
        assert replayed.get(change.entry) is change.before
        assert (change.by, change.at) == (ADA, WHEN)
        if change.after is None:
            del replayed[change.entry]
        else:
            replayed[change.entry] = change.after
    assert replayed == now.people | now.domains
    assert parse_settings(AccessList, "access.json", now.model_dump_json().encode()) == now


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@examples(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_are_ever_a_list_by_accident(data: bytes) -> None:
    try:
        listed = parse_settings(AccessList, "access.json", data)
    except StudioError:
        return
    assert not listed.people
    assert not listed.domains


def test_the_log_says_who_changed_what(access: Access) -> None:
    with capture_logs() as logs:
        access.change(ADMIN, CY, AccessLevel.OPS, seen=access.read(ADMIN))
    (line,) = [each for each in logs if each["event"] == "access_changed"]
    assert (line["by"], line["entry"], line["before"], line["after"]) == (ADA, CY, None, AccessLevel.OPS)
