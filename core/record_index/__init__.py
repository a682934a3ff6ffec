"""The record index: records that lie by day in S3, a row of each in memory, packed by month, kept up with S3."""
