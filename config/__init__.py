"""What the process is given: settings from the environment, and the profile of a municipality."""
