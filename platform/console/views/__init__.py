"""The web pages, one file for each subject."""
