"""The session's filmstrip below the stage, its queue, and two of it side by side."""
