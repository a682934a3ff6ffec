"""One act in a process of its own, to be killed in the middle of it.

`python -m tests.labels.publication.act_once ENDPOINT BUCKET REVIEWER publish FILE`, or
`… REVIEWER save FILE VERDICT`, the verdict as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from core.labels.decisions.reviews import Kind, Value
from core.labels.published.schema import LabelField
from core.labels.review.verdicts import Verdict
from core.viewer import PersonRole, Viewer
from tests.labels.review.services import ReviewFixture
from tests.support.s3.servers import S3Server


def main() -> None:
    endpoint, bucket, reviewer, act, file, *verdict = sys.argv[1:]
    at = ReviewFixture(S3Server("moto", endpoint, bucket), Path(file))
    person = Viewer(reviewer, PersonRole.OPS)
    if act == "publish":
        publisher = at.publisher(Path(file))
        publisher.publish(publisher.draft(at.library.index), person)
    else:
        at.reviews.save(person, [verdict_from(verdict[0])])
    print("done", flush=True)


def verdict_as_json(verdict: Verdict) -> str:
    """A verdict for another process."""
    said = {
        name: {field.value: value for field, value in getattr(verdict, name).items()} for name in ("seen", "values")
    }
    return json.dumps({"id": verdict.id, "kind": verdict.kind.value, "key": verdict.key, "etag": verdict.etag, **said})


def verdict_from(text: str) -> Verdict:
    """The verdict that another process sent."""
    read = json.loads(text)
    seen, values = (
        {LabelField(name): _value(value) for name, value in read[each].items()} for each in ("seen", "values")
    )
    return Verdict(read["id"], Kind(read["kind"]), read["key"], read["etag"], seen, values)


def _value(value: object) -> Value:
    if isinstance(value, list):
        return int(value[0]), int(value[1])
    return None if value is None else str(value)


if __name__ == "__main__":
    main()
