"""docs/operate.md, run line by line: a bucket, a remote in a folder, PM2 and nginx; what cannot run here is named."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from core.generation.spending.budget import DailyLimits
from core.generation.spending.limits import SpendingLimits
from core.labels.review.verdicts import accept
from core.setting_names import unknown_keys
from core.settings import Settings
from core.viewer import PersonRole, Viewer
from tests.deploy.test_nginx import NGINX, filled_in
from tests.labels.portraits import OPS
from tests.labels.review.checkouts import KEYS, etag, reviewed_bucket
from tests.labels.review.services import ReviewFixture, proposed
from tests.support.browser.certificate import certificate
from tests.support.operators_guide import (
    GUIDE,
    LASTS,
    Line,
    Machine,
    blocks,
    make_environment,
    settings_block,
    shell_lines,
)
from tests.support.ports import own_port
from tests.support.processes.checkouts import committed, git, shared, tracked_files
from tests.support.processes.programs import TRUSTS_NOBODY, running
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server, client_of
from tests.support.timeouts import LONG_S, until

TOKEN = "token-of-the-guide"
# Lines that need packages, users, systemd or Let's Encrypt. Whatever else the guide says is run below.
NOT_RUN = [
    "sudo apt-get update",
    "sudo apt-get install --yes git make jq curl python3 python3-venv nginx certbot python3-certbot-nginx",
    'sudo adduser --disabled-password --gecos "" studio',
    "sudo --user studio --login",
    "sudo apt-get install --yes nodejs npm",
    "sudo npm install --global pm2",
    'sudo env PATH="$PATH" pm2 startup systemd --user studio --hp /home/studio',
    "sudo systemd-analyze verify /etc/systemd/system/studio.service",
    "sudo systemctl daemon-reload",
    "sudo systemctl enable --now studio",
    "sudo journalctl --unit studio --output cat",
    "sudo certbot certonly --nginx -d studio.example.com",
    "sudo systemctl reload nginx",
    "sudo systemctl restart studio",
]


def test_every_line_that_no_test_can_run_is_known_by_name() -> None:
    assert [line.command for line in shell_lines() if not line.runs_here] == NOT_RUN


def test_every_block_says_of_what_kind_it_is() -> None:
    """Or a shell line could stand in one that nobody runs."""
    kinds = re.findall(r"^```(\w*)$", GUIDE.read_text("utf-8"), re.MULTILINE)[::2]
    assert set(kinds) == {"sh", "toml", "json"}
    assert len(blocks("toml")) == len(blocks("json")) == 1


def test_the_settings_of_the_guide_are_settings_at_the_root_of_the_file() -> None:
    said = settings_block()
    assert unknown_keys(said, place="the guide") == ()
    assert all(isinstance(value, str) for value in said.values())


def test_nothing_is_named_that_nobody_has() -> None:
    """Tags, which this repository has none of."""
    text = GUIDE.read_text("utf-8")
    assert re.findall(r"<tag>|git checkout v?\d|refs/tags", text) == []


@dataclass
class Studio:
    """The bucket and the machine of the guide, with two ports of its own, and what its operator fills in."""

    bucket: S3Server
    copy: S3Server
    machine: Machine
    remote: Path
    port: int
    tls_port: int

    @property
    def checkout(self) -> Path:
        return self.machine.home / "dashboard"

    def ready(self, port: int) -> bool:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=LONG_S, verify=TRUSTS_NOBODY).status_code == 200

    def metrics(self) -> str:
        answer = httpx.get(f"http://127.0.0.1:{self.port}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        return answer.text

    def secrets(self, session_secret: str) -> str:
        """The guide's secrets.toml, filled in."""
        filled = {
            "S3_BUCKET": self.bucket.bucket,
            "AWS_ACCESS_KEY_ID": self.bucket.access_key,
            "AWS_SECRET_ACCESS_KEY": self.bucket.secret_key,
            "PUBLIC_URL": f"https://localhost:{self.tls_port}",
            "GOOGLE_CLIENT_ID": "id",
            "GOOGLE_CLIENT_SECRET": "kept-client-secret",
            "SESSION_SECRET": session_secret,
            "OPENAI_API_KEY": "",
            "METRICS_TOKEN": TOKEN,
        }
        said = {**settings_block(), **filled, "S3_ENDPOINT_URL": self.bucket.endpoint_url}
        assert "…" not in "".join(said.values())
        return "".join(f'{name} = "{value}"\n' for name, value in said.items())


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    source = tracked_files(tmp_path / "source")
    remote = shared(source)
    port, tls_port = own_port(neighbours=1), own_port()
    with moto_server() as server:
        bucket = reviewed_bucket(server)
        copy = with_bucket(server)
        machine = Machine(
            tmp_path / "machine",
            {
                "<this repository>": str(remote),
                "8501": str(port),
                "8502": str(port + 1),
                "RESTORED-BUCKET": copy.bucket,
                "/home/studio/dashboard": str(tmp_path / "machine" / "home" / "dashboard"),
            },
            {"PORT": str(port), "METRICS_TOKEN": TOKEN, "https_proxy": "http://127.0.0.1:9"},
        )
        yield Studio(bucket, copy, machine, remote, port, tls_port)
        machine.run(Line("the end", "pm2 kill"))


