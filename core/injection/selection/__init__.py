"""How references are chosen for slots: who fits, who is drawn, and the same people on both sides."""
