"""How often AWS Config runs a rule on schedule."""

from __future__ import annotations

# MaximumExecutionFrequency of AWS Config in seconds.
FREQUENCY_SECONDS = {
    "One_Hour": 3_600,
    "Three_Hours": 10_800,
    "Six_Hours": 21_600,
    "Twelve_Hours": 43_200,
    "TwentyFour_Hours": 86_400,
}
# AWS Config's own, where a rule names none.
DEFAULT_FREQUENCY = "TwentyFour_Hours"
