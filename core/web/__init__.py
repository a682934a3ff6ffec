"""The web: our own routes beside Streamlit's, who passes through them, and the start and end of a server."""

from core.web.lifespan import lifespan
from core.web.routes import MIDDLEWARE, ROUTES

__all__ = ["MIDDLEWARE", "ROUTES", "lifespan"]
