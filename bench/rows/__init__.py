"""The rows of the table: each measures one claim and returns its figures."""
