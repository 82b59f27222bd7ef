"""Whatever comes in: the promises that hold for every text, and texts that try them."""
