"""What a text consists of: words for the index, tokens for a budget, templates for records."""
