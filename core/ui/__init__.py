"""The only Streamlit in core: shell, state, cards and errors."""
