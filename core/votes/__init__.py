"""What people prefer: votes as evidence, and what may be concluded from them."""
