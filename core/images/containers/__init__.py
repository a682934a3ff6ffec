"""The containers of pictures: what of a file its pixels need, found without decoding any of it."""