def prepare(studio: Studio) -> None:
    """What stands in for the machine's programs, once the checkout is there."""
    machine, nginx = studio.machine, studio.machine.etc / "nginx"
    make_environment(studio.checkout)
    for name in ("sites-available", "sites-enabled"):
        (nginx / name).mkdir(parents=True)
    for name, file in (("privkey.pem", certificate().key), ("fullchain.pem", certificate().chain)):
        (nginx / name).write_bytes(file.read_bytes())
    temporary = "".join(
        f"{kind}_temp_path {nginx}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (nginx / "nginx.conf").write_text(
        f"pid {nginx}/pid; error_log {nginx}/error.log; worker_processes 1;\n"
        f"events {{ worker_connections 256; }}\nhttp {{\n{temporary}include {nginx}/sites-enabled/*;\n}}\n",
        "utf-8",
    )
    machine.program("nginx", f'exec "{NGINX}" -c "{nginx}/nginx.conf" -p "{nginx}" "$@"')
    said = re.search(r"# (python3 -c .*)$", blocks("toml")[0], re.MULTILINE)
    assert said, "the guide says how to make a SESSION_SECRET"
    secret = machine.run(Line("4. Settings", said[1])).strip()
    filled = machine.folder / "filled-in"
    filled.mkdir()
    (filled / "secrets.toml").write_text(studio.secrets(secret), "utf-8")
    (filled / "studio").write_text(filled_in(nginx, (studio.port, studio.port + 1), studio.tls_port), "utf-8")
    machine.program("editor", f'cat "{filled}/$(basename "$1")" > "$1"')


def serve_the_demo(studio: Studio, line: Line) -> None:
    """A line that lasts: it serves until Ctrl+C ends it."""
    machine = studio.machine
    command, log = ["bash", "-c", machine.filled_in(line)], machine.folder / "demo.txt"
    with running(command, log, machine.environment, cwd=machine.cwd, start_new_session=True) as demo:
        until(lambda: demo.process.poll() is not None or studio.ready(studio.port), "the demo serves")
        assert demo.process.poll() is None, demo.log
        assert demo.process.pid
        os.killpg(demo.process.pid, signal.SIGINT)
        demo.process.wait(LONG_S)


def set_budgets(studio: Studio) -> None:
    """As an admin does it on the People page."""
    limits = SpendingLimits(studio.bucket.store(), Settings(s3_bucket=studio.bucket.bucket))
    admin = Viewer("you@example.com", PersonRole.ADMIN)
    limits.change(admin, DailyLimits(daily_usd=40, daily_person_usd=4.5), seen=limits.read(admin))


def move_on(studio: Studio) -> None:
    """Somebody reviews here, and somebody develops there."""
    at = ReviewFixture(studio.bucket, shipped=tuple(proposed(key, etag(key)) for key in KEYS))
    at.reviews.save(OPS, [accept(at.reviews.item(OPS, KEYS[2]), id="later")])
    source = studio.remote.parent / "source"
    git(source, "pull", "--quiet", "--rebase")
    (source / "CHANGELOG.md").write_text("Something newer.\n", "utf-8")
    committed(source, "Something newer")
    git(source, "push", "--quiet")


