"""What a run or an organization's aggregator found, in one form for every report and the dashboard."""
