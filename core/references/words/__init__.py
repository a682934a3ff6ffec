"""The words of the vocabulary: how names fall into words, and the file that says what they mean."""
