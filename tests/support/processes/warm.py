"""What each process would find out anew and is always the same, found out before forks are made of this one.

The word lists, the description of S3, and which packages bring components for Streamlit, which reads what every
installed package says of itself.
"""

from functools import cache

from streamlit.components.v2 import manifest_scanner

from core.injection.reading.reader import OfflineReader
from core.references.vocabulary import load_vocabulary
from core.storage.client import BucketClient, Reach
from core.studio import VOCABULARY_FILE

OfflineReader(load_vocabulary(VOCABULARY_FILE))
BucketClient(Reach("none", "http://127.0.0.1:9", "none", "none"), attempts=1)
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)
manifest_scanner.scan_component_manifests()