def restore_a_copy(studio: Studio) -> None:
    """The bucket, as a restore brings it back."""
    client = client_of(studio.bucket)
    for item in client.list_objects_v2(Bucket=studio.bucket.bucket)["Contents"]:
        source = {"Bucket": studio.bucket.bucket, "Key": item["Key"]}
        client.copy_object(Bucket=studio.copy.bucket, Key=item["Key"], CopySource=source)


def serves(studio: Studio, *ports: int) -> None:
    for port in ports:
        until(lambda port=port: studio.ready(port), f"{port} serves")


def shows_what_alerts_are_made_of(studio: Studio, said: str) -> None:
    """The guide's request is answered, and every figure that it names is there."""
    assert '"ready": true' in said
    figures = studio.metrics()
    named = {name.removesuffix("_total") for name in re.findall(r"\bstudio_[a-z_]+\b", GUIDE.read_text("utf-8"))}
    assert {"studio_budget_usd", "studio_spend_today_usd", "studio_incidents"} <= named
    assert [name for name in sorted(named) if f"\n# TYPE {name}" not in figures] == []
    assert "\nstudio_budget_usd 40.0\n" in figures


def is_behind_nginx(studio: Studio) -> None:
    url = f"https://localhost:{studio.tls_port}/healthz"
    answer = until(lambda: httpx.get(url, verify=certificate().trust, timeout=LONG_S), "nginx answers")
    assert answer.status_code == 200
    assert answer.headers.get_list("strict-transport-security") == ["max-age=31536000"]


def labels_are_shared(studio: Studio, *keys: str) -> None:
    """The remote has these labels, by this machine's name, and the checkout has nothing that waits."""
    git(studio.checkout, "fetch", "--quiet")
    published = git(studio.checkout, "show", "origin/main:labels/personas.jsonl")
    assert [key for key in keys if key not in published] == []
    assert git(studio.checkout, "log", "-1", "--format=%an", "origin/main").strip() == "Studio labels"
    assert git(studio.checkout, "status", "--porcelain") == ""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_guide_leads_from_nothing_to_a_studio_that_outlives_an_upgrade(studio: Studio) -> None:
    """Every line in its order; what has to be so before and after a section or a line stands beside it."""
    machine, both = studio.machine, (studio.port, studio.port + 1)
    before = {"Upgrade": move_on, "Backup": restore_a_copy}
    after = {
        "git clone": lambda _: prepare(studio),
        "check --profile": lambda said: assert_says(said, "\nThe dashboard can serve: production, from the bucket"),
        "pm2 start ": lambda _: serves(studio, *both),
        "pm2 restart": lambda _: serves(studio, *both),
        "make --silent": lambda said: assert_says(said, f'ExecStart="{studio.checkout}/.venv/bin/python"'),
        "curl": lambda said: shows_what_alerts_are_made_of(studio, said),
        "publish --commit --push": lambda _: labels_are_shared(studio, KEYS[0], KEYS[3]),
        "core labels publish --dry-run": lambda said: assert_says(
            said, "Noth" if "@@" in said else "nothing to publish"
        ),
        "core spend": lambda said: assert_says(said, "$0.00"),
        "core index": lambda said: assert_says(said, "6 pictures"),
    }
    set_budgets(studio)
    with ExitStack() as until_the_end:
        for line in [each for each in shell_lines() if each.runs_here]:
            before.pop(line.section, lambda _: None)(studio)
            if LASTS in line.text:
                serve_the_demo(studio, line)
                continue
            said = machine.run(line)
            for words, look in after.items():
                if words in line.text:
                    look(said)
            if line.text == "sudo nginx -t":
                command = [str(machine.folder / "bin" / "nginx"), "-g", "daemon off;"]
                until_the_end.enter_context(running(command, machine.folder / "nginx.txt", machine.environment))
                is_behind_nginx(studio)
    assert before == {}, "a section was renamed"
    labels_are_shared(studio, KEYS[0], KEYS[2], KEYS[3], KEYS[5])
    assert (studio.checkout / "CHANGELOG.md").read_text("utf-8") == "Something newer.\n"
    assert git(studio.checkout, "check-ignore", "studio.env", ".streamlit/secrets.toml").split()


def assert_says(said: str, expected: str) -> None:
    assert expected in said, said
