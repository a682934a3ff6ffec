"""What every route needs: who asks, from where, at which address, and the answer as bytes and headers."""
