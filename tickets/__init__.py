"""The record: tickets, their append-only entries, and the pages that they owe."""
