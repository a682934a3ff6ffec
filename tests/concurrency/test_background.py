"""Work that is begun on the side: whoever closes what it works on waits for it, but not for long."""

from __future__ import annotations

import threading
import time

from core.concurrency.background import in_background, let_background_work_end


def test_what_was_begun_ends_before_what_it_works_on_is_closed() -> None:
    ended: list[str] = []

    def work() -> None:
        time.sleep(0.05)
        ended.append("work")

    in_background(work, name="work")
    let_background_work_end(patience_s=30)
    assert ended == ["work"]


def test_work_that_hangs_is_waited_for_no_longer_than_was_said() -> None:
    may_end = threading.Event()
    hanging = in_background(lambda: may_end.wait(30), name="hangs")
    let_background_work_end(patience_s=0.05)
    assert hanging.is_alive()
    may_end.set()
    hanging.join()
