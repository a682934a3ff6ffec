"""The web: our own routes beside Streamlit's, who passes through them, and the start and end of a server."""

from core.web.routes import ROUTES, middleware
from core.web.server.lifespan import lifespan

__all__ = ["ROUTES", "lifespan", "middleware"]
