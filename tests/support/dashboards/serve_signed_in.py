"""Starts the dashboard as `streamlit run app.py` does, with another Google behind its sign-in.

The dashboard has no switch for that: what it holds constant is replaced here, before it starts.
Usage: serve_signed_in.py AUTHORIZE_URL TOKEN_URL CERTS_URL MAX_AGE_S [streamlit's options]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))

from streamlit.web.cli import main  # noqa: E402 - the repository has to be on the path

from core.identity import google  # noqa: E402
from core.objects import documents  # noqa: E402
from core.ui.frame import session  # noqa: E402

authorize_url, token_url, certs_url, max_age_s, *options = sys.argv[1:]


class FakeGooglesCertificates(google.GoogleRequest):  # type: ignore[misc]  # google-auth ships half of its types
    """Fetches certificates from the fake, whatever Google's address is."""

    def __call__(self, _url: str, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(certs_url, *args, **kwargs)


google.GOOGLE = google.Provider(authorize_url, token_url)  # type: ignore[misc]  # constant for everybody else
google.GoogleRequest = FakeGooglesCertificates  # type: ignore[misc]
documents.MAX_AGE_S = float(max_age_s)  # type: ignore[misc]
google._COOLDOWN_S = 0.5  # a fetch that failed is tried again as soon as somebody presses once more
session._WATCH_S = min(float(max_age_s) / 3, session._WATCH_S)  # type: ignore[misc]

sys.argv = ["streamlit", "run", "app.py", *options]
main()
