"""What every fault needs: a house to start the product in, a world around it, a ledger and an oracle."""
