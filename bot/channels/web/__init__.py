"""The web chat: a page of the municipality's own, and the design base that all our pages share."""
