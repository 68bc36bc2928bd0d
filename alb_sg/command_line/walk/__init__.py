"""Many accounts, read live with a role in each. Each account and region is judged and let go; its results are kept."""
