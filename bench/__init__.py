"""The bench: what the product costs and how fast it is, as ratios against peers in the same run.

It drives the product through its faces alone: webhooks over HTTP, settings from the environment, and the
lowest transport under the Telegram client, which a stub of ours replaces here and in the peers alike.
"""
