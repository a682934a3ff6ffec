"""The picture grid: many pictures with words, paged, chosen by key and mouse."""
