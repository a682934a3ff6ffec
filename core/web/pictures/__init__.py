"""Routes of pictures: tiles, originals and ZIP files, and those of ballots."""
