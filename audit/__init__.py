"""What auditors ask: what happened, what it changed, what stands behind a figure, who looked."""
