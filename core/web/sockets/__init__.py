"""What a WebSocket may do: the limits and the bookkeeping behind core/web/socket_guard.py."""
