"""The web: our own routes beside Streamlit's, who passes through them, and the start and end of a server."""

from core.web.routes import MIDDLEWARE, ROUTES
from core.web.server.lifespan import lifespan

__all__ = ["MIDDLEWARE", "ROUTES", "lifespan"]
