"""The floor: one database behind one door, sealed columns, migrations, clock and ids.

Every other room that keeps anything keeps it here. Work on the database is a plain function of a
connection, so no network call can happen with a transaction open.
"""
