"""A process that adds people to the access list, one by one, and starts over when somebody else was faster."""

from __future__ import annotations

import json
import sys

from core.errors import WriteConflict
from core.identity.access.access import Access
from core.identity.access.access_list import AccessLevel
from core.settings import load_settings
from core.storage.client import Reach
from core.storage.s3 import Store
from core.viewer import PersonRole, Viewer

admin, people = sys.argv[1], json.loads(sys.argv[2])
settings = load_settings()
access = Access(Store(Reach(settings.s3_bucket or "", settings.s3_endpoint_url)), settings)
viewer = Viewer(admin, PersonRole.ADMIN)
lost = 0
print("ready", flush=True)
sys.stdin.readline()
for person in people:
    while True:
        try:
            access.change(viewer, person, AccessLevel.DESIGNER, seen=access.read(viewer))
            break
        except WriteConflict:
            lost += 1
print(lost)
