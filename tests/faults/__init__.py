"""The fault rig: all that goes wrong in a year, in an hour, and an oracle that counts what was lost."""
