"""The filmstrip: what somebody made, in small pictures in a row."""
