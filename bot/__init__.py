"""The conversation: channels, inbox, turn, outbox, waits."""
