"""A search over settings: trials compared on validation, the winner judged once on the test."""
