"""What `limani doctor` looks at. Each look gives findings: what is well, what is wrong, how to mend it."""
