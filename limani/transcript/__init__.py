"""Golden transcripts: conversations that are the manual and the test at once."""
