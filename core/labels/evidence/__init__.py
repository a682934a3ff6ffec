"""How likely labels are wrong, computed from what everybody says: pure functions, no S3 and no screen."""
