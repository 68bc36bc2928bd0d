"""Many accounts, each read live with a role. Only results stay in memory or on disk, not the estates."""
