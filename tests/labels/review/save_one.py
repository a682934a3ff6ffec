"""A reviewer in a process of its own: says when it is ready, waits for a file, saves one verdict, says how it went.

`python -m tests.labels.review.save_one ENDPOINT BUCKET REVIEWER VALUE KEY FILE`
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from core.labels.decisions.reviews import Kind
from core.labels.published.schema import LabelField
from core.labels.review.verdicts import ReviewConflict, Verdict
from core.viewer import PersonRole, Viewer
from tests.labels.review.services import ReviewFixture
from tests.support.s3.servers import S3Server


def main() -> None:
    endpoint, bucket, reviewer, value, key, gate = sys.argv[1:]
    review_service = ReviewFixture(S3Server("moto", endpoint, bucket))
    person = Viewer(reviewer, PersonRole.OPS)
    item = review_service.reviews.item(person, key)
    seen = item.shown.gender_presentation.value if item.shown and item.shown.gender_presentation else None
    verdict = Verdict(
        f"{reviewer}-1", Kind.CORRECT, key, item.reference.etag, {LabelField.GENDER: seen}, {LabelField.GENDER: value}
    )
    print("ready", flush=True)
    while not Path(gate).exists():
        time.sleep(0.001)
    try:
        saved = review_service.reviews.save(person, [verdict])
        print(json.dumps({"saved": saved.number}), flush=True)
    except ReviewConflict as lost:
        theirs = lost.conflicts[0]
        print(json.dumps({"lost": lost.message, "value": theirs.value, "reviewer": theirs.reviewer}), flush=True)


if __name__ == "__main__":
    main()
